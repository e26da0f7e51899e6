"""The verbs of feeds: make, replace, end. The address is told once, to whoever made it."""

from datetime import datetime, timedelta

from sqlalchemy import update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from bookings.feeds.errors import FeedExists, NoRightToFeed
from bookings.feeds.models import CalendarFeed
from bookings.feeds.policy import Subject, may_feed
from bookings.feeds.queries import subject_of
from marketplace.accounts.actor import Actor
from marketplace.accounts.audit import audit
from marketplace.ids import new_token, token_hash

# Programs read a feed a few times an hour; that they do is worth a write now and then.
FETCHED_EVERY = timedelta(minutes=15)


def make_feed(session: Session, subject: Subject, *, actor: Actor, at: datetime) -> tuple[CalendarFeed, str]:
    """A feed and its token. Raises NoRightToFeed, FeedExists; then the transaction is usable."""
    if actor.person_id is None or not may_feed(actor, subject):
        raise NoRightToFeed
    token = new_token()
    feed = CalendarFeed(
        city_id=actor.city_id,
        token_hash=token_hash(token),
        kind=subject.kind,
        person_id=actor.person_id,
        organisation_id=subject.organisation_id,
        space_id=subject.space.id if subject.space is not None else None,
        created_at=at,
    )
    try:
        with session.begin_nested():
            session.add(feed)
            session.flush()
    except IntegrityError as error:
        raise FeedExists from error
    audit(
        session,
        actor,
        "feed.made",
        "feed",
        feed.id,
        of=feed.kind,
        organisation_id=feed.organisation_id,
        space_id=feed.space_id,
    )
    session.flush()
    return feed, token


def end_feed(session: Session, feed: CalendarFeed, *, actor: Actor, at: datetime) -> None:
    """The address leads nowhere from now on. `feed` was loaded for the actor."""
    feed.revoked_at = at
    audit(session, actor, "feed.ended", "feed", feed.id, of=feed.kind)
    session.flush()


def replace_feed(
    session: Session, feed: CalendarFeed, *, actor: Actor, at: datetime
) -> tuple[CalendarFeed, str]:
    """The same under a new address; the old one leads nowhere. Raises NoRightToFeed."""
    subject = subject_of(session, feed)
    if not may_feed(actor, subject):
        raise NoRightToFeed
    end_feed(session, feed, actor=actor, at=at)
    return make_feed(session, subject, actor=actor, at=at)


def note_fetch(session: Session, feed: CalendarFeed, *, at: datetime) -> None:
    """Remember that somebody still reads it."""
    if feed.last_fetched_at is not None and at - feed.last_fetched_at < FETCHED_EVERY:
        return
    session.execute(
        update(CalendarFeed)
        .where(CalendarFeed.city_id == feed.city_id, CalendarFeed.id == feed.id)
        .values(last_fetched_at=at)
    )
