"""What a person at the terminal reads: calm lines, one sentence when it fails, tools' output only then."""

from __future__ import annotations  # `list[str]` in annotations must not fail on Python 3.8

import contextlib
import subprocess
import sys
from pathlib import Path


class LaunchError(Exception):
    """A reason not to go on, in one sentence that says what to do."""


def say(text: str) -> None:
    """Print one line; a terminal that has been closed is no reason to stop cleaning up."""
    with contextlib.suppress(OSError):
        print(text, flush=True)


def complain(error: LaunchError) -> None:
    """Print the reason on standard error."""
    with contextlib.suppress(OSError):
        print(error, file=sys.stderr, flush=True)


def quietly(
    command: list[str], purpose: str, *, cwd: Path, env: dict[str, str] | None = None, advice: str = ""
) -> str:
    """Run a tool and return its output. Raises LaunchError carrying the output when the tool fails."""
    try:
        done = subprocess.run(
            command,
            cwd=str(cwd),
            env=env,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            check=False,
        )
    except OSError as error:
        raise LaunchError(
            f"{purpose} failed: {command[0]} could not be started ({error.strerror})."
        ) from error
    output = done.stdout.decode(errors="replace").strip()
    if done.returncode:
        sentence = f"{purpose} failed (exit code {done.returncode}). {advice}".strip()
        raise LaunchError(f"{output}\n\n{sentence}" if output else sentence)
    return output
