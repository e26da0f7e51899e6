"""Reads of feeds, and of the bookings in them."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, and_, func, or_, select
from sqlalchemy.orm import Session

from bookings.feeds.errors import FeedNotFound
from bookings.feeds.models import CalendarFeed
from bookings.feeds.policy import Subject, may_feed, may_still_read
from bookings.lifecycle.models import Booking
from bookings.lifecycle.queries import ListedBooking, added_to, also_replaced, is_undoable, listed
from marketplace.accounts.actor import Actor
from marketplace.accounts.models import Organisation, Person
from marketplace.accounts.queries import roles_of
from marketplace.cities.models import City
from marketplace.ids import token_hash
from marketplace.timespan import Span, SpanSet
from spaces.calendar.queries import TAKEN, calendar_of
from spaces.catalog.models import Space, Venue
from spaces.catalog.queries import units_of_space, venue_grants

PAST = timedelta(days=30)
FURTHEST = timedelta(days=400)
MOST_ROWS = 1000
MOST_FEEDS = 200


@dataclass(frozen=True)
class OpenFeed:
    """A feed that may be read, with whose rights and of what."""

    feed: CalendarFeed
    person: Person
    subject: Subject
    organisation: Organisation | None


def feed_of_token(session: Session, city: City, token: str) -> OpenFeed:
    """Raises FeedNotFound for an unknown or revoked token, and for one whose maker has lost the right: nobody who reads
    can tell which."""
    row = session.execute(
        select(CalendarFeed, Person)
        .join(Person, (Person.city_id == CalendarFeed.city_id) & (Person.id == CalendarFeed.person_id))
        .where(
            CalendarFeed.token_hash == token_hash(token),
            CalendarFeed.city_id == city.id,
            CalendarFeed.revoked_at.is_(None),
        )
    ).one_or_none()
    if row is None:
        raise FeedNotFound
    feed, person = row
    subject = subject_of(session, feed)
    if not may_still_read(maker_of(session, person), subject):
        raise FeedNotFound
    organisation = (
        session.get(Organisation, (city.id, feed.organisation_id))
        if feed.organisation_id is not None
        else None
    )
    return OpenFeed(feed, person, subject, organisation)


def maker_of(session: Session, person: Person) -> Actor:
    """The person with today's rights."""
    return Actor(
        city_id=person.city_id,
        person_id=person.id,
        name=person.name,
        email=person.email,
        language=person.language,
        is_verified=person.email_verified_at is not None,
        is_staff=person.is_staff,
        roles=roles_of(session, person.city_id, person.id),
        grants=venue_grants(session, person.city_id, person.id),
        source="feed",
    )


def subject_of(session: Session, feed: CalendarFeed) -> Subject:
    space = venue = None
    if feed.space_id is not None:
        space = session.get_one(Space, (feed.city_id, feed.space_id))
        venue = session.get_one(Venue, (feed.city_id, space.venue_id))
    return Subject(feed.kind, feed.organisation_id, space, venue)


def window_around(at: datetime) -> Span:
    """What a feed covers: thirty days back, and as far ahead as calendars are kept."""
    return Span(at - PAST, at + FURTHEST)


def bookings_in(session: Session, feed: CalendarFeed, window: Span) -> list[ListedBooking]:
    """The feed's bookings that meet the window, the first one first; what was only held is nobody's yet."""
    which: ColumnElement[bool]
    if feed.kind == "person":
        added = added_to(feed.city_id, feed.person_id, at=window.start + PAST)
        which = or_(Booking.person_id == feed.person_id, Booking.id.in_(added))
    elif feed.kind == "organisation":
        which = Booking.organisation_id == feed.organisation_id
    else:
        holders = holders_of(session, feed, window)
        which = or_(Booking.space_id == feed.space_id, also_replaced(holders)) & ~is_undoable(
            window.start + PAST
        )
    return listed(
        session,
        and_(
            Booking.city_id == feed.city_id,
            which,
            func.lower(Booking.during) < window.end,
            # Nothing lasts longer than two months, which lets the index by beginnings serve.
            func.lower(Booking.during) > window.start - timedelta(days=62),
            func.upper(Booking.during) > window.start,
            or_(Booking.requested_at.is_not(None), Booking.state != "expired"),
            Booking.state != "held",
        ),
        func.lower(Booking.during),
        limit=MOST_ROWS,
    )


def holders_of(session: Session, feed: CalendarFeed, window: Span) -> list[int]:
    """Who has any of the space's units in the window, also by way of another space."""
    units = [unit.id for unit in units_of_space(session, feed.city_id, feed.space_id or 0)]
    values = {"unit_ids": units, "start": window.start, "end": window.end}
    return sorted({holder_id for _, holder_id, *_ in session.execute(TAKEN, values)})


def taken_in(session: Session, city: City, space_id: int, window: Span) -> list[Span]:
    """When the space is taken, without who; at most MOST_ROWS stretches."""
    taken: SpanSet = calendar_of(session, city.id, space_id, window, city.zone).taken.clipped(window)
    return list(taken)[:MOST_ROWS]


@dataclass(frozen=True)
class ListedFeed:
    """A living feed in the list of those who may change it."""

    feed: CalendarFeed
    organisation: Organisation | None
    space: Space | None
    venue: Venue | None


def live_feeds(session: Session, which: ColumnElement[bool]) -> list[ListedFeed]:
    rows = session.execute(
        select(CalendarFeed, Organisation, Space, Venue)
        .outerjoin(
            Organisation,
            (Organisation.city_id == CalendarFeed.city_id)
            & (Organisation.id == CalendarFeed.organisation_id),
        )
        .outerjoin(Space, (Space.city_id == CalendarFeed.city_id) & (Space.id == CalendarFeed.space_id))
        .outerjoin(Venue, (Venue.city_id == Space.city_id) & (Venue.id == Space.venue_id))
        .where(which, CalendarFeed.revoked_at.is_(None))
        .order_by(CalendarFeed.id)
        .limit(MOST_FEEDS)
    )
    return [ListedFeed(*row) for row in rows]


def own_feeds(session: Session, actor: Actor) -> list[ListedFeed]:
    """The feeds that the actor has made and that still work, the oldest first."""
    return live_feeds(
        session, (CalendarFeed.city_id == actor.city_id) & (CalendarFeed.person_id == actor.person_id)
    )


def feeds_of_space(session: Session, actor: Actor, space: Space) -> list[ListedFeed]:
    """The space's public feed, whoever made it, and the actor's own of it."""
    return live_feeds(
        session,
        and_(
            CalendarFeed.city_id == space.city_id,
            CalendarFeed.space_id == space.id,
            or_(CalendarFeed.kind == "space_public", CalendarFeed.person_id == actor.person_id),
        ),
    )


def feed_of_id(session: Session, actor: Actor, feed_id: int) -> CalendarFeed:
    """A living feed that the actor may end: one's own, or the public one of a space that one runs. Raises FeedNotFound."""
    feed = session.scalar(
        select(CalendarFeed)
        .where(
            CalendarFeed.city_id == actor.city_id,
            CalendarFeed.id == feed_id,
            CalendarFeed.revoked_at.is_(None),
        )
        .with_for_update()
    )
    if feed is None or not actor.is_signed_in:
        raise FeedNotFound
    if feed.person_id == actor.person_id:
        return feed
    if feed.kind != "space_public" or not may_feed(actor, subject_of(session, feed)):
        raise FeedNotFound
    return feed
