"""`make run` with stand-ins for the application: what it starts, what it says, and that nothing is left behind."""

import os
import pty
import signal
import subprocess
import time
from pathlib import Path

import pytest

from tests.launch.conftest import Start
from tests.launch.watching import processes_of, wait_for


@pytest.mark.parametrize("farewell", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_farewell_stops_everything(start: Start, checkout: Path, farewell: signal.Signals) -> None:
    running = start()
    wait_for(running, "Stop with Ctrl-C")
    assert len(processes_of(checkout)) > 3  # itself, web, worker, PostgreSQL and its own
    running.send_signal(farewell)
    output, _ = running.communicate(timeout=20)
    assert running.returncode == 0
    assert output.endswith("Stopped.\n")
    assert processes_of(checkout) == []


def test_the_first_start_fills_the_database_and_the_second_does_not(start: Start, port: int) -> None:
    first = start()
    said = wait_for(first, "Stop with Ctrl-C")
    assert "Updating the database tables" in said
    assert "Loading the demo city" in said
    assert f"Tilaa is ready: http://127.0.0.1:{port}" in said
    assert "aino@example.org" in said
    first.terminate()
    first.communicate(timeout=20)

    begun = time.monotonic()
    said = wait_for(start(), "Stop with Ctrl-C")
    assert time.monotonic() - begun < 5
    assert "Updating" not in said
    assert "Loading" not in said
    assert "aino@example.org" in said


def test_a_worker_that_does_not_listen_is_killed_with_its_children(start: Start, checkout: Path) -> None:
    running = start("deaf_worker")
    wait_for(running, "Stop with Ctrl-C")
    running.terminate()
    running.communicate(timeout=20)
    assert processes_of(checkout) == []


def test_a_process_that_ends_by_itself_is_named_and_stops_the_rest(start: Start, checkout: Path) -> None:
    running = start("broken_worker")
    output, _ = running.communicate(timeout=20)
    assert running.returncode == 1
    assert "the worker cannot go on" in output
    assert "The worker process ended (exit code 1); all of it is in instance/logs/worker.log" in output
    assert processes_of(checkout) == []


def test_the_next_start_copes_with_what_a_killed_one_left(start: Start, checkout: Path) -> None:
    killed = start()
    wait_for(killed, "Stop with Ctrl-C")
    killed.kill()
    killed.communicate()
    assert processes_of(checkout) != []

    running = start()
    wait_for(running, "Stop with Ctrl-C")
    running.terminate()
    running.communicate(timeout=20)
    assert processes_of(checkout) == []


def test_the_next_start_copes_with_a_database_that_was_killed(start: Start, checkout: Path) -> None:
    killed = start()
    wait_for(killed, "Stop with Ctrl-C")
    for left in processes_of(checkout):
        left.kill()
    killed.communicate()
    pid_file = checkout / "instance" / "postgres" / "postmaster.pid"
    assert pid_file.exists()
    lines = pid_file.read_text().splitlines()
    pid_file.write_text(
        "\n".join([str(os.getpid()), *lines[1:]])
    )  # the number now belongs to another program

    wait_for(start(), "Stop with Ctrl-C")


def test_a_second_start_in_the_same_folder_says_so(start: Start) -> None:
    first = start()
    wait_for(first, "Stop with Ctrl-C")
    second = start()
    output, _ = second.communicate(timeout=20)
    assert second.returncode == 1
    assert output == f"Tilaa is already running in this folder (process {first.pid}).\n"


def test_a_closed_terminal_does_not_disturb_the_stop(start: Start, checkout: Path) -> None:
    running = start()
    wait_for(running, "Stop with Ctrl-C")
    assert running.stdout is not None
    running.stdout.close()
    running.send_signal(signal.SIGHUP)
    running.wait(20)
    assert processes_of(checkout) == []


def test_a_closed_window_stops_everything_even_when_no_shell_passes_it_on(
    start: Start, checkout: Path
) -> None:
    ours, theirs = pty.openpty()
    running = start(terminal=theirs)
    os.close(theirs)
    wait_for(running, "Stop with Ctrl-C")
    os.close(ours)
    running.wait(20)
    assert processes_of(checkout) == []


def test_ctrl_c_during_the_first_seconds_leaves_nothing(start: Start, checkout: Path) -> None:
    running = start()
    wait_for(running, "Updating the database tables")
    running.send_signal(signal.SIGINT)
    running.communicate(timeout=20)
    assert running.returncode == 0
    assert processes_of(checkout) == []


def test_stop_is_quick(start: Start) -> None:
    running = start()
    wait_for(running, "Stop with Ctrl-C")
    begun = time.monotonic()
    running.terminate()
    try:
        running.communicate(timeout=5)
    except subprocess.TimeoutExpired:
        pytest.fail(f"still there after {time.monotonic() - begun:.0f} seconds")
