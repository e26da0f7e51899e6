"""Who may do what with a booking."""

from collections.abc import Collection
from datetime import date

from bookings.lifecycle.errors import (
    IdentityNeeded,
    MembersOnly,
    NoRightToBook,
    NoRightToCancel,
    NotOnOffer,
    OrganisationsOnly,
    TooOld,
    TooYoung,
)
from bookings.lifecycle.models import Booking
from marketplace.accounts.actor import Actor
from marketplace.accounts.policy import require_verified
from marketplace.accounts.rules import age_on
from spaces.catalog import policy as catalog
from spaces.catalog.models import Space, Venue


def require_may_book(actor: Actor, space: Space, organisation_id: int | None) -> int:
    """The id of the person who books. Raises Unauthenticated, NotVerified, NoRightToBook, OrganisationsOnly, NotOnOffer."""
    person_id = require_verified(actor)
    if organisation_id is not None and not actor.may_book_for(organisation_id):
        raise NoRightToBook
    if organisation_id is None and space.who == "organisations":
        raise OrganisationsOnly
    if space.state != "published":
        raise NotOnOffer
    return person_id


def require_among(
    actor: Actor, space: Space, organisation_id: int | None, *, is_identified: bool, named: Collection[int]
) -> None:
    """Whom the space lets in, beside those who may book at all; `named` are the organisations that its rules name.

    A member may also book for themselves. Raises IdentityNeeded, MembersOnly.
    """
    if space.who == "verified" and not is_identified:
        raise IdentityNeeded
    if space.who == "members":
        own = actor.roles.keys() if organisation_id is None else {organisation_id}
        if not own & set(named):
            raise MembersOnly


def require_age(
    space: Space, organisation_id: int | None, born: date, *, day: date, field: str = "organisation"
) -> None:
    """The age on the day of use, of the person who books; an upper limit is for those who book for themselves.

    Raises TooYoung, TooOld.
    """
    years = age_on(born, day)
    if space.min_age is not None and years < space.min_age:
        raise TooYoung(space.min_age, field=field)
    if space.max_age is not None and organisation_id is None and years > space.max_age:
        raise TooOld(space.max_age, field=field)


def asks_age(space: Space, organisation_id: int | None) -> bool:
    """Whether the age of who books matters."""
    return space.min_age is not None or (space.max_age is not None and organisation_id is None)


def may_read_answers(actor: Actor, booking: Booking, venue: Venue) -> bool:
    """The one who booked, those who book for the organisation, and the place's handlers."""
    return (
        is_own(actor, booking)
        or (
            actor.city_id == booking.city_id
            and booking.organisation_id is not None
            and actor.may_book_for(booking.organisation_id)
        )
        or catalog.may_handle(actor, venue)
    )


def require_may_hold(actor: Actor, space: Space) -> int:
    """The id of the person who may hold a time while choosing whom to book for. Raises Unauthenticated, NotVerified,
    NotOnOffer."""
    person_id = require_verified(actor)
    if space.state != "published":
        raise NotOnOffer
    return person_id


def is_own(actor: Actor, booking: Booking) -> bool:
    return actor.is_signed_in and actor.city_id == booking.city_id and booking.person_id == actor.person_id


def is_responsible(actor: Actor, booking: Booking) -> bool:
    """Whether the booker has added the actor; until a month after the booking, see `queries.booking_grants`."""
    return actor.city_id == booking.city_id and ("booking", booking.id) in actor.grants


def responsible_for(actor: Actor) -> list[int]:
    """The ids of the bookings that the actor has been added to."""
    return [subject for kind, subject in actor.grants if kind == "booking"]


def may_see(actor: Actor, booking: Booking, venue: Venue) -> bool:
    """The one who booked, the members of the organisation it is for, whom the booker has added, and those who run the
    place."""
    return (
        is_own(actor, booking)
        or is_responsible(actor, booking)
        or (actor.city_id == booking.city_id and booking.organisation_id in actor.roles)
        or catalog.may_read(actor, venue)
    )


def may_cancel(actor: Actor, booking: Booking) -> bool:
    """The one who booked for themselves; for an organisation, anyone who books for it today.

    So whoever has left an association cannot cancel its bookings, not even those made by them.
    """
    if actor.city_id != booking.city_id:
        return False
    if booking.organisation_id is None:
        return is_own(actor, booking)
    return actor.may_book_for(booking.organisation_id)


def require_may_cancel(actor: Actor, booking: Booking) -> None:
    if not may_cancel(actor, booking):
        raise NoRightToCancel


def may_decide(actor: Actor, venue: Venue) -> bool:
    """Approve, decline or move: managers, the venue's handlers, and staff."""
    return catalog.may_handle(actor, venue)


def works_somewhere(actor: Actor, roles: frozenset[str] = catalog.VIEW) -> bool:
    """Whether there may be a place at which the actor has one of these roles; those who run one have every role."""
    return (
        actor.is_staff
        or any(actor.manages(organisation_id) for organisation_id in actor.roles)
        or any(kind == "venue" and role in roles for (kind, _), role in actor.grants.items())
    )
