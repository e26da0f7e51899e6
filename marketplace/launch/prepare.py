"""Bring a checkout to where it can run: Python environment, packages, front end, translations.

`python3 -m marketplace.launch.prepare` with any Python 3. A step whose inputs have not changed is skipped.
"""

from __future__ import annotations  # see console.py

import contextlib
import fcntl
import importlib.util
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Iterator  # noqa: UP035 - collections.abc's cannot be subscripted on Python 3.8

from marketplace.launch.browser import find_chromium
from marketplace.launch.console import LaunchError, complain, quietly, say
from marketplace.launch.node import node_environment
from marketplace.launch.stamps import Stamps, digest

ROOT = Path(__file__).resolve().parents[2]
OLDEST_PYTHON = (3, 11)
NEWER_PYTHONS = ("python3.13", "python3.12", "python3.11")
PACKAGES = ("marketplace", "spaces", "bookings", "partners")
NETWORK_ADVICE = "Is the network reachable?"


def main(arguments: list[str]) -> int:
    try:
        use_new_enough_python(arguments)
        prepare(ROOT)
        if "--for-tests" in arguments:
            find_chromium(install=True)
    except LaunchError as error:
        complain(error)
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


def prepare(root: Path) -> None:
    """Do every step that is due, one process at a time per checkout."""
    with one_at_a_time(root):
        stamps = Stamps(root / ".venv" / ".stamps")
        environment(root, stamps)
        packages(root, stamps)
        front_end(root, stamps)
        translations(root, stamps)


def use_new_enough_python(arguments: list[str]) -> None:
    """Go on in a newer Python where this one is too old. Raises LaunchError when there is none."""
    if sys.version_info >= OLDEST_PYTHON:
        return
    for name in NEWER_PYTHONS:
        found = shutil.which(name)
        if found and starts(found):
            os.chdir(str(ROOT))
            os.execv(found, [found, "-m", "marketplace.launch.prepare", *arguments])  # noqa: S606 - no shell is meant
    needed, ours = ".".join(map(str, OLDEST_PYTHON)), ".".join(map(str, sys.version_info[:2]))
    raise LaunchError(
        f"Tilaa needs Python {needed} or newer; this is Python {ours} and no newer one is on PATH."
    )


def starts(program: str) -> bool:
    """Whether a program answers at all: a version manager's stand-in may lead nowhere."""
    try:
        return not subprocess.call(
            [program, "--version"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
    except OSError:
        return False


@contextlib.contextmanager
def one_at_a_time(root: Path) -> Iterator[None]:
    """Wait for another preparation of the same checkout, such as `make check` beside `make test`."""
    (root / "instance").mkdir(exist_ok=True)
    with (root / "instance" / "prepare.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say("Waiting for another preparation of this folder")
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def environment(root: Path, stamps: Stamps) -> None:
    """Make .venv, anew where it is half made, of another folder or of a Python that has gone."""
    folder = root / ".venv"
    wanted = digest(root, [], str(root))
    if stamps.current("environment", wanted) and (folder / "bin" / "python").exists():
        return
    say("Creating the Python environment in .venv")
    if folder.is_symlink():
        folder.unlink()
    elif folder.exists():
        shutil.rmtree(str(folder))
    with stamps.renewing("environment", wanted):
        uv = uv_of_machine()
        if uv:
            command = [uv, "venv", "--python", sys.executable, str(folder)]
        else:
            require_venv()
            command = [sys.executable, "-m", "venv", str(folder)]
        quietly(command, "Creating the Python environment", cwd=root)


def require_venv() -> None:
    if importlib.util.find_spec("venv") is None or importlib.util.find_spec("ensurepip") is None:
        raise LaunchError(
            "This Python cannot make environments: install its venv (Debian: apt install python3-venv)."
        )


def packages(root: Path, stamps: Stamps) -> None:
    """Make the installed packages those of requirements.lock, by hash."""
    wanted = digest(root, [root / "requirements.lock"])
    if stamps.current("packages", wanted):
        return
    uv = find_uv(root)
    say("Installing the Python packages")
    with stamps.renewing("packages", wanted):
        sync = [uv, "pip", "sync", "--quiet", "--require-hashes", "--python", ".venv/bin/python"]
        quietly(
            [*sync, "requirements.lock"], "Installing the Python packages", cwd=root, advice=NETWORK_ADVICE
        )


def find_uv(root: Path) -> str:
    """The machine's uv, or one installed into the environment."""
    own = root / ".venv" / "bin" / "uv"
    found = uv_of_machine()
    if found:
        return found
    if not starts(str(own)):
        say("Installing uv, the package installer")
        pip = [str(root / ".venv" / "bin" / "python"), "-m", "pip", "install", "--quiet"]
        quietly([*pip, "--disable-pip-version-check", "uv"], "Installing uv", cwd=root, advice=NETWORK_ADVICE)
    return str(own)


def uv_of_machine() -> str | None:
    found = shutil.which("uv")
    return found if found and starts(found) else None


def front_end(root: Path, stamps: Stamps) -> None:
    """Install the npm packages and build scripts and styles into marketplace/static/dist."""
    lock, built = root / "package-lock.json", root / "marketplace" / "static" / "dist" / "manifest.json"
    modules = digest(root, [lock, root / ".npmrc"])
    bundle = digest(root, [lock, root / "package.json", root / "marketplace" / "assets"])
    modules_due = not stamps.current("modules", modules) or not (root / "node_modules").exists()
    bundle_due = not stamps.current("bundle", bundle) or not built.exists()
    if not modules_due and not bundle_due:
        return
    env = node_environment(root, find_uv(root))
    npm = shutil.which("npm", path=env["PATH"]) or "npm"
    if modules_due:
        say("Installing the front end's packages")
        with stamps.renewing("modules", modules):
            quietly(
                [npm, "ci", "--no-audit", "--no-fund"],
                "Installing the front end's packages",
                cwd=root,
                env=env,
                advice=NETWORK_ADVICE,
            )
    say("Building the front end")
    with stamps.renewing("bundle", bundle):
        quietly([npm, "run", "build"], "Building the front end", cwd=root, env=env)


def translations(root: Path, stamps: Stamps) -> None:
    """Compile the translation catalogues where one changed or has no compiled file."""
    catalogues = sorted(po for package in PACKAGES for po in (root / package).glob("translations/*/*/*.po"))
    wanted = digest(root, catalogues)
    if stamps.current("translations", wanted) and all(po.with_suffix(".mo").exists() for po in catalogues):
        return
    say("Compiling the translations")
    with stamps.renewing("translations", wanted):
        compile_all = [str(root / ".venv" / "bin" / "flask"), "--app", "wsgi", "translations", "compile"]
        quietly(compile_all, "Compiling the translations", cwd=root, env=neutral_environment())


def neutral_environment() -> dict[str, str]:
    """The environment without this machine's MARKETPLACE_* settings: a build does not depend on them."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("MARKETPLACE_")}
    return {**kept, "MARKETPLACE_ENV": "test"}


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
