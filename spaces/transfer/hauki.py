"""Date periods of Hauki, Helsinki's register of opening hours: `/v1/date_period/` lists, for places that are here.

Hauki's rule for a day: any period with `override` beats all without; among overriding ones the shortest wins, the
others merge; what passes midnight belongs to the day it begins on. The years are cut where a period begins or ends, and
each stretch gets the hours of the periods that win in it, so that no two periods here ever overlap.

States: open, with_key, with_reservation, open_and_reservable and with_key_and_reservation are open; self_service is
that; closed, maintenance, not_in_use and no_opening_hours are closed. An overriding stretch that is closed all through
becomes an exception with the period's name as its reason. All else is reported and left out.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, time, timedelta
from typing import Any

from spaces.transfer.documents import Document, named, record_object
from spaces.transfer.errors import Note, Problem, RecordBroken
from spaces.transfer.listing import EVERY_DAY, Exceptional, Hours, SpaceHours
from spaces.transfer.text import kind_of, line_of, text_field
from spaces.transfer.varaamo import entries, in_languages

DAY = timedelta(days=1)
STATES = {
    "open": "open", "self_service": "self_service", "with_key": "open", "with_reservation": "open",
    "open_and_reservable": "open", "with_key_and_reservation": "open",
    "closed": "closed", "maintenance": "closed", "not_in_use": "closed", "no_opening_hours": "closed",
}  # fmt: skip
# Open in some way that no booking rule here can say.
UNSAID = {"by_appointment", "enter_only", "exit_only", "weather_permitting"}
SUBJECTS = {"mon": 1, "tue": 2, "wed": 3, "thu": 4, "fri": 5, "sat": 6, "sun": 7}


@dataclass(frozen=True)
class Period:
    """One checked period: its dates, and its hours without dates."""

    where: str
    first: date | None
    last: date | None
    override: bool
    hours: tuple[Hours, ...]
    names: Mapping[str, str]

    @property
    def days(self) -> int:
        """How long it is; open-ended is longest."""
        if self.first is None or self.last is None:
            return 10**6
        return (self.last - self.first).days

    def covers(self, day: date) -> bool:
        return (self.first is None or self.first <= day) and (self.last is None or day <= self.last)


def read(document: Document) -> Iterator[SpaceHours | Problem | Note]:
    """The hours of each resource of the file; a resource with a broken period is left out, since the rest would be wrong."""
    resources: dict[str, list[Period]] = {}
    broken_resources: set[str] = set()
    for where, record in document.records():
        name = named(where, record, "id")
        target = ""
        try:
            record = record_object(record)  # noqa: PLW2901 - the same record, checked
            if record.get("is_removed") is True:
                continue
            target = resource_of(record)
            notes: list[Note] = []
            resources.setdefault(target, []).append(period(record, name, notes))
        except RecordBroken as broken:
            broken_resources.add(target)
            yield Problem(name, broken.field, broken.reason)
            continue
        yield from notes
    for target, periods in resources.items():
        if target in broken_resources:
            yield Problem(
                periods[0].where, "resource", f"{target} is left out, for one of its periods is broken"
            )
            continue
        hours, exceptions = resolved(periods)
        yield SpaceHours(target, hours, exceptions, periods[0].where)


def resource_of(record: Mapping[str, Any]) -> str:
    """Its id, a number or "tprek:8215"."""
    value = record.get("resource")
    if isinstance(value, Mapping):
        value = value.get("id")
    text = line_of(text_field({"resource": value}, "resource"))
    if not text:
        raise RecordBroken("resource", "is missing")
    return text


def period(record: Mapping[str, Any], where: str, notes: list[Note]) -> Period:
    first, last = day(record, "start_date"), day(record, "end_date")
    if first and last and last < first:
        raise RecordBroken("end_date", f"{last} is before {first}")
    own_state = line_of(text_field(record, "resource_state")) or "undefined"
    hours: list[Hours] = []
    spans = 0
    for group in entries(record, "time_span_groups"):
        if not isinstance(group, Mapping):
            raise RecordBroken("time_span_groups", f"should hold objects, not {kind_of(group)}")
        limits = group_rules(group, where, notes)
        for span in entries(group, "time_spans"):
            spans += 1
            if not isinstance(span, Mapping):
                raise RecordBroken("time_spans", f"should hold objects, not {kind_of(span)}")
            if limits is not None and (found := span_hours(span, own_state, where, notes)):
                hours += [narrowed for limit in limits if (narrowed := narrow(found, limit)) is not None]
    if not spans:
        state = known_state(own_state, where, notes)
        hours = [Hours(EVERY_DAY, time(0), time(0), state=state)] if state else []
    return Period(
        where, first, last, record.get("override") is True, tuple(hours), in_languages(record, "name")
    )


def span_hours(span: Mapping[str, Any], own_state: str, where: str, notes: list[Note]) -> Hours | None:
    told = line_of(text_field(span, "resource_state")) or "undefined"
    state = known_state(own_state if told == "undefined" else told, where, notes)
    if state is None:
        return None
    weekdays = entries(span, "weekdays") or list(EVERY_DAY)
    if not all(isinstance(one, int) and 1 <= one <= 7 for one in weekdays):
        raise RecordBroken("weekdays", f"{weekdays} are no weekdays from 1 to 7")
    days = tuple(sorted(set(weekdays)))
    opens, closes = clock(span, "start_time"), clock(span, "end_time")
    if span.get("full_day") is True or (opens is None and closes is None):
        return Hours(days, time(0), time(0), state=state)
    opens, closes = opens or time(0), closes or time(0)
    next_day = span.get("end_time_on_next_day") is True
    if next_day and closes > opens:
        raise RecordBroken(
            "end_time_on_next_day", f"{opens:%H:%M} to {closes:%H:%M} of the next day is more than a day"
        )
    if not next_day and time(0) < closes <= opens:
        raise RecordBroken("end_time", f"{closes:%H:%M} is not after {opens:%H:%M}, nor on the next day")
    return Hours(days, opens, closes, state=state)


def known_state(state: str, where: str, notes: list[Note]) -> str | None:
    if state in STATES:
        return STATES[state]
    if state in UNSAID:
        notes.append(Note(where, f"hours in the state {state} cannot be said here; they are left out"))
        return None
    if state == "undefined":
        notes.append(Note(where, "hours without a state are left out"))
        return None
    raise RecordBroken("resource_state", f"{state!r} is none of Hauki's states")


def group_rules(
    group: Mapping[str, Any], where: str, notes: list[Note]
) -> list[tuple[str, int | None, int | None]] | None:
    """(weeks, nth, weekday) that the group's rules leave; None where a rule cannot be said here."""
    weeks, nth, weekday = "all", None, None
    for rule in entries(group, "rules"):
        if not isinstance(rule, Mapping):
            raise RecordBroken("rules", f"should hold objects, not {kind_of(rule)}")
        context, subject = str(rule.get("context") or ""), str(rule.get("subject") or "")
        start, every = rule.get("start"), rule.get("frequency_ordinal")
        modifier = str(rule.get("frequency_modifier") or "")
        if (
            context == "year"
            and subject == "week"
            and modifier in {"odd", "even"}
            and weeks in {"all", modifier}
        ):
            weeks = modifier
        elif (
            context == "month" and subject in SUBJECTS and isinstance(start, int) and 1 <= abs(start) <= 5
            and every in {None, 0} and not modifier and nth is None
        ):  # fmt: skip
            nth, weekday = start, SUBJECTS[subject]
        elif (
            context in {"period", "year", "month"}
            and not modifier
            and every in {None, 0, 1}
            and start in {None, 1}
        ):
            continue
        else:
            told = " ".join(
                str(part) for part in (context, subject, start, every, modifier) if part not in {None, ""}
            )
            notes.append(Note(where, f"the rule ({told}) cannot be said here; its hours are left out"))
            return None
    return [(weeks, nth, weekday)]


def narrow(hours: Hours, limit: tuple[str, int | None, int | None]) -> Hours | None:
    weeks, nth, weekday = limit
    days = hours.days if weekday is None else tuple(one for one in hours.days if one == weekday)
    return replace(hours, days=days, weeks=weeks, nth=nth) if days else None


def resolved(periods: Sequence[Period]) -> tuple[tuple[Hours, ...], tuple[Exceptional, ...]]:
    """Hours with dates, and exceptions, of all periods of one resource."""
    hours: list[Hours] = []
    exceptions: list[Exceptional] = []
    for first, last, winners in stretches(periods):
        told = tuple(dict.fromkeys(one for winner in winners for one in winner.hours))
        told = () if all(one.state == "closed" and one.opens == one.closes for one in told) else told
        if not told and winners[0].override and first and last:
            reasons = next((dict(winner.names) for winner in winners if winner.names), {})
            exceptions.append(Exceptional(first, last, reasons=reasons))
        hours += [replace(one, valid_from=first, valid_to=last) for one in told]
    return tuple(hours), tuple(exceptions)


def stretches(periods: Sequence[Period]) -> Iterator[tuple[date | None, date | None, list[Period]]]:
    """The years cut where periods begin or end, each stretch with the periods that decide in it, equal ones joined."""
    cuts = sorted(
        {one.first for one in periods if one.first} | {one.last + DAY for one in periods if one.last}
    )
    starts: list[date | None] = [None, *cuts]
    found: list[tuple[date | None, date | None, list[Period]]] = []
    for start, following in zip(starts, [*cuts, None], strict=True):
        probe = start or (cuts[0] - DAY if cuts else date(2000, 1, 1))
        winners = deciding([one for one in periods if one.covers(probe)])
        last = following - DAY if following else None
        if found and found[-1][2] == winners:
            found[-1] = (found[-1][0], last, winners)
        else:
            found.append((start, last, winners))
    return (one for one in found if one[2])


def deciding(covering: Sequence[Period]) -> list[Period]:
    overriding = [one for one in covering if one.override]
    if not overriding:
        return list(covering)
    shortest = min(one.days for one in overriding)
    return [one for one in overriding if one.days == shortest]


def day(record: Mapping[str, Any], field: str) -> date | None:
    text = text_field(record, field)
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        raise RecordBroken(field, f"{text!r} is no date such as 2026-06-01") from None


def clock(record: Mapping[str, Any], field: str) -> time | None:
    text = text_field(record, field)
    try:
        return time.fromisoformat(text) if text else None
    except ValueError:
        raise RecordBroken(field, f"{text!r} is no time such as 08:00:00") from None
