"""People and organisations for tests."""

from datetime import timedelta
from itertools import count

from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from bookings.lifecycle.queries import booking_grants
from marketplace.accounts.actor import Actor
from marketplace.accounts.models import Membership, Organisation, Person
from marketplace.accounts.queries import roles_of
from marketplace.cities.models import City
from marketplace.clock import now
from marketplace.identity.models import SignedInSession
from marketplace.identity.queries import COOKIE
from marketplace.ids import new_token, token_hash
from spaces.catalog.queries import venue_grants

numbers = count(1)


def make_person(session: Session, city: City, *, name: str = "Aino Korhonen", **fields: object) -> Person:
    """A person with a verified address."""
    values: dict[str, object] = {
        "city_id": city.id,
        "name": name,
        "email": f"person{next(numbers)}@example.org",
        "email_verified_at": now(),
        "language": "fi",
        **fields,
    }
    person = Person(**values)
    session.add(person)
    session.flush()
    return person


def make_organisation(
    session: Session, city: City, *, name: str = "Kallion Juniorit ry", kind: str = "association"
) -> Organisation:
    organisation = Organisation(city_id=city.id, name=name, kind=kind)
    session.add(organisation)
    session.flush()
    return organisation


def join(session: Session, person: Person, organisation: Organisation, role: str = "booker") -> Membership:
    """An accepted membership."""
    membership = Membership(
        city_id=person.city_id,
        person_id=person.id,
        organisation_id=organisation.id,
        role=role,
        accepted_at=now(),
    )
    session.add(membership)
    session.flush()
    return membership


def actor_of(session: Session, person: Person, *, acting_for: int | None = None) -> Actor:
    """The person as an actor, as a request would make it."""
    return Actor(
        city_id=person.city_id,
        person_id=person.id,
        name=person.name,
        email=person.email,
        language=person.language,
        is_verified=person.email_verified_at is not None,
        is_staff=bool(person.is_staff),
        acting_for=acting_for,
        roles=roles_of(session, person.city_id, person.id),
        grants={
            **venue_grants(session, person.city_id, person.id),
            **booking_grants(session, person.city_id, person.id),
        },
    )


def sign_in(session: Session, client: FlaskClient, person: Person, *, acting_for: int | None = None) -> None:
    """Give the client a session cookie of this person."""
    token = new_token()
    session.add(
        SignedInSession(
            city_id=person.city_id,
            person_id=person.id,
            token_hash=token_hash(token),
            acting_for=acting_for,
            expires_at=now() + timedelta(days=1),
        )
    )
    session.flush()
    client.set_cookie(COOKIE, token)
