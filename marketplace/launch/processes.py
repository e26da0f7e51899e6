"""The processes that `make run` starts: each with a log, in a group of its own, stopped as a whole."""

import json
import os
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import psutil

STOP_SECONDS = 7  # the web server kills its own workers after 5


@dataclass(frozen=True)
class Child:
    """A started process; it leads its own group, so Ctrl-C reaches it only through us."""

    name: str
    log: Path
    process: subprocess.Popen[bytes]


class Children:
    """The running processes, noted in a file so that the next start finds what a killed one left behind."""

    def __init__(self, root: Path, env: Mapping[str, str]) -> None:
        self.root = root
        self.env = env
        self.note = note_of(root)
        self.running: list[Child] = []

    def start(self, name: str, command: Sequence[str]) -> Child:
        log = self.root / "instance" / "logs" / f"{name}.log"
        log.parent.mkdir(parents=True, exist_ok=True)
        if log.exists():
            log.replace(log.with_suffix(".previous.log"))
        with log.open("wb") as output:
            process = subprocess.Popen(
                command,
                cwd=self.root,
                env=self.env,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )
        child = Child(name, log, process)
        self.running.append(child)
        self.write_note()
        return child

    def write_note(self) -> None:
        with suppress(psutil.NoSuchProcess):  # one that ended at once is noticed by `ended`
            pids = [child.process.pid for child in self.running]
            self.note.write_text(json.dumps([[pid, psutil.Process(pid).create_time()] for pid in pids]))

    def ended(self) -> Child | None:
        """The first process found to have ended by itself."""
        return next((child for child in self.running if child.process.poll() is not None), None)

    def forget(self, child: Child) -> None:
        """A process that was meant to end has ended."""
        self.running.remove(child)
        self.write_note()

    def stop(self) -> None:
        """End all of them and whatever they started; those that do not stop in time are killed."""
        for child in self.running:
            if child.process.poll() is None:
                send(child.process.pid, signal.SIGTERM)
        deadline = time.monotonic() + STOP_SECONDS
        for child in self.running:
            with suppress(subprocess.TimeoutExpired):
                child.process.wait(max(0.0, deadline - time.monotonic()))
            send(child.process.pid, signal.SIGKILL)
            child.process.wait()
        self.running.clear()
        self.note.unlink(missing_ok=True)


def note_of(root: Path) -> Path:
    return root / "instance" / "run.json"


def stop_leftovers(root: Path) -> None:
    """End what an earlier start left running because it was killed itself."""
    note = note_of(root)
    try:
        noted = json.loads(note.read_text())
    except (FileNotFoundError, ValueError):
        return
    for pid, created in noted:
        with suppress(psutil.NoSuchProcess):
            process = psutil.Process(pid)
            if process.create_time() != created:  # the number belongs to another program by now
                continue
            send(pid, signal.SIGTERM)
            has_ended(pid, within=STOP_SECONDS)
            send(pid, signal.SIGKILL)
    note.unlink(missing_ok=True)


def has_ended(pid: int, *, within: float) -> bool:
    """Wait for a process that is not our child; a zombie, which its new parent has yet to collect, has ended."""
    deadline = time.monotonic() + within
    try:
        process = psutil.Process(pid)
        while process.is_running() and process.status() != psutil.STATUS_ZOMBIE:
            if time.monotonic() > deadline:
                return False
            time.sleep(0.02)
    except psutil.NoSuchProcess:
        pass
    return True


def send(group: int, number: signal.Signals) -> None:
    with suppress(ProcessLookupError, PermissionError):  # macOS answers the second for a group of zombies
        os.killpg(group, number)
