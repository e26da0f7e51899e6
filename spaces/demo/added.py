"""What the demo's bookings can add, and the square that is priced by the city's tariff."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from marketplace.accounts.actor import Actor
from marketplace.cities.models import City
from marketplace.clock import now
from spaces.catalog.models import Space, Venue
from spaces.demo.markets import SOURCE
from spaces.equipment.actions import AskedExtra, add_extra
from spaces.pricing.actions import follow_tariffs, store_tariffs, tariff_columns
from spaces.pricing.models import Price
from spaces.pricing.outdoor import EVENT, Tariff, TariffChoice
from spaces.pricing.tariffs import SOURCE as TARIFF_SOURCE
from spaces.transfer.price_text import FIRST_DAY

# Zone 1 of Helsinki's outdoor events, hard surface: hundredths of a cent a day, half of it on build days (2025).
CHARGES = (
    ("PUBLIC_FREE", 5_000_000),
    ("PUBLIC_NONFREE", 10_000_000),
    ("CLOSED", 10_000_000),
    ("PROMOTION", 5_000_000),
)
CHOICE = TariffChoice(TARIFF_SOURCE, EVENT, "", "zone-1", "HARD", "")
SQUARE = ("railway-square", "square")
HOUSE = "koskela-youth-centre"
EXTRAS = (
    AskedExtra(
        names={"fi": "Taittopöydät", "sv": "Fällbord", "en": "Folding tables"},
        descriptions={"fi": "180 × 75 cm, kuudelle.", "sv": "180 × 75 cm, för sex.", "en": "180 × 75 cm, for six."},
        stock=20,
        most=12,
    ),
    AskedExtra(
        names={"fi": "Äänentoisto", "sv": "Ljudanläggning", "en": "PA system"},
        descriptions={
            "fi": "Kaksi kaiutinta, mikseri ja kaksi mikrofonia.",
            "sv": "Två högtalare, mixer och två mikrofoner.",
            "en": "Two speakers, a mixer and two microphones.",
        },
        stock=1,
        per="booking",
        amount_minor=1500,
    ),
    AskedExtra(
        names={"fi": "Sählymailat", "sv": "Innebandyklubbor", "en": "Floorball sticks"},
        stock=16,
        per="hour",
        amount_minor=50,
    ),
)  # fmt: skip


def price_by_tariff(session: Session, city: City, *, actor: Actor) -> None:
    """The tariff's rows, and the square that goes by them."""
    rows = [
        Tariff(EVENT, key, charge, "day", place=CHOICE.place, surface=CHOICE.surface, build_percent=50)
        for key, charge in CHARGES
    ]
    store_tariffs(session, city, rows, source=TARIFF_SOURCE, actor=actor)
    square_id = session.scalar(
        select(Space.id)
        .join(Venue, (Venue.city_id == Space.city_id) & (Venue.id == Space.venue_id))
        .where(
            Space.city_id == city.id,
            Venue.source == SOURCE,
            Venue.external_id == SQUARE[0],
            Space.external_id == SQUARE[1],
        )
    )
    price = session.get(Price, (city.id, square_id, FIRST_DAY)) if square_id else None
    if price is None or price.per == "tariff":
        return
    price.per, price.vat_code = "tariff", "zero"  # a permit of the city is outside the tax
    for name, value in tariff_columns(CHOICE).items():
        setattr(price, name, value)
    session.flush()
    follow_tariffs(session, city)


def lend_equipment(session: Session, city: City, *, actor: Actor) -> None:
    """What the hall and its halves share."""
    venue = session.scalar(
        select(Venue).where(Venue.city_id == city.id, Venue.source == SOURCE, Venue.external_id == HOUSE)
    )
    if venue is None:
        return
    space_ids = frozenset(
        session.scalars(select(Space.id).where(Space.city_id == city.id, Space.venue_id == venue.id))
    )
    for n, asked in enumerate(EXTRAS, 1):
        offered = AskedExtra(**{**asked.__dict__, "space_ids": space_ids})
        add_extra(session, city, venue, offered, submission=f"demo-{n}", actor=actor, at=now())
