"""Which ways of paying are possible, for whom; and who is paid."""

from collections.abc import Mapping, Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from marketplace.accounts.models import Organisation
from marketplace.cities.models import City
from marketplace.payments.gateway import card_payments_on, gateway_for
from marketplace.payments.policy import CITY_KINDS
from marketplace.payments.queries import payee_of as payee_account
from spaces.catalog.models import Space, Venue
from spaces.pricing.ways import in_order


def payee_of(session: Session, venue: Venue) -> int | None:
    """The private supplier who is paid for this place's spaces; None: the city."""
    owner = session.get_one(Organisation, (venue.city_id, venue.owner_id))
    return None if owner.kind in CITY_KINDS else owner.id


def takes_cards(session: Session, city: City, space: Space) -> bool:
    """Whether the space can be paid by card: there is a gateway, and a private supplier has an account that may be paid."""
    if not card_payments_on():
        return False
    payee = payee_of(session, session.get_one(Venue, (city.id, space.venue_id)))
    if payee is None:
        return True
    account = payee_account(session, city.id, payee, gateway_for().name)
    return account is not None and account.state == "enabled"


def ways_of(
    session: Session,
    city: City,
    space: Space,
    offered: Sequence[str],
    organisation_ids: Sequence[int | None],
) -> Mapping[int | None, Sequence[str]]:
    """Which of the offered ways each of these can pay in. Cards need a gateway, an invoice an organisation with a business
    id; where nothing but a card is offered and none can be taken, it is paid at the place."""
    cards = "card" in offered and takes_cards(session, city, space)
    invoiced = with_business_id(session, city.id, organisation_ids) if "invoice" in offered else set()
    found: dict[int | None, Sequence[str]] = {}
    for id_ in organisation_ids:
        possible = in_order(
            way
            for way in offered
            if way == "on_the_spot" or (way == "card" and cards) or (way == "invoice" and id_ in invoiced)
        )
        if not possible and "card" in offered:
            possible = ("on_the_spot",)
        found[id_] = possible
    return found


def with_business_id(
    session: Session, city_id: int, organisation_ids: Sequence[int | None]
) -> set[int | None]:
    ids = [id_ for id_ in organisation_ids if id_ is not None]
    if not ids:
        return set()
    return set(
        session.scalars(
            select(Organisation.id).where(
                Organisation.city_id == city_id,
                Organisation.id.in_(ids),
                Organisation.business_id.is_not(None),
            )
        )
    )
