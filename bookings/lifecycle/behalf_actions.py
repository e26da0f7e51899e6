"""A handler books for a customer who phones or writes.

The booking is the customer's own: they see it, change it and cancel it as any other. A customer without an account gets
one without a password, into which they come by a mailed link. The handler is bound by the opening hours and by what
others have, not by the rules for bookers.
"""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from bookings.lifecycle.actions import agree, check_attendees, new_booking, prices_for, same_request
from bookings.lifecycle.errors import CustomerUnnamed, InThePast, NotBookersOrganisation, NotOnOffer, NotOpen
from bookings.lifecycle.models import Booking
from bookings.lifecycle.queries import booking_of_submission
from bookings.lifecycle.rules import schedule_after_move
from marketplace.accounts.actor import Actor
from marketplace.accounts.audit import audit
from marketplace.accounts.models import Membership, Organisation, Person
from marketplace.accounts.policy import require_verified
from marketplace.accounts.queries import person_of_email
from marketplace.cities.models import City
from marketplace.jobs.messages import publish
from marketplace.money import Money
from marketplace.timespan import Span
from spaces.calendar.actions import claim_space
from spaces.calendar.queries import booking_rules, calendar_of
from spaces.calendar.rules import DAY, uncovered
from spaces.catalog.models import Space, Venue
from spaces.catalog.policy import require_may_handle
from spaces.pricing.rules import Line, Quote

SOURCE = "desk"
# Shown on the desk; a draft has no customers yet.
BOOKABLE = frozenset({"published", "hidden"})


@dataclass(frozen=True)
class Customer:
    """Who phones: `email` in its kept form. Name, phone and language are only used for a new account; `organisation` is
    the name or business id of one that the customer books for, or empty."""

    email: str
    name: str
    phone: str | None
    language: str
    organisation: str = ""


@dataclass(frozen=True)
class Ask:
    """What the customer wants. With `free_reason` the owner takes no money, and the customer reads why."""

    during: Span
    attendees: int | None
    purpose: str
    note: str = ""
    free_reason: str = ""


def book_for_customer(
    session: Session,
    city: City,
    space: Space,
    venue: Venue,
    customer: Customer,
    *,
    ask: Ask,
    actor: Actor,
    submission: str,
    at: datetime,
) -> Booking:
    """Book at once, at the customer's own price or for nothing.

    The same `submission` for the same customer gives the booking it has made already. Raises NotVerified, NotYourVenue,
    NotOnOffer, CustomerUnnamed, NotBookersOrganisation, TooManyPeople, AttendeesOutOfRange, InThePast, NotOpen,
    SlotTaken, SubmissionUsed; then the transaction must be rolled back, for the customer's account may be new.
    """
    require_verified(actor)
    require_may_handle(actor, venue)
    if space.state not in BOOKABLE:
        raise NotOnOffer
    person = customer_of(session, city, customer, actor=actor)
    key = f"{SOURCE}:{submission}"
    known = booking_of_submission(session, city.id, person.id, key)
    if known is not None:
        return same_request(known, space, ask.during)
    organisation = organisation_of(session, person, customer.organisation)
    organisation_id = organisation.id if organisation is not None else None
    check_attendees(space, ask.attendees)
    check_hours(session, city, space, ask.during, at=at)
    _, prices = prices_for(session, city, space, ask.during, [organisation_id], at=at)
    price = waived(prices[organisation_id], ask.free_reason) if ask.free_reason else prices[organisation_id]
    booking = new_booking(city, space, person.id, ask.during, submission=key, source=SOURCE, at=at)
    agree(
        booking,
        space,
        price,
        state="confirmed",
        organisation_id=organisation_id,
        purpose=ask.purpose,
        attendees=ask.attendees,
        at=at,
    )
    # Somebody else pressed the button, so there is always time to take it back.
    with_grace = schedule_after_move(booking.schedule, ask.during.start, space.cancellation_hours, at=at)
    booking.agree_on(with_grace, in_steps=bool(booking.cancel_tiers))
    with session.begin_nested():
        session.add(booking)
        session.flush()
        claim_space(
            session, city, space.id, holder_id=booking.id, body=ask.during, rules=booking_rules(space)
        )
    audit(
        session,
        actor,
        "booking.entered",
        "booking",
        booking.id,
        before=None,
        after={"state": booking.state, "total_minor": booking.total_minor, "customer": person.id},
        source=SOURCE,
        note=ask.note,
        free_reason=ask.free_reason,
    )
    publish(session, "booking.confirmed", city_id=city.id, booking_id=booking.id, note=ask.note)
    session.flush()
    return booking


def price_for_customer(
    session: Session, city: City, space: Space, customer: Customer, *, ask: Ask, at: datetime
) -> Quote:
    """What it would cost; changes nothing. Raises NotOnOffer, NotBookersOrganisation."""
    person = person_of_email(session, city.id, customer.email)
    if person is None and customer.organisation:
        raise NotBookersOrganisation
    organisation = organisation_of(session, person, customer.organisation) if person is not None else None
    organisation_id = organisation.id if organisation is not None else None
    _, prices = prices_for(session, city, space, ask.during, [organisation_id], at=at)
    price = prices[organisation_id]
    return waived(price, ask.free_reason) if ask.free_reason else price


def customer_of(session: Session, city: City, customer: Customer, *, actor: Actor) -> Person:
    """The customer's account, new where there is none; what a known one says is left as it is. Raises CustomerUnnamed."""
    known = person_of_email(session, city.id, customer.email)
    if known is not None:
        return known
    if not customer.name:
        raise CustomerUnnamed
    made = session.scalar(
        insert(Person)
        .values(
            city_id=city.id,
            email=customer.email,
            name=customer.name,
            phone=customer.phone or None,
            language=customer.language,
        )
        .on_conflict_do_nothing(index_elements=["city_id", "email"])
        .returning(Person.id)
    )
    if made is not None:
        audit(session, actor, "person.entered", "person", made)
    return session.scalars(
        select(Person).where(Person.city_id == city.id, Person.email == customer.email)
    ).one()


def organisation_of(session: Session, person: Person, text: str) -> Organisation | None:
    """The organisation of this name or business id that the person may book for. Raises NotBookersOrganisation, for what
    is no organisation here as well: who belongs where is their own affair."""
    wanted = " ".join(text.split()).lower()
    if not wanted:
        return None
    found = session.scalar(
        select(Organisation)
        .join(
            Membership,
            (Membership.city_id == Organisation.city_id) & (Membership.organisation_id == Organisation.id),
        )
        .where(
            Organisation.city_id == person.city_id,
            Membership.person_id == person.id,
            Membership.role.in_(("booker", "manager")),
            Membership.accepted_at.is_not(None),
            (func.lower(Organisation.name) == wanted) | (func.lower(Organisation.business_id) == wanted),
        )
        .order_by(Organisation.id)
        .limit(1)
    )
    if found is None:
        raise NotBookersOrganisation
    return found


def check_hours(session: Session, city: City, space: Space, during: Span, *, at: datetime) -> None:
    """Whether the space is open all the time; whether it is free the claims decide. A time that has begun can still be
    written down.

    Raises InThePast, NotOpen.
    """
    if during.end <= at:
        raise InThePast
    # Openings that touch count as one, so a booking may pass midnight in a space that never closes.
    opened = calendar_of(session, city.id, space.id, during.widened(DAY, DAY), city.zone).open
    if uncovered(during, opened, whole_days=space.whole_days, zone=city.zone):
        raise NotOpen


def waived(price: Quote, reason: str) -> Quote:
    """The price with a last line that takes all of it off."""
    zero = Money.zero(price.total.currency)
    if not price.total:
        return price
    line = Line("waived", Decimal(1), -price.total, -price.total, reason)
    return Quote((*price.lines, line), zero, zero, price.vat_basis_points)
