"""Cells of tables: lists and texts that survive a spreadsheet, and what a spreadsheet would run made harmless.

A spreadsheet takes a text that begins with = + - @ (or a tab or carriage return) for a formula. Such a text gets an
apostrophe in front when written, and so does one that begins with an apostrophe; reading takes one away again.
"""

import re
from collections.abc import Iterable, Sequence
from datetime import date, datetime, time
from typing import Any

from marketplace.spreadsheets import DANGEROUS


def original(text: str) -> str:
    """What `harmless` was given."""
    return text[1:] if len(text) > 1 and text[0] == "'" and text[1] in {*DANGEROUS, "'"} else text


def joined(values: Iterable[str]) -> str:
    """Values with "; " between; a semicolon or backslash inside one is written with a backslash before it."""
    return "; ".join(value.replace("\\", "\\\\").replace(";", "\\;") for value in values)


def parts(text: str) -> list[str]:
    """The values of a joined text; also of one with commas only, as people write lists of words."""
    found: list[str] = []
    current: list[str] = []
    escaped = False
    for character in text:
        if escaped:
            current.append(character)
            escaped = False
        elif character == "\\":
            escaped = True
        elif character == ";":
            found.append("".join(current).strip())
            current = []
        else:
            current.append(character)
    found.append("".join(current).strip())
    return found if found != [""] else []


def words(value: Any) -> list[str]:
    """Codes from a cell or a list: separated by semicolons or commas."""
    if isinstance(value, str):
        return [word.strip() for word in re.split(r"[;,\n]", value) if word.strip()]
    return [str(word).strip() for word in value if str(word).strip()]


def cell_text(value: Any) -> str:
    """What a cell says, as text: 8215.0 is 8215, a date is ISO 8601, true and false are lower case."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(value)
    if isinstance(value, datetime):
        return value.date().isoformat() if value.time() == time(0) else value.isoformat(sep=" ")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, time):
        return f"{value:%H:%M}"
    return str(value)


def checked_header(cells: Sequence[Any]) -> list[str]:
    """Column names, lower case; "" where a cell is empty. Raises ValueError with what is wrong."""
    names = [cell_text(cell).strip().lower().replace(" ", "_") for cell in cells]
    while names and not names[-1]:
        names.pop()
    if not any(names):
        raise ValueError("its first line names no columns")
    repeated = sorted({name for name in names if name and names.count(name) > 1})
    if repeated:
        raise ValueError(f"its first line names the column {repeated[0]!r} twice")
    return names
