"""What would become of each date of a series: free, or refused and why, for how much, and what is free instead.

All dates are judged on calendars that are loaded once, by the same rules as a single booking. The answer is a promise
of nothing: `actions` claims the times anew.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from bookings.lifecycle.actions import window_around
from bookings.lifecycle.errors import NotOnOffer, NotOpen, time_refusal
from bookings.lifecycle.rules import out_of_reach
from bookings.series.errors import OtherTimeUnfit, rule_refusal
from bookings.series.rules import Recurrence, days_of, span_on, why_no_series
from marketplace.cities.models import City
from marketplace.errors import Refusal
from marketplace.money import Money
from marketplace.timespan import Span, day_span
from spaces.calendar.errors import SlotTaken
from spaces.calendar.queries import booking_rules, calendars_of
from spaces.calendar.rules import DAY, BookingRules, SpaceCalendar, offers, why_not
from spaces.catalog.models import Space
from spaces.pricing.queries import group_for, prices_by_day
from spaces.pricing.rules import PriceTerms, Quote, quote

# Other times are worked out for so many dates, and so many are shown of each.
MOST_WITH_TIMES = 60
OTHER_TIMES = 3
# A booking may pass midnight; another time of the same evening still begins on its day.
PAST_MIDNIGHT = timedelta(hours=6)
# Refusals that another time of that day may get round.
AVOIDABLE = frozenset({"slot-taken", "not-open", "too-late-to-book", "odd-start"})
LEFT_OUT = "left-out"


@dataclass(frozen=True)
class Instead:
    """What somebody chose in place of a date's wished time."""

    space: Space
    during: Span


@dataclass(frozen=True)
class Ask:
    """What a person asks for: when, of which dates not, and what instead of a wished time. `starts` is None for a space
    that is booked by whole days; then the time is the opening, whatever it is on the day."""

    rule: Recurrence
    starts: time | None
    minutes: int
    left_out: frozenset[date] = frozenset()
    instead: Mapping[date, Instead] = field(default_factory=dict)


@dataclass(frozen=True)
class Priced:
    """A time that could be had, and its price."""

    space: Space
    during: Span
    price: Quote


@dataclass(frozen=True)
class Occurrence:
    """One date. `booked` is what it would be booked as; None for one that is refused, or left out by wish.

    `refusal` is why the wished time cannot be had, also where another one is `booked` instead of it.
    """

    position: int
    day: date
    wished: Span
    refusal: Refusal | None = None
    left_out: bool = False
    booked: Priced | None = None
    times: tuple[Priced, ...] = ()

    @property
    def is_moved(self) -> bool:
        return self.booked is not None and self.refusal is not None

    @property
    def is_refused(self) -> bool:
        """Neither booked nor left out by wish."""
        return self.booked is None and not self.left_out


def total_of(occurrences: Iterable[Occurrence], currency: str) -> Money:
    return sum((one.booked.price.total for one in occurrences if one.booked), Money.zero(currency))


def check_ask(ask: Ask, rules: BookingRules) -> None:
    """Raises the refusal of what is wrong with the wish itself."""
    code = why_no_series(ask.rule, ask.minutes, rules)
    if code is not None:
        raise rule_refusal(code)


@dataclass(frozen=True)
class Outlook:
    """The calendars of some spaces over all that is asked, and the prices there for one customer."""

    city: City
    at: datetime
    calendars: Mapping[int, SpaceCalendar]
    prices: Mapping[int, Mapping[date, PriceTerms | None]]
    groups: Mapping[int, str]

    @property
    def zone(self) -> ZoneInfo:
        return self.city.zone

    def around(self, space: Space, span: Span) -> SpaceCalendar:
        """What a single booking would see: only there, so that a space that never closes is not one endless opening."""
        calendar = self.calendars[space.id]
        return SpaceCalendar(space.id, calendar.open.clipped(window_around(span, self.zone)), calendar.units)

    def refusal_of(self, space: Space, span: Span, *, asked_at: datetime | None = None) -> Refusal | None:
        """`asked_at` is when the time was asked for, where that was earlier."""
        rules, at = booking_rules(space), asked_at or self.at
        code = out_of_reach(rules, span, now=at) or why_not(
            self.around(space, span), rules, span, zone=self.zone, now=at
        )
        if code is None:
            return None if self.terms(space, span) is not None else NotOnOffer()
        return SlotTaken() if code == "slot-taken" else time_refusal(code, rules)

    def terms(self, space: Space, span: Span) -> PriceTerms | None:
        return self.prices[space.id].get(span.start.astimezone(self.zone).date())

    def priced(self, space: Space, span: Span) -> Priced:
        """Raises NotOnOffer where nobody has said a price."""
        terms = self.terms(space, span)
        if terms is None:
            raise NotOnOffer
        return Priced(space, span, quote(terms, span, self.zone, group=self.groups[space.id]))

    def whole_days(self, space: Space, day: date, days: int) -> Span | None:
        """From the opening of the first of these days to the closing of the last."""
        window = Span(day_span(day, self.zone).start, day_span(day + timedelta(days=days - 1), self.zone).end)
        opened = list(self.calendars[space.id].open.clipped(window))
        return Span(opened[0].start, opened[-1].end) if opened else None

    def other_times(self, space: Space, wished: Span, *, most: int = OTHER_TIMES) -> tuple[Priced, ...]:
        """Free times of the same length on the same day, those nearest to the wished one, in order."""
        rules = booking_rules(space)
        if rules.whole_days:
            return ()
        day = wished.start.astimezone(self.zone).date()
        within = day_span(day, self.zone).widened(after=PAST_MIDNIGHT)
        found = offers(
            self.around(space, wished),
            rules,
            minutes=wished.minutes,
            within=within,
            zone=self.zone,
            now=self.at,
        )
        same_day = [span for span in found if span.start.astimezone(self.zone).date() == day]
        nearest = sorted(same_day, key=lambda span: (abs(span.start - wished.start), span.start))[:most]
        return tuple(self.priced(space, span) for span in sorted(nearest) if self.terms(space, span))


def outlook(
    session: Session,
    city: City,
    spaces: Collection[Space],
    days: Collection[date],
    *,
    longest_minutes: int,
    organisation_id: int | None,
    at: datetime,
    without: Collection[int] = (),
) -> Outlook:
    """Load what is needed to judge bookings of these spaces that begin on these days, as if those in `without` were not."""
    window = Span(
        day_span(min(days) - 2 * DAY, city.zone).start,
        day_span(max(days) + timedelta(days=days_of(longest_minutes)) + 2 * DAY, city.zone).end,
    )
    ids = sorted({space.id for space in spaces})
    prices = {id_: prices_by_day(session, city, id_, days) for id_ in ids}
    groups = {}
    for id_ in ids:
        varying = next((t for t in prices[id_].values() if t is not None and t.varies_by_group), None)
        groups[id_] = group_for(session, city.id, varying, organisation_id) if varying else "resident"
    calendars = calendars_of(session, city.id, ids, window, city.zone, but=without)
    return Outlook(city, at, calendars, prices, groups)


def plan_series(
    session: Session,
    city: City,
    space: Space,
    ask: Ask,
    *,
    organisation_id: int | None,
    at: datetime,
    with_times: bool = False,
    without: Collection[int] = (),
) -> list[Occurrence]:
    """Each date of the wish in order; `with_times` adds what else is free on the days of refused ones. What the bookings
    in `without` have counts as free.

    Raises the refusals of `check_ask`, OtherTimeUnfit.
    """
    check_ask(ask, booking_rules(space))
    days = ask.rule.dates()
    view = outlook(
        session,
        city,
        [space, *(other.space for other in ask.instead.values())],
        days,
        longest_minutes=ask.minutes,
        organisation_id=organisation_id,
        at=at,
        without=without,
    )
    found = [occurrence_on(view, space, ask, day, n) for n, day in enumerate(days, start=1)]
    return add_times(view, space, found) if with_times else found


def occurrence_on(view: Outlook, space: Space, ask: Ask, day: date, position: int) -> Occurrence:
    if ask.starts is None:
        opened = view.whole_days(space, day, days_of(ask.minutes))
        wished = opened or day_span(day, view.zone)
        refusal = view.refusal_of(space, wished) if opened else NotOpen()
    else:
        wished = span_on(day, ask.starts, ask.minutes, view.zone)
        refusal = view.refusal_of(space, wished)
    if day in ask.left_out:
        return Occurrence(position, day, wished, left_out=True)
    if refusal is None:
        return Occurrence(position, day, wished, booked=view.priced(space, wished))
    other = ask.instead.get(day)
    if other is None:
        return Occurrence(position, day, wished, refusal)
    if other.during.start.astimezone(view.zone).date() != day:
        raise OtherTimeUnfit
    if view.refusal_of(other.space, other.during) is not None:
        return Occurrence(position, day, wished, refusal)
    return Occurrence(position, day, wished, refusal, booked=view.priced(other.space, other.during))


def add_times(view: Outlook, space: Space, occurrences: Sequence[Occurrence]) -> list[Occurrence]:
    left = MOST_WITH_TIMES
    found = []
    for one in occurrences:
        if one.refusal is not None and one.refusal.code in AVOIDABLE and left > 0:
            left -= 1
            found.append(replace(one, times=view.other_times(space, one.wished)))
        else:
            found.append(one)
    return found
