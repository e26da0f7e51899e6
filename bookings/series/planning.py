"""What would become of each date of a series: free, or refused and why, for how much, and what is free instead.

All dates are judged on calendars that are loaded once, by the same rules as a single booking. The answer is a promise
of nothing: `actions` claims the times anew.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, time, timedelta
from itertools import islice
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from bookings.lifecycle.actions import Pricing, discount_of, window_around
from bookings.lifecycle.answers import given_again
from bookings.lifecycle.details import NO_DETAILS, Details
from bookings.lifecycle.errors import NotOnOffer, NotOpen, time_refusal
from bookings.lifecycle.queries import answers_of, details_of
from bookings.lifecycle.rules import out_of_reach
from bookings.series.errors import CodeTooFew, OneByOne, OtherTimeUnfit, rule_refusal
from bookings.series.models import Series
from bookings.series.queries import first_booking
from bookings.series.rules import Recurrence, days_of, span_on, why_no_series
from marketplace.cities.models import City
from marketplace.errors import Refusal
from marketplace.money import Money
from marketplace.timespan import Span, day_span, local_days
from spaces.calendar.errors import PiecesTaken, SlotTaken
from spaces.calendar.lanes import most_at_once
from spaces.calendar.piece_actions import seats_of
from spaces.calendar.queries import booking_rules, calendars_of
from spaces.calendar.rules import DAY, BookingRules, SpaceCalendar, offers, why_not
from spaces.catalog.models import Space
from spaces.equipment.errors import PiecesWrong
from spaces.equipment.queries import OfferedExtra, wanted_by_day, wanted_extras
from spaces.pricing.actions import discount_named
from spaces.pricing.errors import CodeNotValid, CodeUsedUp
from spaces.pricing.queries import groups_of, prices_by_day, uses_left
from spaces.pricing.rules import NO_BUILD_DAYS, Discount, PriceTerms, Quote, asks_each_time
from spaces.rules.queries import questions_of

# Other times are worked out for so many dates, and so many are shown of each.
MOST_WITH_TIMES = 60
OTHER_TIMES = 3
# A booking may pass midnight; another time of the same evening still begins on its day.
PAST_MIDNIGHT = timedelta(hours=6)
# Refusals that another time of that day may get round.
AVOIDABLE = frozenset({"slot-taken", "pieces-taken", "not-open", "too-late-to-book", "odd-start"})
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
class Adding:
    """What each booking adds to its space: the discount it is sold with, and equipment, whose price may differ by the day
    that it begins on."""

    discount: Discount | None = None
    extras: Mapping[date, Sequence[tuple[OfferedExtra, int]]] = field(default_factory=dict)

    @property
    def pieces(self) -> dict[int, int]:
        """How many pieces of each unit that is equipment; the same on every day."""
        first: Sequence[tuple[OfferedExtra, int]] = next(iter(self.extras.values()), ())
        return {one.extra.unit_id: count for one, count in first}


NOTHING_ADDED = Adding()


@dataclass(frozen=True)
class Priced:
    """A time that could be had, its price, and the equipment in it."""

    space: Space
    during: Span
    price: Quote
    extras: Sequence[tuple[OfferedExtra, int]] = ()

    @property
    def pieces(self) -> dict[int, int]:
        return {one.extra.unit_id: count for one, count in self.extras}


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
    """The calendars of some spaces over all that is asked, and the prices there for one customer. `groups` has the
    customer's group, where it matters; `out` is when the pieces of the equipment that is asked for are out."""

    city: City
    at: datetime
    calendars: Mapping[int, SpaceCalendar]
    prices: Mapping[int, Mapping[date, PriceTerms | None]]
    organisation_id: int | None
    groups: Mapping[int, str]
    out: Mapping[int, Sequence[Span]]

    @property
    def zone(self) -> ZoneInfo:
        return self.city.zone

    def around(self, space: Space, span: Span) -> SpaceCalendar:
        """What a single booking would see: only there, so that a space that never closes is not one endless opening."""
        calendar = self.calendars[space.id]
        return SpaceCalendar(space.id, calendar.open.clipped(window_around(span, self.zone)), calendar.units)

    def refusal_of(
        self, space: Space, span: Span, adding: Adding = NOTHING_ADDED, *, asked_at: datetime | None = None
    ) -> Refusal | None:
        """`asked_at` is when the time was asked for, where that was earlier."""
        rules, at = booking_rules(space), asked_at or self.at
        code = out_of_reach(rules, span, now=at) or why_not(
            self.around(space, span), rules, span, zone=self.zone, now=at
        )
        if code is not None:
            return SlotTaken() if code == "slot-taken" else time_refusal(code, rules)
        return self.not_sold(space, span, adding)

    def not_sold(self, space: Space, span: Span, adding: Adding) -> Refusal | None:
        """Why a time that is free and open cannot be had in a series all the same."""
        terms = self.terms(space, span)
        if terms is None:
            return NotOnOffer()
        if asks_each_time(terms, len(local_days(span, self.zone))):
            return OneByOne()
        return self.short_of(span, adding)

    def short_of(self, span: Span, adding: Adding) -> PiecesTaken | None:
        """The equipment of which too few pieces are left at this time."""
        for one, pieces in next(iter(adding.extras.values()), ()):
            unit_id = one.extra.unit_id
            left = one.stock - most_at_once(self.out.get(unit_id, ()), span)
            if left < pieces:
                return PiecesTaken(unit_id, left=max(left, 0), wanted=pieces)
        return None

    def terms(self, space: Space, span: Span) -> PriceTerms | None:
        return self.prices[space.id].get(span.start.astimezone(self.zone).date())

    def priced(self, space: Space, span: Span, adding: Adding = NOTHING_ADDED) -> Priced:
        """Raises NotOnOffer where nobody has said a price."""
        terms = self.terms(space, span)
        if terms is None:
            raise NotOnOffer
        extras = adding.extras.get(span.start.astimezone(self.zone).date(), ())
        pricing = Pricing(
            terms,
            self.zone,
            self.groups,
            adding.discount,
            NO_BUILD_DAYS,
            None,
            [(one.terms, pieces) for one, pieces in extras],
        )
        return Priced(space, span, pricing.quote(span, self.organisation_id), extras)

    def whole_days(self, space: Space, day: date, days: int) -> Span | None:
        """From the opening of the first of these days to the closing of the last."""
        window = Span(day_span(day, self.zone).start, day_span(day + timedelta(days=days - 1), self.zone).end)
        opened = list(self.calendars[space.id].open.clipped(window))
        return Span(opened[0].start, opened[-1].end) if opened else None

    def other_times(
        self, space: Space, wished: Span, adding: Adding = NOTHING_ADDED, *, most: int = OTHER_TIMES
    ) -> tuple[Priced, ...]:
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
        nearest = sorted(same_day, key=lambda span: (abs(span.start - wished.start), span.start))
        sold = (span for span in nearest if self.not_sold(space, span, adding) is None)
        return tuple(self.priced(space, span, adding) for span in sorted(islice(sold, most)))


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
    equipment: Collection[int] = (),
) -> Outlook:
    """Load what is needed to judge bookings of these spaces that begin on these days, as if those in `without` were not,
    with pieces of these units of equipment."""
    window = Span(
        day_span(min(days) - 2 * DAY, city.zone).start,
        day_span(max(days) + timedelta(days=days_of(longest_minutes)) + 2 * DAY, city.zone).end,
    )
    ids = sorted({space.id for space in spaces})
    prices = {id_: prices_by_day(session, city, id_, days) for id_ in ids}
    varies = any(terms.varies_by_group for by_day in prices.values() for terms in by_day.values() if terms)
    groups = groups_of(session, city.id, [organisation_id]) if varies and organisation_id is not None else {}
    calendars = calendars_of(session, city.id, ids, window, city.zone, but=without)
    out = {
        unit_id: [seat.span for seat in seats if seat.holder_id not in without]
        for unit_id, seats in (seats_of(session, equipment, window) if equipment else {}).items()
    }
    return Outlook(city, at, calendars, prices, organisation_id, groups, out)


def adding_for(
    session: Session, city: City, space: Space, details: Details, days: Collection[date], *, at: datetime
) -> Adding:
    """What the details add to bookings of the space that begin on these days. Raises CodeNotValid, CodeUsedUp,
    PiecesWrong."""
    return Adding(
        discount_named(session, space, details.code, day=at.astimezone(city.zone).date()),
        wanted_by_day(session, city, space.id, details.extras, days),
    )


def told_again(session: Session, city: City, series: Series, space: Space, *, at: datetime) -> Details:
    """What was told for the series, for one more of its dates: the answers to the questions that are still asked, the
    terms that were accepted, and as far as they can be had now the equipment and the code."""
    before = first_booking(session, series)
    if before is None:
        return NO_DETAILS
    kept = answers_of(session, city.id, [before.id]).get(before.id, [])
    day = at.astimezone(city.zone).date()
    code, extras = discount_of(before), dict(details_of(session, before).extras)
    try:
        discount_named(session, space, code, day=day)
    except (CodeNotValid, CodeUsedUp):
        code = ""
    try:
        wanted_extras(session, city, space.id, extras, day)
    except PiecesWrong:
        extras = {}
    return Details(
        code,
        extras=extras,
        answers=given_again(questions_of(session, space), kept),
        terms=before.terms_version or "",
    )


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
    details: Details = NO_DETAILS,
) -> list[Occurrence]:
    """Each date of the wish in order; `with_times` adds what else is free on the days of refused ones. What the bookings
    in `without` have counts as free. The code and the equipment of `details` are for each booking of `space`.

    Raises the refusals of `check_ask` and `adding_for`, OtherTimeUnfit, CodeTooFew.
    """
    check_ask(ask, booking_rules(space))
    days = ask.rule.dates()
    adding = adding_for(session, city, space, details, days, at=at)
    view = outlook(
        session,
        city,
        [space, *(other.space for other in ask.instead.values())],
        days,
        longest_minutes=ask.minutes,
        organisation_id=organisation_id,
        at=at,
        without=without,
        equipment=adding.pieces,
    )
    found = [
        occurrence_on(view, space, ask, adding, day=day, position=n) for n, day in enumerate(days, start=1)
    ]
    if adding.discount is not None:
        check_uses(session, space, adding.discount, found)
    return add_times(view, space, adding, found) if with_times else found


def check_uses(session: Session, space: Space, discount: Discount, occurrences: Iterable[Occurrence]) -> None:
    """Raises CodeTooFew for a code that cannot be used for as many bookings. Each of them counts it once more."""
    left = uses_left(session, space.city_id, space.id, discount.code)
    sold = sum(one.booked is not None and one.booked.space.id == space.id for one in occurrences)
    if left is not None and sold > left:
        raise CodeTooFew(left)


def occurrence_on(
    view: Outlook, space: Space, ask: Ask, adding: Adding, *, day: date, position: int
) -> Occurrence:
    if ask.starts is None:
        opened = view.whole_days(space, day, days_of(ask.minutes))
        wished = opened or day_span(day, view.zone)
        refusal = view.refusal_of(space, wished, adding) if opened else NotOpen()
    else:
        wished = span_on(day, ask.starts, ask.minutes, view.zone)
        refusal = view.refusal_of(space, wished, adding)
    if day in ask.left_out:
        return Occurrence(position, day, wished, left_out=True)
    if refusal is None:
        return Occurrence(position, day, wished, booked=view.priced(space, wished, adding))
    other = ask.instead.get(day)
    if other is None:
        return Occurrence(position, day, wished, refusal)
    if other.during.start.astimezone(view.zone).date() != day:
        raise OtherTimeUnfit
    added = adding if other.space.id == space.id else NOTHING_ADDED
    if view.refusal_of(other.space, other.during, added) is not None:
        return Occurrence(position, day, wished, refusal)
    return Occurrence(position, day, wished, refusal, booked=view.priced(other.space, other.during, added))


def add_times(
    view: Outlook, space: Space, adding: Adding, occurrences: Sequence[Occurrence]
) -> list[Occurrence]:
    left = MOST_WITH_TIMES
    found = []
    for one in occurrences:
        if one.refusal is not None and one.refusal.code in AVOIDABLE and left > 0:
            left -= 1
            found.append(replace(one, times=view.other_times(space, one.wished, adding)))
        else:
            found.append(one)
    return found
