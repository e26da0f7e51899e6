"""What a test sees of a start from outside: its lines and its processes."""

import subprocess
from pathlib import Path

import psutil


def wait_for(process: subprocess.Popen[str], text: str) -> str:
    """What the process prints, up to the line with the text."""
    assert process.stdout is not None
    read = ""
    for line in process.stdout:
        read += line
        if text in line:
            return read
    raise AssertionError(f"{text!r} did not come, but:\n{read}")


def processes_of(checkout: Path) -> list[psutil.Process]:
    """Everything that runs for this checkout: its command names the folder, or it works in there."""
    found = []
    for process in psutil.process_iter():
        try:
            if any(text.startswith(str(checkout)) for text in [*process.cmdline(), process.cwd()]):
                found.append(process)
        except psutil.Error:
            continue
    return found
