"""What the pages show of series, in the reader's words. No writes, no decisions."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from babel.dates import format_date

from bookings.lifecycle.alternatives import Alternative
from bookings.lifecycle.alternatives_present import reason_texts
from bookings.lifecycle.models import Booking
from bookings.lifecycle.pages import day_text, gettext, place_text, status, time_text
from bookings.series.change_actions import Changed
from bookings.series.forms import WEEKS, OtherTime
from bookings.series.models import Series, SeriesSkip
from bookings.series.planning import LEFT_OUT, Occurrence, Priced
from bookings.series.reasons import reason_of
from bookings.series.rules import Recurrence, nths_of
from marketplace.cities.models import City
from marketplace.errors import Refusal
from marketplace.money import Money
from marketplace.timespan import Span
from marketplace.web.i18n import (
    N_,
    format_clock,
    format_hours,
    format_money,
    ngettext,
    reader_language,
)
from spaces.catalog.models import Venue

MONTHLY: Mapping[int, str] = {
    1: N_("The first %(weekday)s of each month"),
    2: N_("The second %(weekday)s of each month"),
    3: N_("The third %(weekday)s of each month"),
    4: N_("The fourth %(weekday)s of each month"),
    -1: N_("The last %(weekday)s of each month"),
}


def weekday_name(day: date) -> str:
    """tiistai · tisdag · Tuesday."""
    return str(format_date(day, "cccc", locale=reader_language()))


def rule_text(rule: Recurrence) -> str:
    """Every Tuesday · Every 2 weeks, on Tuesday · The second Tuesday of each month."""
    weekday = weekday_name(rule.first)
    if rule.frequency == "monthly" and rule.nth is not None:
        return gettext(MONTHLY[rule.nth], weekday=weekday)
    if rule.every == 1:
        return gettext("Every %(weekday)s", weekday=weekday)
    return gettext("Every %(num)s weeks, on %(weekday)s", num=rule.every, weekday=weekday)


def pattern_choices(first: date) -> list[tuple[str, str]]:
    """How often a series that begins on this day may repeat."""
    weekday = weekday_name(first)
    weekly = [(f"weekly:{n}", rule_text(Recurrence(first, "weekly", n))) for n in WEEKS]
    monthly = [(f"monthly:{nth}", gettext(MONTHLY[nth], weekday=weekday)) for nth in nths_of(first)]
    return weekly + monthly


def hours_text(span: Span, city: City) -> str:
    """18.00–19.30; the whole time where it ends on another day."""
    start, end = span.start.astimezone(city.zone), span.end.astimezone(city.zone)
    next_morning = (end.date() - start.date()).days == 1 and end.hour < 6
    if start.date() == end.date() or next_morning:
        return format_hours(start, end)
    return time_text(span, city)


def dated(day: date, *, today: date) -> str:
    text = day_text(day)
    return (
        text
        if day.year == today.year
        else f"{text.rstrip('.')}{'.' if reader_language() != 'en' else ' '}{day.year}"
    )


@dataclass(frozen=True)
class Choice:
    """Something else that is free on the day of a refused date."""

    value: str
    text: str
    price: str
    checked: bool


@dataclass(frozen=True)
class DateRow:
    """One date of the preview. `state` is free, instead, refused or left-out."""

    day: str
    label: str
    hours: str
    price: str
    state: str
    reason: str
    choices: list[Choice]
    can_look_near: bool


def refusal_text(refusal: Refusal) -> str:
    text, values = reason_of(refusal.code, refusal.public)
    return gettext(text, **values)


def date_rows(
    plan: Sequence[Occurrence],
    city: City,
    *,
    today: date,
    chosen: Mapping[date, OtherTime],
    near: Mapping[date, Sequence[Alternative]],
    venues: Mapping[int, Venue],
) -> list[DateRow]:
    return [
        DateRow(
            one.day.isoformat(),
            dated(one.day, today=today),
            hours_text(one.wished, city),
            format_money(one.booked.price.total) if one.booked else "",
            state_of(one),
            refusal_text(one.refusal) if one.refusal is not None else "",
            choices_of(one, city, chosen.get(one.day), near.get(one.day, ()), venues),
            one.refusal is not None
            and one.refusal.code in {"slot-taken", "pieces-taken", "not-open"}
            and one.day not in near,
        )
        for one in plan
    ]


def state_of(one: Occurrence) -> str:
    if one.left_out:
        return "left-out"
    if one.booked is None:
        return "refused"
    return "instead" if one.is_moved else "free"


def choices_of(
    one: Occurrence,
    city: City,
    chosen: OtherTime | None,
    near: Sequence[Alternative],
    venues: Mapping[int, Venue],
) -> list[Choice]:
    if one.refusal is None:
        return []
    found = [priced_choice(it, city, chosen) for it in one.times]
    for other in near:
        value = OtherTime(other.space.id, other.offer.span)
        name = place_text(other.space, other.venue)
        facts, against = reason_texts(other, city)
        text = f"{name}, {hours_text(other.offer.span, city)} ({', '.join(facts + against)})"
        price = format_money(Money(other.offer.price_minor, city.currency))
        found.append(Choice(str(value), text, price, is_same(value, chosen)))
    if chosen is not None and one.booked is not None and not any(choice.checked for choice in found):
        it = one.booked
        venue = venues.get(it.space.id)
        name = place_text(it.space, venue) if venue is not None else ""
        text = ", ".join(part for part in (name, hours_text(it.during, city)) if part)
        found.append(Choice(str(chosen), text, format_money(it.price.total), checked=True))
    return found


def priced_choice(it: Priced, city: City, chosen: OtherTime | None) -> Choice:
    value = OtherTime(it.space.id, it.during)
    return Choice(
        str(value), hours_text(it.during, city), format_money(it.price.total), is_same(value, chosen)
    )


def is_same(value: OtherTime, chosen: OtherTime | None) -> bool:
    return chosen is not None and (value.space_id, value.during) == (chosen.space_id, chosen.during)


def dates_text(count: int) -> str:
    return str(ngettext("%(num)d date", "%(num)d dates", count))


def button_text(count: int, total: Money, *, by_request: bool) -> str:
    """The result with the sum."""
    dates, price = dates_text(count), format_money(total)
    if by_request:
        if total:
            return gettext("Send a request for %(dates)s, %(price)s", dates=dates, price=price)
        return gettext("Send a request for %(dates)s", dates=dates)
    if total:
        return gettext("Book %(dates)s, %(price)s", dates=dates, price=price)
    return gettext("Book %(dates)s free of charge", dates=dates)


@dataclass(frozen=True)
class ListedDate:
    """One row of a series' page: a booking, or a date that was skipped."""

    position: int
    day: str
    hours: str
    where: str
    price: str
    kind: str
    label: str
    reason: str
    url: str | None
    change: bool
    retry: Mapping[str, Any] | None


def listed_booking(
    booking: Booking,
    city: City,
    *,
    url: str,
    where: str,
    today: date,
    changeable: bool,
    note: str,
) -> ListedDate:
    kind, label = status(booking.state)
    start = booking.span.start.astimezone(city.zone)
    price = Money(booking.total_minor, booking.currency)
    if booking.state in {"cancelled", "declined", "expired"}:
        price = Money(booking.kept_minor or 0, booking.currency)
    return ListedDate(
        booking.position or 0,
        dated(start.date(), today=today),
        hours_text(booking.span, city),
        where,
        format_money(price) if price or booking.state not in {"cancelled", "declined", "expired"} else "",
        kind,
        label,
        note,
        url,
        changeable,
        None,
    )


def listed_skip(skip: SeriesSkip, city: City, *, today: date, retry: Mapping[str, Any] | None) -> ListedDate:
    text, values = reason_of(skip.code, skip.values)
    left_out = skip.code == LEFT_OUT
    return ListedDate(
        skip.position,
        dated(skip.day, today=today),
        hours_text(skip.span, city),
        "",
        "",
        "neutral" if left_out else "alert",
        gettext("Left out") if left_out else gettext("Not booked"),
        "" if left_out else gettext(text, **values),
        None,
        False,
        retry,
    )


@dataclass(frozen=True)
class ChangeRow:
    """One date of a change's preview."""

    was: str
    becomes: str
    price: str
    reason: str


def change_rows(plan: Sequence[Changed], city: City, *, today: date) -> list[ChangeRow]:
    rows = []
    for one in plan:
        becomes, price = "", ""
        if one.becomes is not None:
            becomes = moment(one.becomes.during, city, today=today)
            price = difference_text(one.difference_minor, city)
        rows.append(
            ChangeRow(
                moment(one.was, city, today=today),
                becomes,
                price,
                change_reason(one.refusal) if one.refusal is not None else "",
            )
        )
    return rows


def change_reason(refusal: Refusal) -> str:
    text, values = reason_of(refusal.code, refusal.public)
    if refusal.code in {"ask-one-by-one", "paid-already", "change-pending"}:
        return gettext(refusal.title)
    return gettext(text, **values)


def moment(span: Span, city: City, *, today: date) -> str:
    start = span.start.astimezone(city.zone)
    return f"{dated(start.date(), today=today)}, {hours_text(span, city)}"


def difference_text(minor: int, city: City) -> str:
    """+4,00 € · −4,00 € · no change."""
    if not minor:
        return gettext("same price")
    sign = "+" if minor > 0 else "−"
    return f"{sign}{format_money(Money(abs(minor), city.currency))}"


def lead_text(series: Series, city: City) -> str:
    """Every Tuesday 18.00–19.30."""
    rule = rule_text(series.rule)
    if series.starts is None:
        return rule
    start = datetime.combine(series.first_day, series.starts, tzinfo=city.zone)
    if series.minutes >= 1440:
        return f"{rule} {format_clock(start)}"
    total = series.starts.hour * 60 + series.starts.minute + series.minutes
    end = f"{total // 60 % 24}.{total % 60:02d}"
    return f"{rule} {format_clock(start)}\u2060–\u2060{end}"
