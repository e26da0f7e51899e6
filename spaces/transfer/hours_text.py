"""Opening hours in one cell of a table, as people write them.

Weekly hours, one stretch after another with semicolons between:

    mo-fr 08:00-22:00; sa,su 10:00-18:00
    2026-06-01..2026-08-31 mo-su 08:00-24:00 priority=1
    fr 18:00-02:00 weeks=odd; su 10:00-14:00 nth=-1 state=self_service

A stretch that closes at or before it opens ends on the next day; 00:00-24:00 is the whole day. An open end of the dates
is left out (2026-06-01..). `never` means no hours at all; an empty cell tells nothing. Exceptions, likewise:

    2026-12-24..2026-12-26 closed | fi=Joulu | sv=Jul; 2026-12-31 10:00-14:00
"""

import re
from collections.abc import Iterable
from datetime import date, time

from spaces.transfer.cells import joined, parts
from spaces.transfer.errors import RecordBroken
from spaces.transfer.listing import EVERY_DAY, Exceptional, Hours
from spaces.transfer.text import LANGUAGES

NEVER = "never"
WEEKDAYS = ("mo", "tu", "we", "th", "fr", "sa", "su")
OPTIONS = ("state", "weeks", "nth", "priority")
DATES = re.compile(r"^(\d{4}-\d{2}-\d{2})?(\.\.)?(\d{4}-\d{2}-\d{2})?$")
TIMES = re.compile(r"^(\d{1,2})[:.](\d{2})\s*[-–]\s*(\d{1,2})[:.](\d{2})$")


def hours_text(hours: Iterable[Hours]) -> str:
    return joined(hours_order(rule) for rule in hours) or NEVER


def hours_order(rule: Hours) -> str:
    words = [dates_text(rule.valid_from, rule.valid_to)] if rule.valid_from or rule.valid_to else []
    words += [days_text(rule.days), times_text(rule.opens, rule.closes)]
    words += [f"state={rule.state}"] if rule.state != "open" else []
    words += [f"weeks={rule.weeks}"] if rule.weeks != "all" else []
    words += [f"nth={rule.nth}"] if rule.nth is not None else []
    words += [f"priority={rule.priority}"] if rule.priority else []
    return " ".join(words)


def days_text(days: Iterable[int]) -> str:
    """mo-fr,su: runs of three or more are joined."""
    found: list[str] = []
    runs: list[list[int]] = []
    for day in sorted(days):
        if runs and runs[-1][-1] == day - 1:
            runs[-1].append(day)
        else:
            runs.append([day])
    for run in runs:
        names = [WEEKDAYS[day - 1] for day in run]
        found += [f"{names[0]}-{names[-1]}"] if len(run) > 2 else names
    return ",".join(found)


def times_text(opens: time, closes: time) -> str:
    end = "24:00" if closes == time(0) else clock_text(closes)
    return f"{clock_text(opens)}-{end}"


def clock_text(at: time) -> str:
    return f"{at:%H:%M}"


def dates_text(first: date | None, last: date | None) -> str:
    if first == last and first is not None:
        return first.isoformat()
    return f"{first.isoformat() if first else ''}..{last.isoformat() if last else ''}"


def exceptions_text(exceptions: Iterable[Exceptional]) -> str:
    return joined(exception_order(one) for one in exceptions)


def exception_order(one: Exceptional) -> str:
    told = "closed" if one.opens is None or one.closes is None else times_text(one.opens, one.closes)
    state = f" state={one.state}" if one.state != "open" else ""
    reasons = [
        f"{language}={reason.replace('|', '/')}" for language, reason in sorted(one.reasons.items()) if reason
    ]
    return " | ".join([f"{dates_text(one.first_day, one.last_day)} {told}{state}", *reasons])


def read_hours(text: str) -> tuple[Hours, ...] | None:
    """None where the cell tells nothing. Raises RecordBroken for the field "hours"."""
    if text.strip().lower() == NEVER:
        return ()
    rules = tuple(one_rule(part) for part in parts(text.replace("\n", ";")) if part)
    return rules or None


def one_rule(part: str) -> Hours:
    words = part.lower().split()
    given: dict[str, str] = {}
    while words and "=" in words[-1]:
        name, _, value = words.pop().partition("=")
        if name not in OPTIONS:
            raise RecordBroken("hours", f"{name!r} in {part!r} is none of {', '.join(OPTIONS)}")
        given[name] = value
    first = last = None
    if words and (words[0][:1].isdigit() or words[0].startswith("..")) and not TIMES.match(words[0]):
        first, last = read_dates("hours", words.pop(0))
    if len(words) == 1:
        words.insert(0, "mo-su")
    if len(words) != 2:
        raise RecordBroken("hours", f"{part!r} is not like mo-fr 08:00-22:00")
    opens, closes = read_times("hours", words[1])
    try:
        return Hours(
            read_days(words[0]), opens, closes, first, last,
            weeks=given.get("weeks", "all"),
            nth=int(given["nth"]) if "nth" in given else None,
            state=given.get("state", "open"),
            priority=int(given.get("priority", 0)),
        )  # fmt: skip
    except ValueError:
        raise RecordBroken("hours", f"{part!r} has a number that is none") from None


def read_exceptions(text: str) -> tuple[Exceptional, ...]:
    """Raises RecordBroken for the field "exceptions"."""
    return tuple(one_exception(part) for part in parts(text.replace("\n", ";")) if part)


def one_exception(part: str) -> Exceptional:
    told, *reasons = (piece.strip() for piece in part.split("|"))
    words = told.split()
    state = words.pop().partition("=")[2] if words and words[-1].startswith("state=") else "open"
    if len(words) != 2:
        raise RecordBroken("exceptions", f"{part!r} is not like 2026-12-24..2026-12-26 closed")
    first, last = read_dates("exceptions", words[0])
    if first is None or last is None:
        raise RecordBroken("exceptions", f"{words[0]!r} has no first or no last day")
    opens, closes = (None, None) if words[1].lower() == "closed" else read_times("exceptions", words[1])
    texts = dict(piece.split("=", 1) for piece in reasons if piece.partition("=")[0] in LANGUAGES)
    return Exceptional(first, last, opens, closes, state, reasons=texts)


def read_days(text: str) -> tuple[int, ...]:
    found: set[int] = set()
    for piece in text.split(","):
        first, dash, last = piece.partition("-")
        if first not in WEEKDAYS or (dash and last not in WEEKDAYS):
            raise RecordBroken("hours", f"{piece!r} is no weekday; they are {' '.join(WEEKDAYS)}")
        start, end = WEEKDAYS.index(first) + 1, WEEKDAYS.index(last or first) + 1
        found |= set(range(start, end + 1)) if start <= end else {*range(start, 8), *range(1, end + 1)}
    return tuple(day for day in EVERY_DAY if day in found)


def read_times(field: str, text: str) -> tuple[time, time]:
    match = TIMES.match(text)
    try:
        hour, minute, last_hour, last_minute = map(int, match.groups()) if match else (99,) * 4
        return time(hour, minute), time(0 if (last_hour, last_minute) == (24, 0) else last_hour, last_minute)
    except ValueError:
        raise RecordBroken(field, f"{text!r} are no times such as 08:00-22:00") from None


def read_dates(field: str, text: str) -> tuple[date | None, date | None]:
    match = DATES.match(text)
    told = match.groups() if match else (None, None, None)
    try:
        first, last = (date.fromisoformat(one) if one else None for one in (told[0], told[2]))
    except ValueError:
        first = last = None
    if first is None and last is None:
        raise RecordBroken(field, f"{text!r} are no dates such as 2026-06-01..2026-08-31")
    return first, first if first and not told[1] else last
