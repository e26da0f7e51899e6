import os
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from marketplace.settings import ROOT
from tests.launch.watching import processes_of

STANDINS = Path(__file__).parent / "standins.py"
Start = Callable[..., subprocess.Popen[str]]


@pytest.fixture
def checkout() -> Iterator[Path]:
    """A folder with one migration and no data. Not pytest's own, which is closed to the user that runs PostgreSQL."""
    with tempfile.TemporaryDirectory(prefix="tilaa-test-") as folder:
        versions = Path(folder) / "migrations" / "versions"
        versions.mkdir(parents=True)
        (versions / "0001_begin.py").write_text('revision = "0001"\ndown_revision = None\n')
        yield Path(folder).resolve()


@pytest.fixture
def port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture
def hang_up() -> Iterator[None]:
    """Under nohup the hang-up is ignored, and what we start inherits that; a closed terminal is what is tested."""
    before = signal.signal(signal.SIGHUP, signal.SIG_DFL)
    yield
    signal.signal(signal.SIGHUP, before)


@pytest.fixture
def start(hang_up: None, checkout: Path, port: int) -> Iterator[Start]:
    """Start `make run`'s program with stand-ins for the application; ended at the latest with the test."""
    started: list[subprocess.Popen[str]] = []

    def begin(
        worker: str = "worker", terminal: int = subprocess.DEVNULL, **settings: str
    ) -> subprocess.Popen[str]:
        env = {name: value for name, value in os.environ.items() if not name.startswith("MARKETPLACE_")}
        process = subprocess.Popen(
            [sys.executable, STANDINS, "launch", checkout, worker],
            env={**env, "PYTHONPATH": str(ROOT), "MARKETPLACE_PORT": str(port), **settings},
            stdin=terminal,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        started.append(process)
        return process

    yield begin
    for process in started:
        process.terminate()
        process.wait()
        if process.stdout is not None:
            process.stdout.close()
    for left in processes_of(checkout):
        left.kill()
