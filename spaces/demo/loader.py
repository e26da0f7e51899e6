"""Fills an empty database with a demo city: its places from `helsinki.json`, and a few people to sign in as.

Loading again changes nothing. Bookings are not known here; a higher part adds its own through `Part.demo`.
"""

import json
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from pathlib import Path
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from marketplace.accounts.actor import Actor, system
from marketplace.accounts.models import Membership, Organisation, Person
from marketplace.cities.models import City, VatRate
from marketplace.cities.queries import city_of_slug
from marketplace.clock import now
from marketplace.identity.actions import register_demo_person
from spaces.demo.added import lend_equipment, price_by_tariff
from spaces.demo.listings import demo_listings
from spaces.demo.markets import draw_demo_markets
from spaces.districts.actions import store_districts
from spaces.districts.cells import SOURCE, voronoi_districts
from spaces.districts.models import District, HomeDistrict
from spaces.transfer.actions import import_listings
from spaces.transfer.price_text import FIRST_DAY

DATA = Path(__file__).parent / "helsinki.json"
PASSWORD = "demo-tilaa-2026"  # noqa: S105 - of invented people, never loaded in production

# Finnish VAT: 25.5 % since 2024-09-01; the reduced rate was 14 % and is 13.5 % since 2026-01-01.
VAT_RATES = (
    ("standard", date(2024, 9, 1), 2550),
    ("reduced", date(2024, 9, 1), 1400),
    ("reduced", date(2026, 1, 1), 1350),
    ("zero", date(2024, 9, 1), 0),
)

ASSOCIATIONS = ("Kallion Juniorit ry", "Koskelan asukasyhdistys ry")


@dataclass(frozen=True)
class Account:
    """A person to sign in as; `roles` are organisation names (owners by key) with the role in each."""

    email: str
    name: str
    language: str
    home: str
    roles: tuple[tuple[str, str], ...] = ()
    is_staff: bool = False

    @property
    def about(self) -> str:
        """What this person is good for, in a few words."""
        told = [f"{role} in {organisation}" for organisation, role in self.roles]
        if self.is_staff:
            told.append("the city's own staff")
        return ", ".join(told) or "books for herself or himself"


ACCOUNTS = (
    Account(
        "aino@example.org", "Aino Korhonen", "fi", "kallio",
        (("Kallion Juniorit ry", "booker"), ("Koskelan asukasyhdistys ry", "manager")),
    ),
    Account("mikko@example.org", "Mikko Laine", "fi", "vallila"),
    Account(
        "elina@example.org", "Elina Saari", "fi", "kapyla",
        (("Helsingin kaupunki, nuorisopalvelut", "manager"),),
    ),
    Account("staff@example.org", "Sanna Heikkilä", "fi", "toolo", is_staff=True),
)  # fmt: skip


@lru_cache(maxsize=1)
def demo_data() -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads(DATA.read_text(encoding="utf-8"))
    return loaded


def demo_city(session: Session) -> City:
    """The demo's city, made where it is missing; one that exists keeps its own names and look."""
    told = demo_data()["city"]
    city = city_of_slug(session, told["slug"])
    if city is None:
        columns = ("slug", "names", "time_zone", "metric_crs", "currency", "languages", "country")
        city = City(**{name: told[name] for name in columns})
        session.add(city)
        session.flush()
        session.refresh(city)
    rows = session.execute(select(VatRate.code, VatRate.valid_from).where(VatRate.city_id == city.id))
    have = {(code, day) for code, day in rows}
    session.add_all(
        VatRate(city_id=city.id, code=code, valid_from=day, basis_points=rate)
        for code, day, rate in VAT_RATES
        if (code, day) not in have
    )
    session.flush()
    return city


def load_demo(session: Session, city: City) -> None:
    """Districts, owners, places and people: what this package adds to the demo."""
    data = demo_data()
    actor = system(city.id, "command")
    frame = voronoi_districts(data["districts"], data["outline"], data["islands"], metric_crs=city.metric_crs)
    store_districts(session, city, frame, source=SOURCE, actor=actor)
    load_organisations(session, city, data)
    today = now().astimezone(city.zone).date()
    report = import_listings(session, city, demo_listings(data, today=today), actor=actor)
    if report.problems:
        raise ValueError(f"the demo city has a mistake: {report.problems[0]}")
    draw_demo_markets(session, city, data, first_day=FIRST_DAY)
    owner = Actor(city.id, source="command", is_staff=True)
    price_by_tariff(session, city, actor=owner)
    lend_equipment(session, city, actor=owner)
    load_people(session, city)


def load_organisations(session: Session, city: City, data: dict[str, Any]) -> None:
    wanted = [(owner["names"]["fi"], owner["kind"], owner.get("business_id")) for owner in data["owners"]]
    wanted += [(name, "association", None) for name in ASSOCIATIONS]
    have = set(session.scalars(select(Organisation.name).where(Organisation.city_id == city.id)))
    session.add_all(
        Organisation(city_id=city.id, name=name, kind=kind, business_id=business_id)
        for name, kind, business_id in wanted
        if name not in have
    )
    session.flush()


def load_people(session: Session, city: City) -> None:
    """The accounts with verified addresses, their roles and homes."""
    organisations = {
        name: organisation_id
        for name, organisation_id in session.execute(
            select(Organisation.name, Organisation.id).where(Organisation.city_id == city.id)
        )
    }
    for account in ACCOUNTS:
        person = register_demo_person(
            session,
            city,
            name=account.name,
            email=account.email,
            password=PASSWORD,
            language=account.language,
        )
        if account.is_staff and not person.is_staff:
            person.is_staff = True
        for name, role in account.roles:
            join(session, person, organisations[name], role)
        settle(session, person, account.home)
    session.flush()


def join(session: Session, person: Person, organisation_id: int, role: str) -> None:
    known = session.scalar(
        select(Membership.id).where(
            Membership.city_id == person.city_id,
            Membership.person_id == person.id,
            Membership.organisation_id == organisation_id,
        )
    )
    if known is None:
        session.add(
            Membership(
                city_id=person.city_id, organisation_id=organisation_id, person_id=person.id,
                role=role, accepted_at=now(),
            )
        )  # fmt: skip


def settle(session: Session, person: Person, code: str) -> None:
    if session.get(HomeDistrict, (person.city_id, person.id)) is not None:
        return
    district_id = session.scalar(
        select(District.id).where(District.city_id == person.city_id, District.code == code)
    )
    if district_id is not None:
        session.add(HomeDistrict(city_id=person.city_id, person_id=person.id, district_id=district_id))
