"""`make check`: everything that can be found wrong without running the product, side by side."""

import os
import subprocess
import sys
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path

from marketplace.launch.console import say
from marketplace.launch.prepare import ROOT, neutral_environment

PROGRAMS = Path(sys.executable).parent
FLASK = ("flask", "--app", "wsgi")
CHECKS = {  # the slowest first
    "types": ("mypy", "."),
    "templates": (*FLASK, "templates", "check"),
    "translations": (*FLASK, "translations", "check"),
    "imports": ("lint-imports",),
    "lint": ("ruff", "check"),
    "format": ("ruff", "format", "--check"),
}


@dataclass(frozen=True)
class Outcome:
    name: str
    passed: bool
    seconds: float
    output: str


def run_check(name: str, command: tuple[str, ...], root: Path) -> Outcome:
    begun = time.monotonic()
    done = subprocess.run(
        [str(PROGRAMS / command[0]), *command[1:]],
        cwd=root,
        env=neutral_environment(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        check=False,
    )
    output = done.stdout.decode(errors="replace").strip()
    return Outcome(name, done.returncode == 0, time.monotonic() - begun, output)


def run_checks(checks: Mapping[str, tuple[str, ...]], root: Path) -> int:
    """Print a line for each check as it ends, then the output of those that failed. Returns the exit code."""
    with ThreadPoolExecutor(os.cpu_count() or 2) as pool:
        started = [pool.submit(run_check, name, command, root) for name, command in checks.items()]
        failed = []
        for future in as_completed(started):
            outcome = future.result()
            say(f"{'ok    ' if outcome.passed else 'FAILED'} {outcome.name:<13}{outcome.seconds:5.1f} s")
            if not outcome.passed:
                failed.append(outcome)
    for outcome in failed:
        say(f"\n{outcome.name}: {' '.join(checks[outcome.name])}\n{outcome.output}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(run_checks(CHECKS, ROOT))
