"""How large a file may be, before and after it is unpacked; what is larger is refused before it fills the memory."""

import gzip
import zipfile
import zlib
from io import BytesIO
from pathlib import Path

from spaces.transfer.errors import FileRefused

MB = 1024 * 1024
MAX_FILE = 256 * MB
MAX_UNPACKED = 512 * MB
# A workbook is XML in a zip: 20,000 places with texts in three languages unpack to about 60 MB.
MAX_WORKBOOK = 200 * MB
MAX_PARTS = 1000
MAX_ROWS = 200_000
MAX_COLUMNS = 300
MAX_CELL = 2 * MB
CHUNK = MB


def read_content(path: Path) -> bytes:
    """The bytes of a file, unpacked where it is gzipped. Raises FileRefused with one sentence."""
    try:
        size = path.stat().st_size
        if size > MAX_FILE:
            raise FileRefused(
                f"{path.name} has {size // MB} MB; files of more than {MAX_FILE // MB} MB are not read."
            )
        content = path.read_bytes()
        if content[:2] == b"\x1f\x8b":
            content = unpacked(content, path.name)
    except (OSError, EOFError, zlib.error) as error:
        raise FileRefused(f"{path.name} cannot be read: {error}.") from error
    return content


def unpacked(content: bytes, name: str) -> bytes:
    parts: list[bytes] = []
    total = 0
    with gzip.open(BytesIO(content)) as stream:
        while part := stream.read(CHUNK):
            total += len(part)
            if total > MAX_UNPACKED:
                raise FileRefused(
                    f"{name} unpacks to more than {MAX_UNPACKED // MB} MB, from {len(content) // 1024 or 1} KB; "
                    "it is not read."
                )
            parts.append(part)
    return b"".join(parts)


def check_zip(content: bytes, name: str) -> None:
    """Refuse a workbook that would unpack to too much. The sizes that a zip declares bound what can be read from it."""
    try:
        with zipfile.ZipFile(BytesIO(content)) as archive:
            parts = archive.infolist()
    except (zipfile.BadZipFile, ValueError, OSError) as error:
        raise FileRefused(f"{name} is a damaged workbook: {error}.") from error
    total = sum(part.file_size for part in parts)
    if total > MAX_WORKBOOK or len(parts) > MAX_PARTS:
        raise FileRefused(
            f"{name} unpacks to {total // MB} MB in {len(parts)} parts, from {len(content) // 1024 or 1} KB; a workbook "
            f"may have {MAX_WORKBOOK // MB} MB in {MAX_PARTS} parts."
        )
    if any(part.flag_bits & 0x1 for part in parts):
        raise FileRefused(f"{name} is protected by a password; save it without one.")
