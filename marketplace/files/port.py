"""What every store of files can do, and the one that this process uses.

A key is made by the program and never by a person: letters a-z, digits and hyphens in at most six parts, with one ending.
No key climbs out of the store, and none depends on a name that somebody gave a file.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from marketplace.errors import N_, Unavailable

KEY = re.compile(r"[a-z0-9][a-z0-9-]{0,63}(?:/[a-z0-9][a-z0-9-]{0,63}){0,5}(?:\.[a-z0-9]{1,8})?")
PREFIX = re.compile(r"(?:[a-z0-9][a-z0-9-]{0,63}/){1,5}")


class FilesAway(Unavailable):
    """The store does not answer, or has no room."""

    code = "files-away"
    title = N_("Files cannot be stored or fetched just now. Try again in a moment.")


class FileMissing(LookupError):
    """The store has no file of this key."""


@dataclass(frozen=True)
class StoredFile:
    """A whole file, and what kind of content its writer said it is."""

    data: bytes
    content_type: str


class FileStore(Protocol):
    """Whole files by key. Each call may wait for the network: never make one inside a transaction.

    All raise ValueError for a key that is not one, and FilesAway where the store does not do its work.
    """

    def put(self, key: str, data: bytes, content_type: str) -> None:
        """Keep the file, whole or not at all; one of the same key is replaced."""

    def get(self, key: str) -> StoredFile:
        """Raises FileMissing."""

    def exists(self, key: str) -> bool: ...

    def delete(self, key: str) -> None:
        """Forget the file; harmless where there is none."""

    def keys(self, prefix: str, *, before: datetime) -> Iterator[str]:
        """The keys that begin with `prefix` ("photos/") and were last written before the moment, in no promised order."""


def checked(key: str) -> str:
    """The key. Raises ValueError for anything that this program would not have made."""
    if KEY.fullmatch(key) is None:
        raise ValueError(f"not a key of a stored file: {key[:200]!r}")
    return key


def checked_prefix(prefix: str) -> str:
    """The prefix, whole parts with a slash behind. Raises ValueError."""
    if PREFIX.fullmatch(prefix) is None:
        raise ValueError(f"not a prefix of stored files: {prefix[:200]!r}")
    return prefix


_store: FileStore | None = None


def bind(store: FileStore) -> None:
    """Name the store of this process (tests: a folder of their own)."""
    global _store  # noqa: PLW0603 - one process serves one application
    _store = store


def file_store() -> FileStore:
    """The store that the settings name."""
    if _store is None:
        raise RuntimeError("no store of files is bound")
    return _store
