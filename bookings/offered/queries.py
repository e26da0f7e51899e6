"""Reads of offers: who lets us, what they have booked before, what similar organisations use. All within one city."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, bindparam, case, exists, func, or_, select, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Session
from sqlalchemy.types import BigInteger

from bookings.lifecycle.models import Booking
from bookings.offered.models import Dismissal, OfferConsent, PoolConsent, PooledUse
from bookings.offered.rules import CONSENT_VERSION, LEAST_ORGANISATIONS, MOST_DISMISSED, POOL_VERSION, Past
from bookings.talk.models import BookingMessage
from marketplace.accounts.actor import Actor
from marketplace.accounts.models import AuditEntry, Organisation
from marketplace.cities.models import City
from spaces.catalog.models import Space, Venue
from spaces.pricing.models import OrganisationGroup
from spaces.pricing.rules import GROUP_OF_KIND

# How far back is looked: far enough for what comes once a year, a few days late.
LOOK_BACK = timedelta(days=366)
LAST_YEAR_UNTIL = timedelta(days=300)
LOOK_AHEAD = timedelta(days=110)
# Of each subject so many of last year's season and so many of the latest; whoever has more keeps their habits anyway.
MOST_OF_SEASON, MOST_LATEST = 80, 200
# Somebody who books for more organisations than these is offered what the first of them do.
MOST_SUBJECTS = 5

PART = """
    (SELECT space_id, organisation_id, lower(during) AS starts, upper(during) AS ends, purpose, attendees,
            series_id IS NOT NULL AS in_series
     FROM booking
     WHERE city_id = :city_id AND {whose} AND lower(during) >= :{since} AND lower(during) < :{until}
       AND state IN ('confirmed', 'completed', 'awaiting_approval')
     ORDER BY lower(during) DESC LIMIT {most})
"""


def parts(whose: str) -> str:
    return " UNION ALL ".join(
        PART.format(whose=whose, since=since, until=until, most=most)
        for since, until, most in (
            ("back", "middle", MOST_OF_SEASON),
            ("middle", "ahead", MOST_LATEST),
        )
    )


OWN = parts("person_id = :person_id AND organisation_id IS NULL")
THEIRS = (
    "SELECT was.* FROM unnest(CAST(:ids AS bigint[])) wanted(id) CROSS JOIN LATERAL ("
    + parts("organisation_id = wanted.id")
    + ") was"
)
HISTORY = {
    with_own: text(f"{OWN} UNION ALL {THEIRS}" if with_own else THEIRS).bindparams(
        bindparam("ids", type_=ARRAY(BigInteger))
    )
    for with_own in (False, True)
}


@dataclass(frozen=True)
class Answer:
    """What somebody has said about a consent; `holds` when it is a yes to the present text."""

    agreed: bool
    holds: bool
    said_at: datetime


def consent_of(session: Session, actor: Actor) -> Answer | None:
    """What the actor has answered to the present text; None where they have not been asked."""
    row = session.execute(
        select(OfferConsent.agreed, OfferConsent.version, OfferConsent.said_at).where(
            OfferConsent.city_id == actor.city_id, OfferConsent.person_id == actor.person_id
        )
    ).one_or_none()
    if row is None or row.version != CONSENT_VERSION:
        return None
    return Answer(row.agreed, row.agreed, row.said_at)


def lets_offer(session: Session, actor: Actor) -> bool:
    answer = consent_of(session, actor) if actor.is_signed_in else None
    return answer is not None and answer.holds


def pool_consent_of(session: Session, city_id: int, organisation_id: int) -> Answer | None:
    row = session.execute(
        select(PoolConsent.agreed, PoolConsent.version, PoolConsent.said_at).where(
            PoolConsent.city_id == city_id, PoolConsent.organisation_id == organisation_id
        )
    ).one_or_none()
    if row is None or row.version != POOL_VERSION:
        return None
    return Answer(row.agreed, row.agreed, row.said_at)


def lock_pool(session: Session, city_id: int) -> None:
    """One counts, or takes a consent back, at a time in a city: no count brings back what has just been withdrawn."""
    session.execute(
        text("SELECT pg_advisory_xact_lock(hashtextextended('offered-pool', :city_id))"), {"city_id": city_id}
    )


def kind_and_group() -> tuple[ColumnElement[Any], ColumnElement[Any]]:
    """What makes organisations alike: their kind, and the customer group that the city gave them or their kind has."""
    by_kind = case(
        *((Organisation.kind == kind, code) for kind, code in GROUP_OF_KIND.items()), else_="resident"
    )
    return Organisation.__table__.c.kind, func.coalesce(OrganisationGroup.group_code, by_kind)


@dataclass(frozen=True)
class Subjects:
    """For whom is offered: the organisations by id with their kind and group, and oneself with `own`."""

    own: bool
    organisations: dict[int, Organisation]
    groups: dict[int, str]


def subjects_of(session: Session, actor: Actor) -> Subjects:
    """Whom the actor acts for; acting for oneself, also the organisations that the actor may book for today."""
    acting = actor.acting_for
    ids = [acting] if acting is not None else list(actor.roles)
    ids = [id_ for id_ in ids if actor.may_book_for(id_)]
    found: dict[int, Organisation] = {}
    groups: dict[int, str] = {}
    if ids:
        _, group = kind_and_group()
        for organisation, code in session.execute(
            select(Organisation, group)
            .outerjoin(
                OrganisationGroup,
                (OrganisationGroup.city_id == Organisation.city_id)
                & (OrganisationGroup.organisation_id == Organisation.id),
            )
            .where(Organisation.city_id == actor.city_id, Organisation.id.in_(ids))
            .order_by(Organisation.name, Organisation.id)
            .limit(MOST_SUBJECTS)
        ):
            found[organisation.id], groups[organisation.id] = organisation, code
    return Subjects(acting is None, found, groups)


def past_of(session: Session, city: City, actor: Actor, subjects: Subjects, *, at: datetime) -> list[Past]:
    """What these have booked, as far as it matters: in the season of last year, lately, and ahead."""
    rows = session.execute(
        HISTORY[subjects.own],
        {
            "city_id": city.id,
            "person_id": actor.person_id,
            "ids": list(subjects.organisations),
            "back": at - LOOK_BACK,
            "middle": at - LAST_YEAR_UNTIL,
            "ahead": at + LOOK_AHEAD,
        },
    )
    found = []
    for space_id, organisation_id, starts, ends, purpose, people, in_series in rows:
        start = starts.astimezone(city.zone)
        found.append(
            Past(
                space_id,
                organisation_id,
                start.date(),
                start.hour * 60 + start.minute,
                int((ends - starts) / timedelta(minutes=1)),
                purpose,
                people,
                in_series,
            )
        )
    return found


def has_meeting(
    session: Session, city: City, actor: Actor, organisation_id: int | None, meeting: str, *, at: datetime
) -> bool:
    """Whether one of the bookings that the actor's offers are made of bears this name (`rules.meeting_of`)."""
    past = past_of(session, city, actor, subjects_of(session, actor), at=at)
    return any(one.organisation_id == organisation_id and one.meeting == meeting for one in past)


def is_told_of(session: Session, booking: Booking) -> bool:
    """Whether somebody may know of the booking already: a message was written about it, or a person was added to it, even
    one who has been taken off since. Those are mailed at once, a press only later."""
    written = exists().where(
        BookingMessage.city_id == booking.city_id, BookingMessage.booking_id == booking.id
    )
    added = exists().where(
        AuditEntry.city_id == booking.city_id,
        AuditEntry.subject_kind == "booking",
        AuditEntry.subject_id == booking.id,
        AuditEntry.action == "booking.person-added",
    )
    return bool(session.scalar(select(or_(written, added))))


def turned_down(
    session: Session, actor: Actor, *, at: datetime
) -> set[tuple[int | None, int | None, str | None]]:
    """(organisation, space, meeting) that the actor does not want to be offered."""
    rows = session.execute(
        select(Dismissal.organisation_id, Dismissal.space_id, Dismissal.meeting).where(
            Dismissal.city_id == actor.city_id,
            Dismissal.person_id == actor.person_id,
            Dismissal.expires_at > at,
        )
    )
    return {(organisation_id, space_id, meeting) for organisation_id, space_id, meeting in rows}


@dataclass(frozen=True)
class TurnedDown:
    """One thing that the person does not want to be offered, for the page where it can be taken back."""

    id: int
    organisation: str | None
    space: Space | None
    venue: Venue | None
    meeting: str | None
    expires_at: datetime


def dismissals_of(session: Session, actor: Actor, *, at: datetime) -> list[TurnedDown]:
    rows = session.execute(
        select(Dismissal, Organisation.name, Space, Venue)
        .outerjoin(
            Organisation,
            (Organisation.city_id == Dismissal.city_id) & (Organisation.id == Dismissal.organisation_id),
        )
        .outerjoin(Space, (Space.city_id == Dismissal.city_id) & (Space.id == Dismissal.space_id))
        .outerjoin(Venue, (Venue.city_id == Space.city_id) & (Venue.id == Space.venue_id))
        .where(
            Dismissal.city_id == actor.city_id,
            Dismissal.person_id == actor.person_id,
            Dismissal.expires_at > at,
        )
        .order_by(Dismissal.said_at.desc(), Dismissal.id.desc())
        .limit(MOST_DISMISSED)
    )
    return [
        TurnedDown(one.id, organisation, space, venue, one.meeting, one.expires_at)
        for one, organisation, space, venue in rows
    ]


def pooled_spaces(
    session: Session, city_id: int, *, kind: str, group: str, limit: int
) -> Sequence[tuple[int, int]]:
    """(space, organisations) of a kind and group, most used first; by the number as it is told, so that the order does not
    tell a single one either."""
    rows = session.execute(
        select(PooledUse.space_id, PooledUse.organisations)
        .where(PooledUse.city_id == city_id, PooledUse.kind == kind, PooledUse.group_code == group)
        .order_by((PooledUse.organisations // LEAST_ORGANISATIONS).desc(), PooledUse.space_id)
        .limit(limit)
    )
    return [(space_id, organisations) for space_id, organisations in rows]


def spaces_of(session: Session, city_id: int, ids: Sequence[int]) -> dict[int, tuple[Space, Venue]]:
    """These spaces with their venues, whatever their state."""
    if not ids:
        return {}
    rows = session.execute(
        select(Space, Venue)
        .join(Venue, (Venue.city_id == Space.city_id) & (Venue.id == Space.venue_id))
        .where(Space.city_id == city_id, Space.id.in_(ids))
    )
    return {space.id: (space, venue) for space, venue in rows}
