"""Find a Chromium for the browser tests, or say in one sentence what to do."""

from __future__ import annotations  # see console.py

import os
import shutil
import sys
from pathlib import Path
from typing import Mapping  # noqa: UP035 - collections.abc's cannot be subscripted on Python 3.8

from marketplace.launch.console import LaunchError, quietly, say

PROGRAMS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
MAC_PROGRAMS = (
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
)
PLAYWRIGHT_FOLDERS = ("~/.cache/ms-playwright", "~/Library/Caches/ms-playwright")
PLAYWRIGHT_PATTERNS = ("chromium-*/chrome-linux*/chrome", "chromium-*/chrome-mac*/*.app/Contents/MacOS/*")
ADVICE = (
    "The browser tests need a Chromium: install your system's package (Debian: apt install chromium), "
    "or run `.venv/bin/playwright install chromium`, or set MARKETPLACE_CHROMIUM to its path."
)


def find_chromium(*, install: bool = False, environ: Mapping[str, str] = os.environ) -> Path:
    """Path of a Chromium; with `install`, Debian's package is installed where there is none and we are root.

    Raises LaunchError saying what to do.
    """
    if "MARKETPLACE_CHROMIUM" in environ:
        chosen = Path(environ["MARKETPLACE_CHROMIUM"])
        if os.access(str(chosen), os.X_OK) and chosen.is_file():
            return chosen
        raise LaunchError(f"MARKETPLACE_CHROMIUM names {chosen}, which is not a program that can be started.")
    found = system_chromium(environ) or playwright_chromium(environ)
    if found is None and install and may_install(environ):
        say("Installing Chromium for the browser tests (Debian's package)")
        install_chromium()
        found = system_chromium(environ)
    if found is None:
        raise LaunchError(ADVICE)
    return found


def system_chromium(environ: Mapping[str, str]) -> Path | None:
    path = environ.get("PATH", os.defpath)
    names = PROGRAMS + (MAC_PROGRAMS if sys.platform == "darwin" else ())
    return next((Path(found) for found in (shutil.which(name, path=path) for name in names) if found), None)


def playwright_chromium(environ: Mapping[str, str]) -> Path | None:
    """The newest Chromium that Playwright has downloaded."""
    chosen = environ.get("PLAYWRIGHT_BROWSERS_PATH")
    home = environ.get("HOME", "")
    folders = [chosen] if chosen else [folder.replace("~", home, 1) for folder in PLAYWRIGHT_FOLDERS]
    found = [
        path for folder in folders for pattern in PLAYWRIGHT_PATTERNS for path in Path(folder).glob(pattern)
    ]
    return max(found, default=None, key=build_number)


def build_number(path: Path) -> int:
    """1187 of .../chromium-1187/chrome-linux/chrome; 0 where there is none."""
    name = next((part for part in path.parts if part.startswith("chromium-")), "")
    number = name.rpartition("-")[2]
    return int(number) if number.isdigit() else 0


def may_install(environ: Mapping[str, str]) -> bool:
    return os.geteuid() == 0 and shutil.which("apt-get", path=environ.get("PATH", os.defpath)) is not None


def install_chromium() -> None:
    env = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    for command in (
        ["apt-get", "update"],
        ["apt-get", "install", "--yes", "--no-install-recommends", "chromium"],
    ):
        quietly(command, "Installing Chromium", cwd=Path("/"), env=env, advice=ADVICE)
