"""The verbs of offers, their only writers: consent, what is not wanted, the press that books and its undoing, the count
of what similar organisations use."""

from datetime import datetime, timedelta

from sqlalchemy import and_, delete, func, literal, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from bookings.lifecycle import policy
from bookings.lifecycle.actions import request_booking
from bookings.lifecycle.errors import NoRightToBook
from bookings.lifecycle.hold_actions import release_hold
from bookings.lifecycle.models import Booking
from bookings.lifecycle.queries import locked_booking
from bookings.lifecycle.rules import PRESS_TOLD_AFTER, PRESSED
from bookings.offered.errors import (
    DismissalNotFound,
    MeetingNotFound,
    NotYourPress,
    OffersNotWanted,
    PressOver,
)
from bookings.offered.models import Dismissal, OfferConsent, PoolConsent, PooledUse
from bookings.offered.queries import has_meeting, is_told_of, kind_and_group, lets_offer, lock_pool
from bookings.offered.rules import (
    CONSENT_VERSION,
    COUNTED_AFTER,
    DISMISSED_FOR,
    LEAST_ORGANISATIONS,
    LEAST_PEOPLE,
    MOST_DISMISSED,
    POOL_VERSION,
)
from marketplace.accounts.actor import Actor
from marketplace.accounts.audit import audit
from marketplace.accounts.models import Organisation
from marketplace.accounts.policy import require_manager, require_verified
from marketplace.accounts.queries import locked_organisation, roles_in
from marketplace.cities.models import City
from marketplace.jobs.messages import publish, withdraw
from marketplace.timespan import Span
from spaces.catalog.models import Space
from spaces.pricing.models import OrganisationGroup

POOLED_WITHIN = timedelta(days=365)


def say_consent(session: Session, *, actor: Actor, agrees: bool, at: datetime) -> None:
    """Let the program offer spaces by what the actor has booked, or not. Whoever stops it is forgotten: also what they did
    not want to see. Raises Unauthenticated, NotVerified."""
    person_id = require_verified(actor)
    was = session.scalar(
        select(OfferConsent.agreed)
        .where(OfferConsent.city_id == actor.city_id, OfferConsent.person_id == person_id)
        .with_for_update()
    )
    values = {"agreed": agrees, "version": CONSENT_VERSION, "said_at": at}
    session.execute(
        insert(OfferConsent)
        .values(city_id=actor.city_id, person_id=person_id, **values)
        .on_conflict_do_update(index_elements=["city_id", "person_id"], set_=values)
    )
    if not agrees:
        session.execute(
            delete(Dismissal).where(Dismissal.city_id == actor.city_id, Dismissal.person_id == person_id)
        )
    action = "offers.agreed" if agrees else "offers.declined"
    audit(session, actor, action, "person", person_id, version=CONSENT_VERSION, before=was, after=agrees)
    session.flush()


def say_pool_consent(
    session: Session, organisation_id: int, *, actor: Actor, agrees: bool, at: datetime
) -> None:
    """Let the organisation's bookings be counted among those of its kind, or not; for its managers.

    A yes waits for the night, so that nobody sees a number change with it. Taken back, nothing that it was counted in is
    used any more until that night's count has been made anew without it.
    """
    person_id = require_verified(actor)
    organisation = locked_organisation(session, actor.city_id, organisation_id)
    require_manager(roles_in(session, organisation).get(person_id))
    lock_pool(session, actor.city_id)
    was = session.scalar(
        select(PoolConsent.agreed).where(
            PoolConsent.city_id == actor.city_id, PoolConsent.organisation_id == organisation_id
        )
    )
    values = {"agreed": agrees, "version": POOL_VERSION, "said_at": at, "said_by": person_id}
    session.execute(
        insert(PoolConsent)
        .values(city_id=actor.city_id, organisation_id=organisation_id, **values)
        .on_conflict_do_update(index_elements=["city_id", "organisation_id"], set_=values)
    )
    if was and not agrees:
        gone = session.scalars(
            delete(PooledUse).where(PooledUse.city_id == actor.city_id).returning(PooledUse.counted_at)
        ).all()
        if gone:
            publish(session, "pool.withdrawn", city_id=actor.city_id, counted_at=max(gone).isoformat())
    action = "pool.agreed" if agrees else "pool.declined"
    audit(
        session,
        actor,
        action,
        "organisation",
        organisation_id,
        version=POOL_VERSION,
        before=was,
        after=agrees,
    )
    session.flush()


def count_pool(session: Session, city_id: int, *, at: datetime) -> None:
    """Count how many organisations of a kind and group have used each space in the year until `at`: only those that had
    agreed by then and were no newcomers, and only where there are enough of them and of people who booked."""
    lock_pool(session, city_id)
    session.execute(delete(PooledUse).where(PooledUse.city_id == city_id))
    kind, group = kind_and_group()
    organisations = func.count(Booking.organisation_id.distinct())
    counted = (
        select(PoolConsent.city_id, kind, group, Booking.space_id, organisations, literal(at))
        .join(
            Organisation,
            and_(
                Organisation.city_id == PoolConsent.city_id,
                Organisation.id == PoolConsent.organisation_id,
            ),
        )
        .outerjoin(
            OrganisationGroup,
            and_(
                OrganisationGroup.city_id == Organisation.city_id,
                OrganisationGroup.organisation_id == Organisation.id,
            ),
        )
        .join(
            Booking,
            and_(Booking.city_id == Organisation.city_id, Booking.organisation_id == Organisation.id),
        )
        .where(
            PoolConsent.city_id == city_id,
            PoolConsent.agreed,
            PoolConsent.version == POOL_VERSION,
            PoolConsent.said_at <= at,
            Organisation.created_at < at - COUNTED_AFTER,
            Booking.state.in_(("confirmed", "completed")),
            func.lower(Booking.during).between(at - POOLED_WITHIN, at),
        )
        .group_by(PoolConsent.city_id, kind, group, Booking.space_id)
        .having(
            organisations >= LEAST_ORGANISATIONS, func.count(Booking.person_id.distinct()) >= LEAST_PEOPLE
        )
    )
    columns = ["city_id", "kind", "group_code", "space_id", "organisations", "counted_at"]
    session.execute(insert(PooledUse).from_select(columns, counted))


def dismiss(
    session: Session,
    city: City,
    *,
    actor: Actor,
    organisation_id: int | None,
    space: Space | None,
    meeting: str | None,
    at: datetime,
) -> None:
    """Do not offer this space, or this meeting, to the actor for a year; of very many the oldest are forgotten.

    Raises OffersNotWanted, NoRightToBook, MeetingNotFound for a name that none of their bookings bears.
    """
    person_id = require_verified(actor)
    if not lets_offer(session, actor):
        raise OffersNotWanted
    if organisation_id is not None and not actor.may_book_for(organisation_id):
        raise NoRightToBook
    if meeting is not None and not has_meeting(session, city, actor, organisation_id, meeting, at=at):
        raise MeetingNotFound
    values = {"said_at": at, "expires_at": at + DISMISSED_FOR}
    session.execute(
        insert(Dismissal)
        .values(
            city_id=actor.city_id,
            person_id=person_id,
            organisation_id=organisation_id,
            space_id=space.id if space is not None else None,
            meeting=meeting,
            **values,
        )
        .on_conflict_do_update(constraint="uq_offer_dismissal_subject", set_=values)
    )
    own = (Dismissal.city_id == actor.city_id, Dismissal.person_id == person_id)
    latest_first = (Dismissal.said_at.desc(), Dismissal.id.desc())
    too_many = select(Dismissal.id).where(*own).order_by(*latest_first).offset(MOST_DISMISSED)
    session.execute(delete(Dismissal).where(*own, Dismissal.id.in_(too_many)))
    audit(
        session,
        actor,
        "offers.dismissed",
        "person",
        person_id,
        organisation=organisation_id,
        space=space.id if space is not None else None,
        meeting=meeting,
    )


def take_dismissal_back(session: Session, dismissal_id: int, *, actor: Actor) -> None:
    """Offer it again. Raises DismissalNotFound for what is somebody else's or gone."""
    found = session.scalar(
        select(Dismissal).where(
            Dismissal.city_id == actor.city_id,
            Dismissal.id == dismissal_id,
            Dismissal.person_id == actor.person_id,
        )
    )
    if found is None or actor.person_id is None:
        raise DismissalNotFound
    audit(
        session,
        actor,
        "offers.dismissal-undone",
        "person",
        actor.person_id,
        organisation=found.organisation_id,
        space=found.space_id,
        meeting=found.meeting,
    )
    session.delete(found)
    session.flush()


def forget_dismissals(session: Session, *, at: datetime) -> int:
    """Delete what is over, in all cities; returns how many."""
    gone = session.execute(delete(Dismissal).where(Dismissal.expires_at <= at).returning(Dismissal.id))
    return len(gone.all())


def press_offer(
    session: Session,
    city: City,
    space: Space,
    *,
    actor: Actor,
    during: Span,
    purpose: str,
    attendees: int | None,
    organisation_id: int | None,
    submission: str,
    expected_total_minor: int | None,
    at: datetime,
) -> Booking:
    """Book at once what was offered; nobody is told until the time to undo it is over. Raises what `request_booking`
    raises."""
    return request_booking(
        session,
        city,
        space,
        actor=actor,
        during=during,
        purpose=purpose,
        attendees=attendees,
        organisation_id=organisation_id,
        submission=submission,
        at=at,
        source=PRESSED,
        expected_total_minor=expected_total_minor,
        may_undo=True,
    )


def undo_press(session: Session, city: City, booking: Booking, *, actor: Actor, at: datetime) -> None:
    """Take back what one press has booked, for nothing, before anybody is told: the yes is withdrawn, so that it was only
    a hold, and that one is given back with all it had.

    The message that waits to go out is the proof that nobody knows, unless whoever pressed has told somebody. Raises NotYourPress, NoRightToCancel, PressOver; then
    the booking stands and the transaction is usable.
    """
    if not policy.is_own(actor, booking):
        raise NotYourPress
    policy.require_may_cancel(actor, booking)
    locked_booking(session, booking)
    if is_told_of(session, booking):
        raise PressOver
    with session.begin_nested():
        news = withdraw(session, "booking.pressed", city_id=city.id, key=str(booking.id))
        if news is None or booking.state != "confirmed":
            raise PressOver
        pressed_at = datetime.fromisoformat(news["pressed_at"])
        # Whoever has moved or changed it meanwhile has been told of.
        if booking.changed_at != pressed_at or not at < pressed_at + PRESS_TOLD_AFTER:
            raise PressOver
        booking.state, booking.held_until, booking.requested_at = "held", at, None
        session.flush()
        audit(session, actor, "booking.press-undone", "booking", booking.id, before="confirmed", after="held")
        release_hold(session, booking, at=at)
    publish(session, "booking.undone", city_id=city.id, booking_id=booking.id)
    session.flush()
