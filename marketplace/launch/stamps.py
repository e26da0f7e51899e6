"""Remember by content what is done: a second run does nothing, an interrupted one starts over."""

from __future__ import annotations  # see console.py

import contextlib
import hashlib
from pathlib import Path
from typing import Iterable, Iterator  # noqa: UP035 - collections.abc's cannot be subscripted on Python 3.8


def digest(root: Path, paths: Iterable[Path], *facts: str) -> str:
    """Hash of the files' names and contents (folders: everything inside) and of further facts."""
    found = hashlib.sha256("\0".join(facts).encode())
    for path in paths:
        files = sorted(path.rglob("*")) if path.is_dir() else [path]
        for file in files:
            if file.is_file():
                found.update(f"\0{file.relative_to(root).as_posix()}\0".encode())
                found.update(hashlib.sha256(file.read_bytes()).digest())
    return found.hexdigest()


class Stamps:
    """Stamps of one checkout. They live in the environment and go when it goes."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def current(self, step: str, digest: str) -> bool:
        try:
            return (self.folder / step).read_text() == digest
        except OSError:
            return False

    @contextlib.contextmanager
    def renewing(self, step: str, digest: str) -> Iterator[None]:
        """Do the step inside; the stamp stands only when it ended well."""
        self.forget(step)
        yield
        self.folder.mkdir(parents=True, exist_ok=True)
        (self.folder / step).write_text(digest)

    def forget(self, step: str) -> None:
        with contextlib.suppress(FileNotFoundError):
            (self.folder / step).unlink()
