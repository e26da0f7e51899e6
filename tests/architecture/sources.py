"""Our own source files, for guards that read them."""

import ast
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path

from marketplace.settings import ROOT

PACKAGES = ("marketplace", "spaces", "bookings", "partners")


def python_files() -> Iterator[Path]:
    for package in PACKAGES:
        yield from sorted((ROOT / package).rglob("*.py"))


@lru_cache(maxsize=1024)
def tree_of(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"), filename=str(path))


def templates() -> list[Path]:
    return sorted(
        path for package in PACKAGES for path in (ROOT / package / "templates").rglob("*") if path.is_file()
    )


def relative(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()
