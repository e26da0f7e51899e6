"""From wishes to offers: the exact free time nearest to each wish, its price for whom it is, and whether one press may
book it. Nothing is offered that would be refused.

Bounded work: at most MOST_TRIED wishes, one look at the calendars for the near ones and one for each of the few yearly
days, one search in the home district, one look for a similar space where a yearly meeting has lost its own.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from sqlalchemy.orm import Session

from bookings.lifecycle import limits, policy
from bookings.lifecycle.actions import check_attendees
from bookings.lifecycle.alternatives import Sought, alternatives
from bookings.lifecycle.asked import at_once, choices_kept_out, person_of
from bookings.lifecycle.one_press import asks_first, asks_way, binds
from bookings.offered.queries import (
    Subjects,
    lets_offer,
    past_of,
    pooled_spaces,
    spaces_of,
    subjects_of,
    turned_down,
)
from bookings.offered.rules import (
    MOST_ALIKE,
    MOST_OFFERED,
    MOST_TRIED,
    USUAL_MINUTES,
    USUAL_START,
    Past,
    Turned,
    Wish,
    is_turned_down,
    similar_wish,
    usual_of,
    weekdays_from,
    wishes,
)
from marketplace.accounts.actor import Actor
from marketplace.accounts.models import Organisation
from marketplace.accounts.rules import age_on
from marketplace.cities.models import City
from marketplace.db import Localised
from marketplace.errors import Refusal
from marketplace.timespan import Span, instant
from spaces.calendar.queries import booking_rules, calendars_of
from spaces.calendar.rules import DAY, SpaceCalendar, midnight, offers
from spaces.catalog.models import Space, Venue
from spaces.districts.queries import home_district_of
from spaces.pricing.queries import groups_of, prices_on
from spaces.pricing.rules import PriceTerms, Quote, quote
from spaces.search.queries import search
from spaces.search.question import Question

# A day that is booked whole, an hour more or less where the clocks change.
LONGEST_DAY = 25 * 60
# Of a day whose wished hour is gone, what begins so much earlier or later still does.
NEAR_ENOUGH = 4 * 60
HOME_MARGIN = 120


@dataclass(frozen=True)
class Found:
    """A time that can be booked now, and why it is offered. `is_near` when the wished hour itself is gone; `instead_of` is
    the space that the wish was about, where this is another one."""

    wish: Wish
    space: Space
    venue: Venue
    during: Span
    is_near: bool = False
    instead_of: tuple[Space, Venue] | None = None
    district_names: Localised | None = None


@dataclass(frozen=True)
class Offered:
    """A `Found` as it can be booked: for whom, for how much, by one press or by way of the checkout."""

    found: Found
    organisation: Organisation | None
    price: Quote
    is_least: bool
    at_once: bool
    one_press: bool


def offered_to(session: Session, city: City, actor: Actor, *, at: datetime) -> list[Offered]:
    """What may be offered to the actor just now, the likeliest first; nothing without consent."""
    if not actor.is_verified or not lets_offer(session, actor):
        return []
    today = at.astimezone(city.zone).date()
    subjects = subjects_of(session, actor)
    past = past_of(session, city, actor, subjects, at=at)
    turned = turned_down(session, actor, at=at)
    guessed = [
        *wishes(past, today=today),
        *pooled_wishes(session, city, subjects, past, today=today),
    ]
    tried = most_alike(wish for wish in guessed if not is_turned_down(wish, turned))
    view = View(session, city, actor, at)
    known = spaces_of(session, city.id, sorted({wish.space_id for wish in tried}))
    found = view.resolve(tried, known)
    if sum(one.wish.source != "similar" for one in found) < MOST_OFFERED:
        found += at_home(view, past, known, turned, today=today, with_own=subjects.own)
    return ranked(view, subjects, found)


def pooled_wishes(
    session: Session, city: City, subjects: Subjects, past: Sequence[Past], *, today: date
) -> list[Wish]:
    """Spaces that organisations like the actor's use and that theirs has not used yet."""
    found: list[Wish] = []
    for id_, organisation in list(subjects.organisations.items())[:2]:
        used = {one.space_id for one in past if one.organisation_id == id_}
        rows = pooled_spaces(
            session, city.id, kind=organisation.kind, group=subjects.groups[id_], limit=len(used) + 3
        )
        usual = usual_of(past, id_)
        found += [
            similar_wish(space_id, count, organisation_id=id_, usual=usual, today=today)
            for space_id, count in rows
            if space_id not in used
        ][:2]
    return found


def most_alike(all_wishes: Iterable[Wish]) -> list[Wish]:
    """A few more of each reason than are shown, as some will not be free."""
    counts: dict[str, int] = {}
    kept = []
    for wish in all_wishes:
        counts[wish.source] = counts.get(wish.source, 0) + 1
        if counts[wish.source] <= MOST_ALIKE[wish.source] + 1:
            kept.append(wish)
    return kept[:MOST_TRIED]


@dataclass(frozen=True)
class View:
    """What resolving needs to look at the city as the actor may book it at `at`."""

    session: Session
    city: City
    actor: Actor
    at: datetime

    @property
    def today(self) -> date:
        return self.at.astimezone(self.city.zone).date()

    def resolve(self, tried: Sequence[Wish], known: Mapping[int, tuple[Space, Venue]]) -> list[Found]:
        """The wishes that come true and would not be refused, in their order; of each reason, and of each space, no more
        than are shown."""
        near = [wish for wish in tried if wish.source != "annual"]
        last = max((day for wish in near for day in wish.days), default=self.today)
        calendars = self.calendars({wish.space_id for wish in near}, self.today, last)
        found: list[Found] = []
        seen: set[int] = set()
        looked_elsewhere = False
        for wish in tried:
            space, venue = known[wish.space_id]
            alike = sum(one.wish.source == wish.source for one in found)
            if len(found) == MOST_OFFERED or alike == MOST_ALIKE[wish.source] or space.id in seen:
                continue
            if wish.source != "annual":
                one = self.nearest(wish, space, venue, calendars[space.id])
            else:
                on = wish.days[0]
                one = self.nearest(wish, space, venue, self.calendars({space.id}, on, on)[space.id])
                if one is None and not looked_elsewhere:
                    looked_elsewhere = True
                    one = self.elsewhere(wish, space, venue)
            if one is not None and one.space.id not in seen and self.is_let_in(one):
                found.append(one)
                seen.add(one.space.id)
        return found

    def calendars(self, space_ids: Iterable[int], first: date, last: date) -> dict[int, SpaceCalendar]:
        window = Span(midnight(first - DAY, self.city.zone), midnight(last + 2 * DAY, self.city.zone))
        return calendars_of(self.session, self.city.id, sorted(set(space_ids)), window, self.city.zone)

    def nearest(self, wish: Wish, space: Space, venue: Venue, calendar: SpaceCalendar) -> Found | None:
        """The free time nearest to the wished hour, on the first of the days that has one near enough."""
        if space.state != "published" or (space.whole_days and wish.minutes > LONGEST_DAY):
            return None
        rules = booking_rules(space)
        zone = self.city.zone
        minutes = wish.minutes if wish.is_exact else rules.fitting_minutes(wish.minutes)
        for day in wish.days:
            within = Span(midnight(day, zone), midnight(day + DAY, zone))
            if not space.whole_days:  # it may pass midnight, and begins on its day
                within = within.widened(after=timedelta(hours=6))
            spans = [
                span
                for span in offers(calendar, rules, minutes=minutes, within=within, zone=zone, now=self.at)
                if span.start.astimezone(zone).date() == day
            ]
            if space.whole_days:
                best = spans[0] if spans else None
                away = 0
            else:
                wished = instant(day, clock_of(wish.start_minute), zone)
                best = min(spans, key=lambda span: (abs(span.start - wished), span), default=None)
                away = abs(int((best.start - wished) / timedelta(minutes=1))) if best else 0
            if best is None or away > (0 if wish.is_exact else NEAR_ENOUGH):
                continue
            return Found(wish, space, venue, best, is_near=away > 0)
        return None

    def elsewhere(self, wish: Wish, space: Space, venue: Venue) -> Found | None:
        """A similar space near by for the day of a yearly meeting."""
        start = instant(wish.days[0], clock_of(wish.start_minute), self.city.zone)
        sought = Sought(
            space,
            venue,
            Span(start, start + timedelta(minutes=wish.minutes)),
            self.actor,
            organisation_id=wish.organisation_id,
            people=wish.people,
        )
        others = alternatives(self.session, self.city, sought, at=self.at, with_times=False).spaces
        if not others:
            return None
        best = others[0]
        return Found(wish, best.space, best.venue, best.offer.span, instead_of=(space, venue))

    def is_let_in(self, found: Found) -> bool:
        """Whether nothing that is known already would refuse the booking; what must be asked is no refusal."""
        space, whom = found.space, found.wish.organisation_id
        try:
            person_id = policy.require_may_book(self.actor, space, whom)
            if found.wish.people is not None:
                check_attendees(space, found.wish.people)
        except Refusal:
            return False
        if choices_kept_out(self.session, space, self.actor, [whom]) or not self.is_of_age(found):
            return False
        standing = limits.standings(
            self.session,
            self.city,
            space,
            person_id=person_id,
            organisation_ids=[whom],
            during=found.during,
            at=self.at,
        )
        return standing[whom][0] is None

    def is_of_age(self, found: Found) -> bool:
        space, whom = found.space, found.wish.organisation_id
        if not policy.asks_age(space, whom):
            return True
        person = person_of(self.session, self.actor)
        if person is None or person.birth_date is None:
            return True  # it is asked at the checkout
        years = age_on(person.birth_date, found.during.start.astimezone(self.city.zone).date())
        too_old = space.max_age is not None and whom is None and years > space.max_age
        return not (space.min_age is not None and years < space.min_age) and not too_old


def clock_of(minute: int) -> time:
    return time(minute // 60, minute % 60)


def at_home(
    view: View,
    past: Sequence[Past],
    known: Mapping[int, tuple[Space, Venue]],
    turned: Turned,
    *,
    today: date,
    with_own: bool,
) -> list[Found]:
    """The best space in the person's home district for what they do, at the hour they keep; one they have not used."""
    if not with_own or view.actor.person_id is None:
        return []
    home = home_district_of(view.session, view.city.id, view.actor.person_id)
    if home is None:
        return []
    usual = usual_of(past, None)
    start = usual.start_minute if usual else USUAL_START
    minutes = min(usual.minutes, LONGEST_DAY) if usual else USUAL_MINUTES
    day = weekdays_from(today, usual.day.weekday(), 1)[0] if usual else today + DAY
    used = {one.space_id for one in past}
    purposes = frozenset(code for id_ in used if id_ in known for code in known[id_][0].purposes)
    question = Question(
        day=day,
        start_minute=max(0, start - HOME_MARGIN),
        end_minute=min(1440, start + minutes + HOME_MARGIN),
        minutes=minutes,
        people=usual.people if usual else None,
        purposes=purposes,
        district_ids=frozenset({home.id}),
        approval=frozenset({"instant"}),
        page_size=3,
    )
    for hit in search(view.session, view.city, question, now=view.at).hits:
        if hit.space.id in used or not hit.offers or (None, hit.space.id, None) in turned:
            continue
        wished = instant(day, clock_of(start % 1440), view.city.zone)
        best = min(hit.offers, key=lambda offer: (abs(offer.span.start - wished), offer.span)).span
        wish = Wish(
            "home",
            None,
            hit.space.id,
            (day,),
            start,
            minutes,
            usual.purpose if usual else "",
            usual.people if usual else None,
        )
        one = Found(wish, hit.space, hit.venue, best, district_names=home.names)
        if view.is_let_in(one):
            return [one]
    return []


def ranked(view: View, subjects: Subjects, found: Sequence[Found]) -> list[Offered]:
    """The first few by their reason, each space once, with their prices."""
    order = list(MOST_ALIKE)
    shown: list[Offered] = []
    seen: set[int] = set()
    prices: dict[date, dict[int, PriceTerms]] = {}
    groups: dict[int, str] | None = None
    wanted = sorted(found, key=lambda one: order.index(one.wish.source))
    days = [one.during.start.astimezone(view.city.zone).date() for one in wanted]
    for one, day in zip(wanted, days, strict=True):
        if len(shown) == MOST_OFFERED:
            break
        if day not in prices:
            same_day = {other.space.id for other, on in zip(wanted, days, strict=True) if on == day}
            prices[day] = prices_on(view.session, view.city, sorted(same_day), day)
        terms, whom = prices[day].get(one.space.id), one.wish.organisation_id
        if terms is None or one.space.id in seen:
            continue
        if terms.varies_by_group and groups is None:
            groups = groups_of(view.session, view.city.id, list(subjects.organisations))
        group = (groups or {}).get(whom, "resident") if whom is not None else "resident"
        shown.append(as_offered(view, one, terms, group, subjects.organisations.get(whom or 0)))
        seen.add(one.space.id)
    return shown


def as_offered(
    view: View, one: Found, terms: PriceTerms, group: str, organisation: Organisation | None
) -> Offered:
    price = quote(terms, one.during, view.city.zone, group=group)
    people = one.wish.people
    asks = asks_first(
        view.session, one.space, view.actor, organisation_id=one.wish.organisation_id, people=people
    )
    return Offered(
        one,
        organisation,
        price,
        is_least=terms.per == "tariff",
        at_once=at_once(view.session, one.space, one.wish.organisation_id) if asks else True,
        one_press=not asks
        and not binds(one.space, terms, price, one.during, at=view.at)
        and not asks_way(terms, price),
    )
