"""Opening hours as the owner reads them: hours of a day, the coming weeks before and after a change, periods."""

from dataclasses import dataclass
from datetime import date, timedelta

from babel.dates import format_date, get_day_names

from marketplace.cities.models import City
from marketplace.timespan import Span, SpanSet, day_span
from marketplace.web.i18n import DASH, N_, NBSP, format_day, format_span, localised, reader_language
from marketplace.web.i18n import gettext as translated
from spaces.calendar.hours import SpaceHours, all_spans
from spaces.calendar.public_holidays import holidays_between
from spaces.calendar.queries import Closing
from spaces.calendar.rules import DAY, Period, days_between
from spaces.catalog.present import capital, in_a_row, wall_hours, write_clock

PREVIEW_DAYS = 28

STATE_TEXTS = {
    "open": N_("Open, can be booked"),
    "self_service": N_("Self-service, can be booked"),
    "staff_only": N_("Only for our own people"),
    "closed": N_("Closed"),
}
WEEKS_TEXTS = {"all": N_("Every week"), "odd": N_("Odd weeks"), "even": N_("Even weeks")}
NTH_TEXTS = {
    1: N_("Only the first of the month"),
    2: N_("Only the second of the month"),
    3: N_("Only the third of the month"),
    4: N_("Only the fourth of the month"),
    5: N_("Only the fifth of the month"),
    -1: N_("Only the last of the month"),
    -2: N_("Only the second to last of the month"),
    -3: N_("Only the third to last of the month"),
    -4: N_("Only the fourth to last of the month"),
    -5: N_("Only the fifth to last of the month"),
}
HOLIDAY_TEXTS = {
    "as_usual": N_("Open as on any other day"),
    "closed": N_("Closed"),
    "as_sunday": N_("Open as on a Sunday"),
}


def gettext(text: str, **values: object) -> str:
    """Flask-Babel's, with a type."""
    return str(translated(text, **values))


@dataclass(frozen=True)
class PreviewDay:
    """One coming day: its hours as saved and as they would be, with the drawing of the latter."""

    label: str
    before: str
    after: str
    changed: bool
    closed: list[tuple[float, float]]
    staff: list[tuple[float, float]]


@dataclass(frozen=True)
class PreviewWeek:
    label: str
    days: list[PreviewDay]


@dataclass(frozen=True)
class ClosingShown:
    id: int
    when: str
    reason: str
    kept_open: list[str]


def weekday_names() -> dict[int, str]:
    """ISO weekday to ma, ti, ke."""
    names = get_day_names("abbreviated", "stand-alone", reader_language())
    return {n: capital(names[n - 1].rstrip(".")) for n in range(1, 8)}


def preview(saved: SpaceHours, written: SpaceHours, *, city: City, today: date) -> list[PreviewWeek]:
    """The coming four weeks, by ISO week."""
    last = today + (PREVIEW_DAYS - 1) * DAY
    names = holidays_between(city.country, today, last, reader_language())

    def compiled(hours: SpaceHours) -> tuple[SpanSet, SpanSet]:
        # The evening before may go on past midnight, so it is compiled too.
        found = hours.compiled(today - DAY, last, zone=city.zone, country=city.country)
        opened = all_spans(found.open)
        return opened, all_spans(found.staff) - opened

    before, after = compiled(saved), compiled(written)
    weeks: dict[str, list[PreviewDay]] = {}
    for day in days_between(today, last):
        texts = [hours_text(opened, staff, day, city) for opened, staff in (before, after)]
        name = names.get(day)
        whole = day_span(day, city.zone)
        label = capital(format_day(day))
        shown = PreviewDay(
            label=f"{label} ({name})" if name else label,
            before=texts[0],
            after=texts[1],
            changed=before[0].clipped(whole) != after[0].clipped(whole)
            or before[1].clipped(whole) != after[1].clipped(whole),
            closed=[wall_hours(span, day, city) for span in SpanSet([whole]) - after[0] - after[1]],
            staff=[wall_hours(span, day, city) for span in after[1].clipped(whole)],
        )
        week = gettext("Week %(number)s", number=day.isocalendar().week)
        weeks.setdefault(week, []).append(shown)
    return [PreviewWeek(label, days) for label, days in weeks.items()]


def hours_text(opened: SpanSet, staff: SpanSet, day: date, city: City) -> str:
    """8–16, only our own people 16–18: the hours that begin on this day, past midnight as they end."""
    parts = [clock_ranges(opened, day, city)]
    if others := clock_ranges(staff, day, city):
        parts.append(gettext("only our own people %(hours)s", hours=others))
    return ", ".join(part for part in parts if part) or gettext("closed")


def clock_ranges(spans: SpanSet, day: date, city: City) -> str:
    """Those that begin on this day; a stretch of several days is told day by day."""
    whole = day_span(day, city.zone)
    texts = []
    for span in spans.meeting(whole.start, whole.end):
        long = span.length > timedelta(hours=24)
        if span.start < whole.start and not long:
            continue
        part = span.clipped(whole) if long else span
        if part is None:
            continue
        start, end = wall_hours(part, day, city)
        if (start, end) == (0.0, 24.0):
            return gettext("all day")
        texts.append(f"{clock_text(start)}{DASH}{clock_text(end)}")
    return in_a_row(texts)


def clock_text(hour: float) -> str:
    minute = round(hour * 60)
    return write_clock(minute if minute <= 1440 else minute - 1440)


def date_text(day: date) -> str:
    """1.6.2027 · 1 Jun 2027."""
    return format_date(day, "d MMM y" if reader_language() == "en" else "d.M.y", locale=reader_language())


def period_text(period: Period) -> str:
    """1.6.2027–31.8.2027, from 1.6.2027 on, always."""
    first, last = period.valid_from, period.valid_to
    if first and last:
        return f"{date_text(first)}{DASH}{date_text(last)}"
    if first:
        return gettext("from %(day)s on", day=date_text(first))
    if last:
        return gettext("until %(day)s", day=date_text(last))
    return gettext("all the time")


def overlap_text(periods: tuple[Period, Period]) -> str:
    first, second = periods
    return gettext(
        "Two periods overlap and both have priority %(priority)s: %(first)s, and %(second)s. Give the one that is to "
        "decide a higher priority, or change the dates.",
        priority=first.priority,
        first=period_text(first),
        second=period_text(second),
    )


def coming_holidays(city: City, today: date) -> list[str]:
    """The public holidays of the next twelve months."""
    found = holidays_between(city.country, today, today + timedelta(days=365), reader_language())
    return [f"{capital(format_day(day, year=True))}{NBSP}{name}" for day, name in found.items()]


def span_text(span: Span, city: City) -> str:
    return format_span(span.start.astimezone(city.zone), span.end.astimezone(city.zone), year=True)


def closing_shown(closing: Closing, city: City) -> ClosingShown:
    kept = SpanSet([closing.during]) - SpanSet(closing.stretches)
    return ClosingShown(
        closing.id,
        span_text(closing.during, city),
        localised(closing.reasons),
        [span_text(span, city) for span in kept],
    )
