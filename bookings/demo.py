"""Bookings of a demo city: invented people and associations use its spaces from two weeks back to four weeks ahead.

Written in bulk: times are chosen in memory from the same calendars and by the same rules as a real booking's, then rows and
claims go in at once and the day sheets are computed anew. The choice is the same on each run of a day.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from random import Random
from typing import Any

from psycopg.types.range import TimestamptzRange
from sqlalchemy import func, insert, select, text, update
from sqlalchemy.orm import Session

from bookings.lifecycle.models import Booking
from bookings.lifecycle.rules import HOLDING, free_until
from marketplace.accounts.models import AuditEntry, Organisation, Person
from marketplace.accounts.queries import person_of_email
from marketplace.cities.models import City
from marketplace.clock import now
from marketplace.db import span_of
from marketplace.ids import ALPHABET
from marketplace.timespan import Span, SpanSet, day_span, instant
from spaces.calendar import sheets
from spaces.calendar.actions import compile_spaces, month_end
from spaces.calendar.models import Claim
from spaces.calendar.queries import booking_rules, calendars_of
from spaces.calendar.rules import DAY, Lane, SpaceCalendar, midnight, offers
from spaces.catalog.models import Space, Venue
from spaces.pricing.models import Price
from spaces.pricing.queries import prices_on
from spaces.pricing.rules import PriceTerms, quote

DAYS_BACK, DAYS_AHEAD = 14, 28
SEED = 1812  # the year Helsinki became a capital; any number would do
SOURCE = "demo"
YOUTH_DIVISION = "Helsingin kaupunki, nuorisopalvelut"
MAIN_PERSON = "aino@example.org"
HER_ASSOCIATION = "Koskelan asukasyhdistys ry"

FIRST_NAMES = (
    "Anneli Eero Emma Fatima Heikki Helmi Ida Jari Kaisa Karin Lauri Leena Liam Maija Marko Nadia Noora Oskari"
    " Petra Riku Sara Tapio Tuula Ville"
).split()
LAST_NAMES = (
    "Aalto Berg Hassan Heino Holm Jokela Karppinen Kivinen Koski Lind Mattila Niemi Nurmi Ojala Peltola Rantala"
    " Salmi Sundman Toivola Tran Vainio Virta Wikman Ylönen"
).split()
ASSOCIATIONS = (
    "Alppiharjun lukupiiri ry",
    "Arabian kuoro ry",
    "Eiran kävelijät ry",
    "Herttoniemen pihapelit ry",
    "Itäsalmen sähly ry",
    "Kannelmäen käsityöväki ry",
    "Kumpulan tanssijat ry",
    "Maunulan vanhemmat ry",
    "Munkkivuoren shakki ry",
    "Oulunkylän naapurit ry",
    "Svenska pensionärerna i Tölö rf",
    "Vuosaaren torimyyjät ry",
)
WHAT = {
    "meeting": ("Hallituksen kokous", "Taloyhtiön kokous", "Suunnittelupalaveri"),
    "annual_meeting": ("Vuosikokous", "Syyskokous"),
    "party": ("50-vuotisjuhlat", "Pikkujoulut", "Illanvietto"),
    "childrens_party": ("Synttärit, 7 v", "Lasten juhlat"),
    "ball_games": ("Sählyvuoro", "Lentopallo", "Futsal, tytöt 12 v", "Koripalloharjoitus"),
    "exercise": ("Kuntojumppa", "Ikäihmisten liikunta", "Jooga"),
    "dance": ("Tanssitunti", "Kansantanssin harjoitus"),
    "music": ("Bändiharjoitus", "Yhteissoitto"),
    "choir": ("Kuoroharjoitus",),
    "course": ("Ensiapukurssi", "Kielikahvila", "Digiopastus"),
    "crafts": ("Ompeluilta", "Käsityökerho"),
    "market": ("Leivän myynti", "Vihanneksia ja hunajaa", "Käsitöitä"),
    "outdoor_event": ("Korttelijuhla", "Pihatalkoot"),
    "concert": ("Kevätkonsertti", "Klubi-ilta"),
    "exhibition": ("Valokuvanäyttely",),
    "play": ("Perhekahvila", "Leikkihetki"),
    "youth_work": ("Peli-ilta", "Nuorten kokkikerho"),
    "sauna": ("Saunailta", "Polttarit"),
    "barbecue": ("Makkaranpaistoa", "Grilli-ilta"),
    "photography": ("Valokuvaus",),
    "gaming": ("Lautapelit",),
    "study": ("Opintopiiri", "Pääsykoeryhmä"),
    "dogs": ("Koirakerho",),
}
# About how many bookings a space of a kind has in six weeks.
BUSY = {
    "sports_hall": 9, "school_hall": 6, "sauna": 6, "music_studio": 5, "dance_studio": 5, "market_stall": 4,
    "library_room": 4, "meeting_room": 4, "youth_space": 4, "sports_field": 4, "rink": 3, "banquet_hall": 3,
}  # fmt: skip
# Elsewhere.
USUAL = 2
ATTEMPTS = 4


@dataclass(frozen=True)
class Offered:
    """A space as the demo books it."""

    space: Space
    owner: str
    calendar: SpaceCalendar
    price: PriceTerms


@dataclass
class Diary:
    """What has been chosen so far. Claims are kept in the calendars' own units, which spaces share."""

    city: City
    random: Random
    at: datetime
    rows: list[dict[str, Any]]
    claims: list[dict[str, Any]]
    audits: list[dict[str, Any]]
    ids: list[int]

    def add(
        self,
        offered: Offered,
        body: Span,
        *,
        person_id: int,
        organisation_id: int | None,
        state: str,
        purpose: str | None = None,
    ) -> None:
        """Write one booking down; nothing when its time has gone meanwhile."""
        space, rules = offered.space, booking_rules(offered.space)
        lanes = [(unit, unit.lane_for(body, rules.before, rules.after)) for unit in offered.calendar.units]
        if state in HOLDING and any(lane is None for _, lane in lanes):
            return
        booking_id = self.ids.pop()
        price = quote(offered.price, body, self.city.zone)
        made = min(
            body.start - timedelta(hours=self.random.randint(30, 400)),
            self.at - timedelta(minutes=self.random.randint(10, 9000)),
        )
        changed = {"completed": body.end, "no_show": body.end, "confirmed": made, "awaiting_approval": made}
        self.rows.append(
            {
                "city_id": self.city.id,
                "id": booking_id,
                "reference": self.reference(),
                "space_id": space.id,
                "person_id": person_id,
                "organisation_id": organisation_id,
                "during": TimestamptzRange(body.start, body.end),
                "state": state,
                "requested_at": made,
                "purpose": purpose or self.purpose(space),
                "attendees": self.people(space),
                "lines": [line.as_json() for line in price.lines],
                "total_minor": price.total.minor,
                "vat_minor": price.vat.minor,
                "currency": price.total.currency,
                "cancel_free_until": free_until(
                    body.start, price.cancel.free_hours(space.cancellation_hours)
                ),
                "source": SOURCE,
                "submission": f"demo-{booking_id}",
                "created_at": made,
                "changed_at": changed.get(state, made + timedelta(hours=5)),
            }
        )
        self.note(booking_id, "booking.requested", made, person_id, state=first_of(space))
        if state in {"completed", "cancelled"}:
            self.note(booking_id, f"booking.{state}", self.rows[-1]["changed_at"], person_id)
        if state not in HOLDING:
            return
        for unit, lane in lanes:
            taken = unit.lanes.setdefault(lane or 0, Lane())
            taken.bodies = taken.bodies | SpanSet([body])
            parts = [(0, body)]
            if rules.before:
                parts.append((1, Span(body.start - rules.before, body.start)))
            if rules.after:
                parts.append((2, Span(body.end, body.end + rules.after)))
            taken.buffers = taken.buffers | SpanSet(span for part, span in parts if part)
            self.claims += [
                {
                    "city_id": self.city.id,
                    "holder_id": booking_id,
                    "unit_id": unit.unit_id,
                    "part": part,
                    "lane": lane,
                    "during": TimestamptzRange(span.start, span.end),
                }
                for part, span in parts
            ]

    def note(self, booking_id: int, action: str, at: datetime, person_id: int, **details: Any) -> None:
        self.audits.append(
            {
                "city_id": self.city.id,
                "at": at,
                "person_id": person_id,
                "source": "command",
                "action": action,
                "subject_kind": "booking",
                "subject_id": booking_id,
                "details": details,
            }
        )

    def reference(self) -> str:
        letters = "".join(self.random.choice(ALPHABET) for _ in range(8))
        return f"{letters[:4]}-{letters[4:]}"

    def purpose(self, space: Space) -> str:
        known = [code for code in space.purposes if code in WHAT]
        return self.random.choice(WHAT[self.random.choice(known)]) if known else ""

    def people(self, space: Space) -> int | None:
        if space.capacity is None or self.random.random() < 0.2:
            return None
        return max(1, round(space.capacity * self.random.uniform(0.2, 0.9)))

    def free_time(self, offered: Offered, day: date, *, from_hour: int | None = None) -> Span | None:
        """A time that the space offers on this day, evenings liked best; None where there is none."""
        rules = replace(
            booking_rules(offered.space), notice_minutes=0, horizon_days=DAYS_BACK + DAYS_AHEAD + 1
        )
        lengths = [minutes for minutes in rules.lengths() if minutes <= 180] or rules.lengths()[:1]
        within = day_span(day, self.city.zone)
        long_ago = midnight(day - DAY, self.city.zone)
        found = offers(
            offered.calendar,
            rules,
            minutes=self.random.choice(lengths[:5]),
            within=within,
            zone=self.city.zone,
            now=long_ago,
        )
        if not found:
            return None
        hour = from_hour or self.random.choice((9, 10, 12, 14, 16, 17, 17, 18, 18, 19))
        wished = instant(day, time(hour), self.city.zone)
        return min(found, key=lambda span: abs(span.start - wished))


def first_of(space: Space) -> str:
    return "confirmed" if space.approval == "instant" else "awaiting_approval"


DEMO_WAYS = (("card", "invoice"), ("card", "invoice", "on_the_spot"), ("card",))


def load_demo_bookings(session: Session, city: City) -> None:
    """Fill the city's spaces with believable bookings; nothing where any booking exists."""
    if session.scalar(select(Booking.id).where(Booking.city_id == city.id).limit(1)) is not None:
        return
    at = now()
    today = at.astimezone(city.zone).date()
    offered = offered_spaces(session, city, today=today)
    if not offered:
        return
    random = Random(SEED)  # noqa: S311 - a demo, not a secret
    ids = list(
        session.scalars(
            text("SELECT nextval('holder_id_seq') FROM generate_series(1, :n)"), {"n": 12 * len(offered) + 40}
        )
    )
    diary = Diary(city, random, at, [], [], [], ids[::-1])
    people, associations = invented(session, city, random)
    main_person_bookings(session, diary, offered, today=today)
    others_bookings(diary, offered, people, associations, today=today)
    session.execute(insert(Booking), diary.rows)
    session.execute(insert(Claim), diary.claims)
    session.execute(insert(AuditEntry), diary.audits)
    session.flush()
    offer_ways(session, city)
    months = {month for row in diary.rows for month in months_of(row["during"], city)}
    sheets.refresh_months(session, city.id, [o.space.id for o in offered], sorted(months), city.zone)


def offer_ways(session: Session, city: City) -> None:
    """Let some of the youth division's halls be paid by card and by invoice, the last ones listed."""
    ids = session.scalars(
        select(Space.id)
        .join(Venue, (Venue.city_id == Space.city_id) & (Venue.id == Space.venue_id))
        .join(Organisation, (Organisation.city_id == Venue.city_id) & (Organisation.id == Venue.owner_id))
        .join(Price, (Price.city_id == Space.city_id) & (Price.space_id == Space.id))
        .where(
            Space.city_id == city.id,
            Space.state == "published",
            Organisation.name.contains("nuorisopalvelut"),
            Price.amount_minor > 0,
        )
        .order_by(Space.id.desc())
        .limit(len(DEMO_WAYS))
    ).all()
    for id_, ways in zip(ids, DEMO_WAYS, strict=False):
        session.execute(
            update(Price).where(Price.city_id == city.id, Price.space_id == id_).values(ways=list(ways))
        )


def months_of(during: TimestamptzRange, city: City) -> list[date]:
    span = span_of(during)
    return [at.astimezone(city.zone).date().replace(day=1) for at in (span.start, span.end)]


def offered_spaces(session: Session, city: City, *, today: date) -> list[Offered]:
    """The published spaces with a price, with their calendars for the demo's weeks."""
    rows = session.execute(
        select(Space, Organisation.name)
        .join(Venue, (Venue.city_id == Space.city_id) & (Venue.id == Space.venue_id))
        .join(Organisation, (Organisation.city_id == Venue.city_id) & (Organisation.id == Venue.owner_id))
        .where(Space.city_id == city.id, Space.state == "published")
        .order_by(Space.id)
    ).all()
    if not rows:
        return []
    ids = [space.id for space, _ in rows]
    first, last = today - timedelta(days=DAYS_BACK), today + timedelta(days=DAYS_AHEAD)
    if first.replace(day=1) < today.replace(day=1):
        # Openings are compiled from this month on; the demo's past reaches into the one before.
        compile_spaces(session, city, ids, first=first, last=month_end(first))
    window = Span(midnight(first - DAY, city.zone), midnight(last + 2 * DAY, city.zone))
    calendars = calendars_of(session, city.id, ids, window, city.zone)
    prices = prices_on(session, city, ids, today)
    return [
        Offered(space, owner, calendars[space.id], prices[space.id])
        for space, owner in rows
        if space.id in prices
    ]


def invented(session: Session, city: City, random: Random) -> tuple[list[int], list[int]]:
    """Ids of people and associations who book; they cannot sign in."""
    last_names = random.sample(LAST_NAMES, len(LAST_NAMES))
    people = [
        Person(
            city_id=city.id,
            name=f"{first} {last}",
            email=f"{first}.{last}@example.org".lower().replace("ö", "o"),
            email_verified_at=now(),
            language="fi",
        )
        for first, last in zip(FIRST_NAMES, last_names, strict=True)
    ]
    associations = [Organisation(city_id=city.id, kind="association", name=name) for name in ASSOCIATIONS]
    session.add_all([*people, *associations])
    session.flush()
    return [person.id for person in people], [association.id for association in associations]


# (days from today, kind of space, hour, for her association, state)
HERS: Sequence[tuple[int, str, int, bool, str]] = (
    (-12, "library_room", 17, True, "completed"),
    (-9, "sports_hall", 18, False, "completed"),
    (-5, "sauna", 18, False, "cancelled"),
    (-3, "community_room", 18, True, "completed"),
    (1, "sports_hall", 18, False, "confirmed"),
    (4, "library_room", 17, True, "confirmed"),
    (8, "sauna", 18, False, "confirmed"),
    (15, "meeting_room", 17, True, "confirmed"),
)


def main_person_bookings(session: Session, diary: Diary, offered: Sequence[Offered], *, today: date) -> None:
    """The demo account's own bookings and her association's, and a request that the youth division has to answer."""
    city = diary.city
    person = person_of_email(session, city.id, MAIN_PERSON)
    association_id = session.scalar(
        select(func.min(Organisation.id)).where(
            Organisation.city_id == city.id, Organisation.name == HER_ASSOCIATION
        )
    )
    if person is None:
        return
    for days, kind, hour, for_association, state in HERS:
        candidates = [
            o
            for o in offered
            if o.space.kind == kind and o.space.approval == "instant" and o.space.who == "anyone"
        ]
        book_first(
            diary,
            candidates,
            day=today + timedelta(days=days),
            hour=hour,
            person_id=person.id,
            organisation_id=association_id if for_association else None,
            state=state,
        )
    asked = [
        o
        for o in offered
        if o.owner == YOUTH_DIVISION
        and o.space.approval == "handler"
        and (o.space.who == "anyone" or association_id is not None)
    ]
    book_first(
        diary,
        asked,
        day=today + timedelta(days=10),
        hour=17,
        person_id=person.id,
        organisation_id=association_id,
        state="awaiting_approval",
    )


def book_first(
    diary: Diary,
    candidates: Sequence[Offered],
    *,
    day: date,
    hour: int,
    person_id: int,
    organisation_id: int | None,
    state: str,
) -> None:
    """Book one of the candidates on the day, or as near after it as it is open."""
    for offered in diary.random.sample(candidates, len(candidates)):
        for later in range(4):
            on = day + timedelta(days=later)
            body = diary.free_time(offered, on, from_hour=hour)
            if body is not None and (body.end <= diary.at) == (state in {"completed", "cancelled"}):
                diary.add(offered, body, person_id=person_id, organisation_id=organisation_id, state=state)
                return


def others_bookings(
    diary: Diary,
    offered: Sequence[Offered],
    people: Sequence[int],
    associations: Sequence[int],
    *,
    today: date,
) -> None:
    random = diary.random
    for one in offered:
        usual = BUSY.get(one.space.kind, USUAL)
        for _ in range(random.randint(max(0, usual - 2), usual + 2)):
            ahead = min(DAYS_AHEAD, one.space.horizon_days)
            for _ in range(ATTEMPTS):
                body = diary.free_time(one, today + timedelta(days=random.randint(-DAYS_BACK, ahead)))
                if body is not None and not body.start <= diary.at < body.end:
                    break
            else:
                continue
            for_association = one.space.who == "organisations" or random.random() < 0.55
            diary.add(
                one,
                body,
                person_id=random.choice(people),
                organisation_id=random.choice(associations) if for_association else None,
                state=a_state(random, is_past=body.end <= diary.at),
            )


def a_state(random: Random, *, is_past: bool) -> str:
    chance = random.random()
    if chance < 0.06:
        return "cancelled"
    if not is_past:
        return "confirmed"
    return "no_show" if chance < 0.08 else "completed"
