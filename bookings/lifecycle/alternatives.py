"""What is free instead of a time that cannot be had: the same space at other times, similar spaces near by at about the
same time, each with its reasons, the best first.

This is asked just when many want one slot, so it is a handful of statements: the nearest spaces that the day sheets do
not rule out, and then the exact calendars and prices of these few alone.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Select, select, text
from sqlalchemy.orm import Session, defer

from bookings.lifecycle.asked import at_once
from bookings.lifecycle.familiar import used_spaces
from bookings.lifecycle.fitness import Option, distance_m, reasons, score, weights
from marketplace.accounts.actor import Actor
from marketplace.cities.models import City
from marketplace.timespan import Span, day_span
from spaces.calendar.models import DaySheet
from spaces.calendar.queries import UNIT_AND_LANE, booking_rules, calendars_of, lanes_of
from spaces.calendar.rules import (
    DAY,
    BookingRules,
    SpaceCalendar,
    has_change,
    midnight,
    offers,
    window_mask,
)
from spaces.catalog.models import Space, Venue
from spaces.pricing.queries import group_of_prices, prices_on
from spaces.pricing.rules import PriceTerms
from spaces.search.familiar import Use
from spaces.search.queries import Offer, priced_offer
from spaces.search.reasons import Reason

OTHER_TIMES = 4
OTHER_DAYS = 3
OTHER_SPACES = 4
# Who wanted a room here does not cross the city for another.
NEAR_METRES = 6000
# How many of the nearest are looked at before the best of them are chosen.
LOOKED_AT = 12
MARGIN = timedelta(hours=1)
# Other days are looked through a few at a time: most spaces have something free in the first.
DAYS_AT_ONCE = 5
LOOK_AHEAD_DAYS = 14
# A booking may pass midnight; it still begins on its day.
PAST_MIDNIGHT = timedelta(hours=6)

# Whom the space lets book at all: nobody is offered what they would be refused.
OPEN_TO = text("""
    (space.who IN ('anyone', 'verified')
     OR space.who = 'organisations' AND CAST(:organisation_id AS bigint) IS NOT NULL
     OR space.who = 'members' AND EXISTS (
         SELECT FROM space_organisation m
         WHERE m.city_id = space.city_id AND m.space_id = space.id AND m.role = 'member'
           AND m.organisation_id = ANY(CAST(:own_ids AS bigint[]))))
""")
FITS_PEOPLE = text("""
    (CAST(:people AS int) IS NULL
     OR coalesce(space.capacity, :people) >= :people AND coalesce(space.attendees_max, :people) >= :people
        AND coalesce(space.attendees_min, :people) <= :people)
""")
IN_REACH = text("space.notice_minutes <= :ahead_minutes AND space.horizon_days >= :ahead_days")
# A sheet may only rule out: each mask is a time near the wished one, and one of them has to be free.
NOT_RULED_OUT = text("""
    CASE WHEN space.whole_days THEN day_sheet.free[:number] <> 0
         ELSE EXISTS (SELECT FROM unnest(CAST(:masks AS bigint[])) mask WHERE day_sheet.free[:number] & mask = mask) END
""")
IS_PRICED = text("""
    EXISTS (SELECT FROM price p WHERE p.city_id = space.city_id AND p.space_id = space.id AND p.valid_from <= :day)
""")
NEAR = text("venue.position <@ circle(point(:x, :y), :metres)")
NEAREST_FIRST = text("venue.position <-> point(:x, :y)")

TAKEN_BY_OTHERS = text(f"""
    SELECT EXISTS (
        SELECT FROM space_unit su JOIN unit u ON u.city_id = su.city_id AND u.id = su.unit_id AND u.lanes = 1
        CROSS JOIN LATERAL (
            SELECT holder_id FROM claim
            WHERE {UNIT_AND_LANE} && {lanes_of("u.id")}
              AND during && tstzrange(:start, :end)
            OFFSET 0
        ) c
        WHERE su.city_id = :city_id AND su.space_id = :space_id
          AND NOT EXISTS (
              SELECT FROM booking b
              WHERE b.city_id = su.city_id AND b.id = c.holder_id AND b.person_id = :person_id
                AND b.submission = :submission)
    )
""")


@dataclass(frozen=True)
class Alternative:
    """Something free, and why it may do. `at_once`: nobody has to say yes first. `parts` say what it costs in minutes of trouble; see `fitness.weights`."""

    space: Space
    venue: Venue
    offer: Offer
    distance_m: float | None
    at_once: bool
    reasons: Sequence[Reason]
    parts: Mapping[str, float]

    @property
    def score(self) -> float:
        return score(self.parts)


@dataclass(frozen=True)
class Alternatives:
    """What is free instead: the same space at other times, in their order; other spaces, the best first."""

    times: Sequence[Alternative] = ()
    spaces: Sequence[Alternative] = ()


@dataclass(frozen=True)
class Sought:
    """What somebody wanted: this space at this time, for so many people, for an organisation or for themselves."""

    space: Space
    venue: Venue
    during: Span
    actor: Actor
    organisation_id: int | None = None
    people: int | None = None
    # A booking that is to be changed: what it has counts as free.
    but: int | None = None
    # Only spaces of the same venue, where the wish cannot go elsewhere.
    stays: bool = False


def alternatives(
    session: Session,
    city: City,
    sought: Sought,
    *,
    at: datetime,
    with_times: bool = True,
    with_spaces: bool = True,
) -> Alternatives:
    """Free times near the wished one: of the space that day and on the next days, and of similar spaces (a purpose in
    common, or the same kind; large enough; open to the person; near) around the same time of that day.

    Of a wish that is long over, or too far ahead, only other times of the space are told, from today on. Prices are
    those of the organisation's customer group.
    """
    day = sought.during.start.astimezone(city.zone).date()
    today = at.astimezone(city.zone).date()
    if not today <= day <= today + timedelta(days=sought.space.horizon_days + LOOK_AHEAD_DAYS):
        day, with_spaces = today, False
    if sought.during.end <= at:
        with_spaces = False
    near = similar_spaces(session, city, sought, day=day, at=at) if with_spaces else []
    ids = [sought.space.id, *(space.id for space, _ in near)]
    view = Outlook.read(session, city, sought, ids, day, at=at)
    times = view.other_times(session) if with_times else []
    used = (
        used_spaces(
            session,
            city,
            person_id=sought.actor.person_id,
            organisation_id=sought.organisation_id,
            at=at,
        )
        if near
        else {}
    )
    found = [
        one
        for space, venue in near
        if (one := view.instead(session, space, venue, used.get(space.id))) is not None
    ]
    found.sort(key=lambda one: (one.score, one.offer.span.start, one.space.id))
    return Alternatives(times, found[:OTHER_SPACES])


@dataclass(frozen=True)
class Outlook:
    """The calendars of a few spaces from the day before `day`, and their prices for whom the wish is."""

    city: City
    sought: Sought
    day: date
    at: datetime
    calendars: Mapping[int, SpaceCalendar]
    prices: Mapping[int, PriceTerms]
    group: str
    wished: Option

    @classmethod
    def read(
        cls, session: Session, city: City, sought: Sought, ids: Sequence[int], day: date, *, at: datetime
    ) -> "Outlook":
        calendars = calendars_of(
            session, city.id, ids, window_of(day, 0, DAYS_AT_ONCE, city), city.zone, but=sought.but
        )
        prices = prices_on(session, city, ids, day)
        group = group_of_prices(session, city.id, prices.values(), sought.organisation_id)
        terms = prices.get(sought.space.id)
        price = priced_offer(terms, sought.during, city, group) if terms is not None else None
        confirmed = at_once(session, sought.space, sought.organisation_id)
        wished = option_of(sought.space, sought.venue, sought.during, city, price=price, confirmed=confirmed)
        return cls(city, sought, day, at, calendars, prices, group, wished)

    def offers_of(
        self, space: Space, calendar: SpaceCalendar, rules: BookingRules, within: Span
    ) -> list[Span]:
        minutes = rules.fitting_minutes(self.sought.during.minutes)
        return offers(calendar, rules, minutes=minutes, within=within, zone=self.city.zone, now=self.at)

    def other_times(self, session: Session) -> list[Alternative]:
        """The nearest starts of the day, then on each of the next days the one nearest to the same time of day."""
        space, zone = self.sought.space, self.city.zone
        terms = self.prices.get(space.id)
        if terms is None:
            return []
        rules, calendar = booking_rules(space), self.calendars[space.id]

        def of_day(n: int) -> list[Span]:
            local = self.day + timedelta(days=n)
            within = day_span(local, zone).widened(after=PAST_MIDNIGHT)
            found = self.offers_of(space, calendar, rules, within)
            mine = [s for s in found if s.start.astimezone(zone).date() == local and s != self.sought.during]
            return sorted(mine, key=lambda span: abs(minute_of(span, self.city) - self.wished.start_minute))

        spans = sorted(of_day(0)[:OTHER_TIMES])
        for n in range(1, LOOK_AHEAD_DAYS):
            if len(spans) >= OTHER_TIMES + OTHER_DAYS:
                break
            if n == DAYS_AT_ONCE:
                window = window_of(self.day, n, LOOK_AHEAD_DAYS - n, self.city)
                calendar = calendars_of(session, self.city.id, [space.id], window, zone, but=self.sought.but)[
                    space.id
                ]
            spans += of_day(n)[:1]
        return [self.alternative(space, self.sought.venue, terms, span) for span in spans]

    def instead(self, session: Session, space: Space, venue: Venue, used: Use | None) -> Alternative | None:
        """The space's free time nearest to the wished one; None where it has none that would do."""
        terms, wished = self.prices.get(space.id), self.sought.during
        if terms is None:
            return None
        rules = booking_rules(space)
        within = (
            day_span(self.day, self.city.zone)
            if space.whole_days
            else Span(
                wished.start - MARGIN,
                wished.start + MARGIN + timedelta(minutes=rules.fitting_minutes(wished.minutes)),
            )
        )
        found = self.offers_of(space, self.calendars[space.id], rules, within)
        if not (space.whole_days and self.sought.space.whole_days):
            # Half an evening is no evening.
            found = [span for span in found if span.minutes >= wished.minutes]
        if not found:
            return None
        span = min(found, key=lambda span: (abs(span.start - wished.start), span))
        confirmed = at_once(session, space, self.sought.organisation_id)
        return self.alternative(space, venue, terms, span, used=used, confirmed=confirmed)

    def alternative(
        self,
        space: Space,
        venue: Venue,
        terms: PriceTerms,
        span: Span,
        *,
        used: Use | None = None,
        confirmed: bool | None = None,
    ) -> Alternative:
        offer = priced_offer(terms, span, self.city, self.group)
        confirmed = self.wished.at_once if confirmed is None else confirmed
        other = option_of(space, venue, span, self.city, price=offer, confirmed=confirmed)
        people = self.sought.people
        return Alternative(
            space,
            venue,
            offer,
            distance_m(self.wished, other),
            confirmed,
            reasons(self.wished, other, people=people, used=used),
            weights(self.wished, other, people=people, used=used),
        )


def window_of(day: date, first: int, days: int, city: City) -> Span:
    """What must be seen to judge times that begin on so many days from `day + first` on."""
    start = day + timedelta(days=first)
    return Span(midnight(start - DAY, city.zone), midnight(start + timedelta(days=days + 1), city.zone))


def minute_of(span: Span, city: City) -> int:
    """The minute of the local day at which it begins."""
    start = span.start.astimezone(city.zone)
    return start.hour * 60 + start.minute


def option_of(
    space: Space, venue: Venue, during: Span, city: City, *, price: Offer | None, confirmed: bool
) -> Option:
    return Option(
        space_id=space.id,
        venue_id=venue.id,
        during=during,
        start_on=during.start.astimezone(city.zone).date(),
        start_minute=minute_of(during, city),
        position=venue.position,
        capacity=space.capacity,
        equipment=frozenset(space.equipment),
        accessibility=frozenset(venue.accessibility),
        price_minor=price.price_minor if price is not None else None,
        is_least=price is not None and price.is_least,
        at_once=confirmed,
    )


def similar_spaces(
    session: Session, city: City, sought: Sought, *, day: date, at: datetime
) -> list[tuple[Space, Venue]]:
    """The nearest spaces that could stand in for the wished one and that nothing rules out at about its time."""
    space, venue = sought.space, sought.venue
    which: list[ColumnElement[bool] | Any] = [
        Space.city_id == city.id,
        Space.state == "published",
        Space.id != space.id,
        Space.purposes.overlap(space.purposes) if space.purposes else Space.kind == space.kind,
        OPEN_TO,
        FITS_PEOPLE,
        IN_REACH,
        IS_PRICED,
    ]
    if sought.but is None:  # the sheets do not know which claims are not to count
        which.append(NOT_RULED_OUT)
    values: dict[str, Any] = {
        "organisation_id": sought.organisation_id,
        "own_ids": list(sought.actor.roles),
        "people": sought.people,
        "ahead_minutes": max(0, (sought.during.end + MARGIN - at) // timedelta(minutes=1)),
        "ahead_days": (day - at.astimezone(city.zone).date()).days,
        "day": day,
        "number": day.day,
        "masks": masks_near(sought.during, day, city),
    }
    if sought.people is None and space.capacity is not None and not sought.stays:
        # Nobody said how many come: half the room may still do.
        which.append(text("coalesce(space.capacity, :half) >= :half"))
        values["half"] = -(-space.capacity // 2)
    order: Any = Space.id
    if sought.stays:
        which.append(Venue.id == venue.id)
    elif venue.position is not None:
        which.append(NEAR)
        order = NEAREST_FIRST
        values |= {"x": venue.position[0], "y": venue.position[1], "metres": NEAR_METRES}
    rows = session.execute(nearest(day, which).order_by(order).limit(LOOKED_AT), values)
    return [(other, there) for other, there in rows]


def nearest(day: date, which: Collection[ColumnElement[bool]]) -> Select[Space, Venue]:
    """Spaces with their venues and the sheets of the day's month, without the long texts that no row shows."""
    return (
        select(Space, Venue)
        .join(Venue, (Venue.city_id == Space.city_id) & (Venue.id == Space.venue_id))
        .join(
            DaySheet,
            (DaySheet.city_id == Space.city_id)
            & (DaySheet.month == day.replace(day=1))
            & (DaySheet.space_id == Space.id),
        )
        .where(*which)
        .options(
            defer(Space.descriptions),
            defer(Space.instructions),
            defer(Venue.accessibility_sentences),
            defer(Venue.accessibility_measures),
            defer(Venue.area),
        )
    )


def masks_near(during: Span, day: date, city: City) -> list[int]:
    """The half hours that a time of this length takes when it begins within the margin of the wished start, one mask for
    each half hour of the clock; a start between two takes those of the earlier one too."""
    if has_change(day, city.zone):
        return [0]  # the clock says too little on such a day, so nothing is ruled out
    start, margin = minute_of(during, city), MARGIN // timedelta(minutes=1)
    first, last = max(0, start - margin) // 30 * 30, min(1439, start + margin)
    return [window_mask(begins, min(1440, begins + during.minutes)) for begins in range(first, last + 1, 30)]


def is_taken_by_others(
    session: Session, space: Space, during: Span, *, person_id: int | None, submission: str
) -> bool:
    """Whether somebody else has this time for certain: a committed claim in a unit that only one party can hold, but for
    what this very form has made.

    One statement and no lock, so that of many who want one slot the late ones are told at once. No is no promise: the
    booking itself decides.
    """
    return bool(
        session.scalar(
            TAKEN_BY_OTHERS,
            {
                "city_id": space.city_id,
                "space_id": space.id,
                "start": during.start,
                "end": during.end,
                "person_id": person_id,
                "submission": submission,
            },
        )
    )
