"""Who may do what with a booking."""

from bookings.lifecycle.errors import NoRightToBook, NoRightToCancel, NotOnOffer, OrganisationsOnly
from bookings.lifecycle.models import Booking
from marketplace.accounts.actor import Actor
from marketplace.accounts.policy import require_verified
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


def is_own(actor: Actor, booking: Booking) -> bool:
    return actor.is_signed_in and actor.city_id == booking.city_id and booking.person_id == actor.person_id


def may_see(actor: Actor, booking: Booking, venue: Venue) -> bool:
    """The one who booked, the members of the organisation it is for, and those who run the place."""
    return (
        is_own(actor, booking)
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
