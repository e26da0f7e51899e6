"""The day sheets of an asked window as SQL: which spaces have a free stretch that is long enough on any of its days.

A sheet has a word of 48 half hours for each day. The asked part of as many days as fit is packed into one word of 63
bits, with a bit of nothing between two days so that no stretch passes from one to the next; then a run of k free half
hours is found in all of them by log2(k) shift-ands. Evenings of two weeks are two words.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from spaces.calendar.rules import has_change, window_mask
from spaces.search.question import clock_instant

WORD_BITS = 63  # of PostgreSQL's bigint, whose highest bit is a sign


@dataclass(frozen=True)
class Window:
    """The same part of one or more local days: minutes of the wall clock from midnight, 0 <= start < end <= 1440."""

    days: Sequence[date]
    start_minute: int
    end_minute: int

    @property
    def first_slot(self) -> int:
        return self.start_minute // 30

    @property
    def slots(self) -> int:
        """The half hours that it touches on a day; no run is longer."""
        return -(-self.end_minute // 30) - self.first_slot

    @property
    def months(self) -> list[date]:
        return sorted({day.replace(day=1) for day in self.days})

    def slack(self, zone: ZoneInfo) -> int:
        """Half hours that a wall clock may hide: an autumn night has an hour more than it shows. One such day in the
        window makes all of it as lenient; the sheets only rule out."""
        return 2 if any(has_change(day, zone) for day in self.days) else 0

    def words(self) -> list[list[tuple[int, int]]]:
        """The days by word: (number of the day in `days`, place of its lowest bit)."""
        stride = self.slots + 1
        fit = max(1, WORD_BITS // stride)
        numbered = list(range(len(self.days)))
        return [
            [(n, stride * at) for at, n in enumerate(numbered[first : first + fit])]
            for first in range(0, max(1, len(numbered)), fit)
        ]


def window_sql(
    base: str, columns: str, window: Window, zone: ZoneInfo, *, now: datetime | None
) -> tuple[str, dict[str, Any]]:
    """SQL that adds to the rows of `base` whether the window has room (`is_free`) and how soon (`soonest`, smaller is
    sooner), and its parameters.

    `base` gives city_id, id, k (half hours that are needed), notice_minutes and horizon_days beside `columns`. With
    `now`, what a notice or a horizon keeps from being booked then does not count.
    """
    values: dict[str, Any] = {
        "mask": window_mask(window.start_minute, window.end_minute),
        "first_slot": window.first_slot,
    }
    joins = []
    for n, month in enumerate(window.months):
        values[f"month{n}"] = month
        joins.append(
            f"LEFT JOIN day_sheet d{n} ON d{n}.city_id = b.city_id AND d{n}.month = :month{n} AND d{n}.space_id = b.id"
        )
    packed = []
    for word in window.words():
        days = [shifted(day_sql(n, window, zone, values, now=now), place, values) for n, place in word]
        packed.append(" | ".join(days) or "0::bigint")  # no day is none of the weekdays
    names = [f"w{n}" for n in range(len(packed))]
    sql = (
        f"SELECT {columns}, k, {', '.join(f'{days} AS {name}' for days, name in zip(packed, names, strict=True))}"
        f" FROM ({base}) b {' '.join(joins)} OFFSET 0"
    )
    width = 1
    while width < window.slots:
        step = f"greatest(0, least({width}, k - {width}))"
        runs = ", ".join(f"{name} & ({name} >> {step}) AS {name}" for name in names)
        sql = f"SELECT {columns}, k, {runs} FROM ({sql}) b OFFSET 0"
        width *= 2
    found = " | ".join(names)
    # The lowest bit of the first word that has any: words are 64 apart, and within one a later bit is a later start.
    soonest = " ".join(
        f"WHEN {name} <> 0 THEN {64 * n} + ln(({name} & -{name})::float8)" for n, name in enumerate(names)
    )
    return (
        f"SELECT {columns}, ({found}) <> 0 AND k <= {window.slots} AS is_free, CASE {soonest} END AS soonest FROM ({sql}) b",
        values,
    )


def day_sql(n: int, window: Window, zone: ZoneInfo, values: dict[str, Any], *, now: datetime | None) -> str:
    """The free half hours of one day of the window, from its lowest bit; adds the parameters that it needs."""
    day = window.days[n]
    values[f"day{n}"] = day.day
    month = window.months.index(day.replace(day=1))
    bits = f"(coalesce(d{month}.free[:day{n}], 0) & CAST(:mask AS bigint)) >> :first_slot"
    if now is None:
        return bits
    ends = clock_instant(day, window.end_minute, zone)
    values[f"ahead{n}"] = max(0, (ends - now) // timedelta(minutes=1))
    values[f"days{n}"] = (day - now.astimezone(zone).date()).days
    return f"CASE WHEN b.notice_minutes <= :ahead{n} AND b.horizon_days >= :days{n} THEN {bits} ELSE 0 END"


def shifted(bits: str, place: int, values: dict[str, Any]) -> str:
    if not place:
        return f"({bits})"
    values[f"place{place}"] = place
    return f"(({bits}) << :place{place})"
