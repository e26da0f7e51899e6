"""Texts of other systems made plain: no tags, entities, soft hyphens or control characters."""

import math
import re
from collections.abc import Mapping
from html.parser import HTMLParser
from typing import Any

from spaces.transfer.errors import RecordBroken

BLOCKS = frozenset("p div ul ol table tr h1 h2 h3 h4 h5 h6 section article blockquote".split())
# Soft hyphens, zero-width characters and all control characters but the line's end and the tab.
INVISIBLE: dict[int, str | None] = {
    **dict.fromkeys([0x00AD, 0x200B, 0x200C, 0x2060, 0xFEFF]),
    **dict.fromkeys([code for code in (*range(0x20), *range(0x7F, 0xA0)) if chr(code) not in "\n\t"]),
    0x00A0: " ",
}
LOOKS_LIKE_HTML = re.compile(r"<[a-zA-Z/!][^>]*>|&(?:[a-zA-Z]{2,8}|#\d{1,6}|#x[0-9a-fA-F]{1,6});")
LONGEST = 10_000
LANGUAGES = ("fi", "sv", "en")


class _Plain(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.parts: list[str] = []
        self.hidden = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in {"script", "style"}:
            self.hidden += 1
        elif tag == "br":
            self.parts.append("\n")
        elif tag == "li":
            self.parts.append("\n– ")
        elif tag in BLOCKS:
            self.parts.append("\n\n" if tag == "p" else "\n")

    def handle_endtag(self, tag: str) -> None:
        if tag in {"script", "style"}:
            self.hidden = max(0, self.hidden - 1)
        elif tag in BLOCKS:
            self.parts.append("\n\n" if tag == "p" else "\n")

    def handle_data(self, data: str) -> None:
        if not self.hidden:
            self.parts.append(data.replace("\r\n", " ").replace("\n", " ") if self.parts else data.lstrip())


def plain_text(value: str) -> str:
    """The text that a reader of the page would see, paragraphs kept; at most 10,000 characters."""
    text = value
    if ("<" in text or "&" in text) and LOOKS_LIKE_HTML.search(text):
        parser = _Plain()
        parser.feed(text)
        parser.close()
        text = "".join(parser.parts)
    text = text.replace("\r\n", "\n").replace("\r", "\n").translate(INVISIBLE)
    if "\n" in text:
        lines = [" ".join(line.split()) for line in text.split("\n")]
        text = re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip()
    else:
        text = " ".join(text.split())
    if len(text) > LONGEST:
        text = text[: LONGEST - 1].rsplit(" ", 1)[0] + "…"
    return text


def line_of(value: str) -> str:
    """A name or an address: plain, on one line, at most 300 characters."""
    return " ".join(plain_text(value).split())[:300]


def text_field(record: Mapping[str, Any], field: str) -> str:
    """A text of a record, plain; "" where the key is absent or null. A number is taken as its digits."""
    value = record.get(field)
    if value is None:
        return ""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise RecordBroken(field, f"should be text, not {kind_of(value)}")
    return plain_text(str(value))


def texts_of(record: Mapping[str, Any], pattern: str, *, one_line: bool = True) -> dict[str, str]:
    """The languages that exist of fields such as name_fi, name_sv, name_en; `pattern` has %s for the language."""
    texts = {}
    for language in LANGUAGES:
        text = text_field(record, pattern % language)
        text = line_of(text) if one_line else text
        if text:
            texts[language] = text
    return texts


def number_field(record: Mapping[str, Any], field: str) -> float | None:
    """A number, also when written as text with a point or comma; None where absent."""
    value = record.get(field)
    if value is None or value == "":
        return None
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise RecordBroken(field, f"should be a number, not {kind_of(value)}")
    try:
        number = float(str(value).strip().replace(",", "."))
    except ValueError:
        raise RecordBroken(field, f"{str(value)[:40]!r} is not a number") from None
    if not math.isfinite(number):
        raise RecordBroken(field, f"{value!r} is not a number")
    return number


def count_field(record: Mapping[str, Any], field: str) -> int | None:
    """A whole number above zero; None where absent or zero."""
    number = number_field(record, field)
    if number is None or number == 0:
        return None
    if number < 0 or number != int(number):
        raise RecordBroken(field, f"{record.get(field)!r} is not a whole number above zero")
    return int(number)


def kind_of(value: Any) -> str:
    """A word for the JSON type of a value."""
    names = {dict: "an object", list: "a list", bool: "true or false", type(None): "null", str: "text"}
    return names.get(type(value), "a number")
