"""Files in a folder, for one machine or a shared disk."""

import json
import os
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from tempfile import NamedTemporaryFile

from marketplace.files.port import FileMissing, FilesAway, StoredFile, checked, checked_prefix

# A file begins with one line of JSON about it, so that what it is can never be lost or changed apart from it.
LONGEST_HEAD = 1024


class DiskStore:
    """Keeps files under `folder`, which is made when the first one comes."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def path(self, key: str) -> Path:
        return self.folder / checked(key)

    def put(self, key: str, data: bytes, content_type: str) -> None:
        path = self.path(key)
        head = json.dumps({"content_type": content_type}).encode() + b"\n"
        if len(head) > LONGEST_HEAD:
            raise ValueError("the content type is too long")
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            # A dot cannot begin a key, so a half-written file is never taken for one.
            with NamedTemporaryFile(dir=path.parent, prefix=".new-", delete=False) as new:
                try:
                    new.write(head)
                    new.write(data)
                    new.flush()
                    os.fsync(new.fileno())
                    os.replace(new.name, path)  # noqa: PTH105 - the whole file appears at once
                except BaseException:
                    Path(new.name).unlink(missing_ok=True)
                    raise
        except OSError as error:
            raise FilesAway from error

    def get(self, key: str) -> StoredFile:
        try:
            with self.path(key).open("rb") as file:
                head = json.loads(file.readline(LONGEST_HEAD))
                return StoredFile(file.read(), head["content_type"])
        except (FileNotFoundError, IsADirectoryError, NotADirectoryError):
            raise FileMissing(key) from None
        except OSError as error:
            raise FilesAway from error

    def exists(self, key: str) -> bool:
        return self.path(key).is_file()

    def delete(self, key: str) -> None:
        path = self.path(key)
        try:
            path.unlink(missing_ok=True)
        except OSError as error:
            raise FilesAway from error

    def keys(self, prefix: str, *, before: datetime) -> Iterator[str]:
        for folder, _, names in os.walk(self.folder / checked_prefix(prefix)):
            for name in names:
                path = Path(folder, name)
                with suppress(FileNotFoundError):  # somebody was faster
                    if datetime.fromtimestamp(path.stat().st_mtime, UTC) >= before:
                        continue
                    if name.startswith(".new-"):  # left by a process that was killed in the middle
                        path.unlink()
                        continue
                    yield path.relative_to(self.folder).as_posix()
