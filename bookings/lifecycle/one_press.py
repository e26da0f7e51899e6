"""Whether a time can be booked with one press: nothing has to be asked first, and nothing is owed that could not be
given back."""

from datetime import datetime

from sqlalchemy.orm import Session

from bookings.lifecycle.actions import Looked, prices_for
from bookings.lifecycle.asked import asked_of, at_once, choices_kept_out
from bookings.lifecycle.errors import NotOnOffer
from bookings.lifecycle.rules import free_until
from marketplace.accounts.actor import Actor
from marketplace.cities.models import City
from marketplace.timespan import Span
from spaces.catalog.models import Space
from spaces.pricing.rules import PriceTerms, Quote
from spaces.pricing.ways import USUAL_WAYS
from spaces.rules.queries import questions_of


def asks_first(
    session: Session,
    space: Space,
    actor: Actor,
    *,
    organisation_id: int | None,
    people: int | None,
    looked: Looked | None = None,
) -> bool:
    """Whether something must be asked or answered before this booker can have the space at once."""
    if (
        not actor.is_verified
        or (space.capacity is not None and (people or 0) > space.capacity)
        or (space.who == "organisations" and organisation_id is None)
    ):
        return True
    asked = asked_of(session, space, actor, questions=looked.questions if looked is not None else None)
    return (
        asked.is_anything
        or (people is None and asked.attendees)
        or bool(choices_kept_out(session, space, actor, [organisation_id]))
        or not at_once(session, space, organisation_id)
    )


def is_binding(
    session: Session, city: City, space: Space, during: Span, organisation_id: int | None, *, at: datetime
) -> bool:
    """Whether booking costs money that cancelling would no longer give back: that is said before, not after. So is a
    price that depends on what the booker says of the use."""
    try:
        terms, prices = prices_for(session, city, space, during, [organisation_id], at=at)
    except NotOnOffer:
        return False
    return binds(space, terms, prices[organisation_id], during, at=at)


def look_at(
    session: Session, city: City, space: Space, during: Span, organisation_id: int | None, *, at: datetime
) -> Looked | None:
    """What the booking itself need not read once more; None of a space that is not on offer."""
    try:
        terms, prices = prices_for(session, city, space, during, [organisation_id], at=at)
    except NotOnOffer:
        return None
    return Looked(questions_of(session, space), terms, prices)


def is_paid_first(
    session: Session, city: City, space: Space, during: Span, organisation_id: int | None, *, at: datetime
) -> bool:
    """Whether the payer has to choose a way of paying, or to pay, before the time is theirs."""
    try:
        terms, prices = prices_for(session, city, space, during, [organisation_id], at=at)
    except NotOnOffer:
        return False
    return asks_way(terms, prices[organisation_id])


def asks_way(terms: PriceTerms, price: Quote) -> bool:
    """As `is_paid_first`, of a price that is known."""
    return bool(price.total) and terms.ways != USUAL_WAYS


def binds(space: Space, terms: PriceTerms, price: Quote, during: Span, *, at: datetime) -> bool:
    """As `is_binding`, of a price that is known."""
    if terms.per == "tariff":
        return True
    is_late = free_until(during.start, price.cancel.free_hours(space.cancellation_hours)) <= at
    return is_late and bool(price.total) and (price.kept_percent > 0 or price.cancel.fee_minor > 0)
