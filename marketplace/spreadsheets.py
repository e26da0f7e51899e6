"""Tables as files that a spreadsheet opens, where no cell is ever run as a formula."""

import csv
import io
from collections.abc import Iterable, Sequence

CSV = "text/csv; charset=utf-8"  # the media type of `csv_text`
DANGEROUS = "=+-@\t\r"


def harmless(text: str) -> str:
    """The text with an apostrophe before what a spreadsheet would take for a formula."""
    return f"'{text}" if text[:1] in {*DANGEROUS, "'"} and text else text


def amount(minor: int) -> str:
    """Minor units as a plain number with a comma and two decimals, as offices here read it: 13,50, -0,05."""
    return f"{'-' if minor < 0 else ''}{abs(minor) // 100},{abs(minor) % 100:02d}"


def csv_text(header: Sequence[str], rows: Iterable[Sequence[str | int | None]]) -> str:
    """CSV with semicolons and a byte order mark, as spreadsheets of this country open it.

    Whole numbers are amounts in minor units and are written by `amount`; texts are made `harmless`; None is an empty cell.
    """
    out = io.StringIO(newline="")
    writer = csv.writer(out, delimiter=";")
    writer.writerow([harmless(title) for title in header])
    for row in rows:
        writer.writerow([cell(value) for value in row])
    return "\ufeff" + out.getvalue()


def cell(value: str | int | None) -> str:
    """What stands in the file for a value of `csv_text`."""
    if value is None:
        return ""
    return amount(value) if isinstance(value, int) else harmless(value)
