"""CSV and XLSX as lists of records: one dictionary per row, with the column names of the first line as keys.

A cell that is empty is None; a row with more cells than the first line has {"": reason} in its place, which the reader
refuses by name.
"""

import csv
import io
import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from marketplace.spreadsheets import harmless
from spaces.transfer.cells import cell_text, checked_header, original
from spaces.transfer.errors import FileRefused
from spaces.transfer.limits import MAX_CELL, MAX_COLUMNS, MAX_ROWS, check_zip

DELIMITERS = (";", ",", "\t")
SHEET = "spaces"
# Excel's own limit for the text of one cell.
XLSX_CELL = 32_767
CONTROLS = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f]")
TOO_LONG = "has more cells than the first line has columns"


def csv_records(text: str, name: str) -> list[dict[str, Any]]:
    """Raises FileRefused. The delimiter is the one of ; , and tab that the first line has most of."""
    first = text.partition("\n")[0]
    delimiter = max(DELIMITERS, key=first.count)
    previous = csv.field_size_limit(MAX_CELL)
    try:
        return records(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True), name)
    except csv.Error as error:
        raise FileRefused(f"{name} is not CSV: {error}.") from error
    finally:
        csv.field_size_limit(previous)


def xlsx_records(content: bytes, name: str) -> list[dict[str, Any]]:
    """The rows of the sheet "spaces", else of the first sheet. Raises FileRefused."""
    import openpyxl  # noqa: PLC0415 - half a second that only this format needs

    check_zip(content, name)
    try:
        book = openpyxl.load_workbook(io.BytesIO(content), read_only=True, data_only=True)
        try:
            sheet: Any = book[SHEET] if SHEET in book.sheetnames else book.worksheets[0]
            # The size that a sheet declares may be a million rows of nothing.
            sheet.reset_dimensions()
            return records(sheet.iter_rows(values_only=True, max_col=MAX_COLUMNS), name)
        finally:
            book.close()
    except FileRefused:
        raise
    except Exception as error:  # openpyxl raises whatever the broken XML leads to
        raise FileRefused(
            f"{name} is no workbook that can be read ({type(error).__name__}: {str(error)[:80]})."
        ) from error


def records(rows: Iterable[Sequence[Any]], name: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    header: list[str] | None = None
    for at, row in enumerate(rows, start=1):
        if at > MAX_ROWS:
            raise FileRefused(f"{name} has more than {MAX_ROWS} rows.")
        if header is None:
            if len(row) > MAX_COLUMNS:
                raise FileRefused(f"{name} has more than {MAX_COLUMNS} columns.")
            try:
                header = checked_header(row)
            except ValueError as error:
                raise FileRefused(f"{name} is no table of places: {error}.") from error
            continue
        values = [original(cell) if isinstance(cell, str) else cell for cell in row]
        values = [None if cell == "" else cell for cell in values]
        if not any(value is not None for value in values):
            continue
        if any(value is not None for value in values[len(header) :]):
            found.append({"": TOO_LONG, "row": at})
            continue
        record = {key: value for key, value in zip(header, values, strict=False) if key}
        found.append(record | {"row": at})
    return found


def write_csv(path: Path, columns: Sequence[str], rows: Iterator[dict[str, Any]]) -> int:
    """UTF-8 with a byte order mark, which Excel needs to see the letters, and commas."""
    count = 0
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(columns)
        for row in rows:
            writer.writerow([printed(row.get(column)) for column in columns])
            count += 1
    return count


def write_xlsx(path: Path, columns: Sequence[str], rows: Iterator[dict[str, Any]]) -> int:
    """One sheet, row by row. A text longer than a cell may be is left out, which an import takes for "not told"."""
    import openpyxl  # noqa: PLC0415 - as above

    book = openpyxl.Workbook(write_only=True)
    sheet = book.create_sheet(SHEET)
    sheet.freeze_panes = "A2"
    sheet.append(list(columns))
    count = 0
    for row in rows:
        cells = [row.get(column) for column in columns]
        sheet.append([harmless(cell) if isinstance(cell, str) else cell for cell in cells_fitting(cells)])
        count += 1
    book.save(path)
    return count


def cells_fitting(cells: Iterable[Any]) -> Iterator[Any]:
    for cell in cells:
        if isinstance(cell, str):
            # XML has no way to write most control characters.
            yield None if len(cell) >= XLSX_CELL else CONTROLS.sub("", cell)
        else:
            yield cell


def printed(value: Any) -> str:
    return harmless(value) if isinstance(value, str) else cell_text(value)
