from dataclasses import dataclass
from typing import Any

import pytest
from flask import Flask
from sqlalchemy.orm import Session

from bookings.checkout.models import Order
from bookings.invoices.actions import issue_for_orders
from bookings.invoices.models import Invoice, InvoiceSeller, InvoiceTerms
from bookings.lifecycle.models import Booking
from marketplace.accounts.actor import Actor, system
from marketplace.accounts.models import Organisation, Person
from marketplace.cities.models import City
from spaces.catalog.models import Space
from tests.factories.bookings import NOW, book, open_space, span_on
from tests.factories.invoices import make_order, make_seller, make_terms
from tests.factories.people import actor_of, join, make_organisation, make_person


@dataclass
class Scene:
    """A city that sells, an association that books and pays by invoice, and one booking of theirs."""

    session: Session
    city: City
    seller: InvoiceSeller
    organisation: Organisation
    terms: InvoiceTerms
    manager: Person
    staff: Person
    space: Space
    booking: Booking

    @property
    def program(self) -> Actor:
        return system(self.city.id)

    @property
    def clerk(self) -> Actor:
        return actor_of(self.session, self.staff)

    def order(self, *lines: tuple[int, int], **fields: Any) -> Order:
        return make_order(self.session, self.city, self.booking, self.organisation, *lines, **fields)

    def issued(self, *lines: tuple[int, int]) -> Invoice:
        """An invoice of one order."""
        order = self.order(*(lines or ((12000, 2550),)))
        (invoice,) = issue_for_orders(self.session, self.city, [order], at=NOW, actor=self.program)
        self.session.commit()
        return invoice


@pytest.fixture
def scene(app: Flask, session: Session, city: City) -> Scene:
    organisation = make_organisation(session, city)
    manager = make_person(session, city, name="Mikko Manageri")
    join(session, manager, organisation, "manager")
    staff = make_person(session, city, name="Saara Staff", is_staff=True)
    space = open_space(session, city)
    with app.app_context():
        booking = book(
            session,
            city,
            space,
            actor_of(session, manager),
            span_on(city, 18, 19.5),
            organisation_id=organisation.id,
        )
    made = Scene(
        session,
        city,
        make_seller(session, city),
        organisation,
        make_terms(session, organisation),
        manager,
        staff,
        space,
        booking,
    )
    session.commit()
    return made


@pytest.fixture(autouse=True)
def _inside(app: Flask) -> Any:
    """Texts are made inside the application, as in jobs."""
    with app.app_context():
        yield
