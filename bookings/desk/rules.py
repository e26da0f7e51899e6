"""Pure decisions of the desk: which part of the day is drawn, and what a notice on a door may say."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

FIRST_HOUR, LAST_HOUR = 7, 22


def shown_hours(spans: Iterable[tuple[float, float]]) -> tuple[int, int]:
    """The hours to draw, 7 to 22 or as much more as these spans of a day's hours need; never past midnight."""
    first, last = float(FIRST_HOUR), float(LAST_HOUR)
    for start, end in spans:
        first, last = min(first, start), max(last, end)
    return max(0, int(first)), min(24, -int(-last // 1))


@dataclass(frozen=True)
class DoorLabel:
    """What anyone may read of a booking: an organisation's name, or None for a private person's; the code of a purpose
    that was chosen from the list, or None for free text, which may name people."""

    organisation: str | None
    purpose: str | None


def door_label(
    *, organisation: str | None, purpose: str, is_certain: bool, known: Mapping[str, Collection[str]]
) -> DoorLabel:
    """`known` maps the codes of purposes to their texts in all languages. A request is not anybody's yet."""
    if not is_certain:
        return DoorLabel(None, None)
    chosen = purpose.strip().casefold()
    code = next(
        (code for code, texts in known.items() if chosen in {text.casefold() for text in texts}), None
    )
    return DoorLabel(organisation, code if organisation else None)
