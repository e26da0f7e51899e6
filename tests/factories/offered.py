"""What people have booked before, and what they have said of being offered spaces, for tests."""

from datetime import date, datetime, timedelta
from itertools import count

from psycopg.types.range import TimestamptzRange
from sqlalchemy.orm import Session

from bookings.lifecycle.models import Booking
from bookings.offered.actions import say_consent
from marketplace.accounts.models import Organisation, Person
from marketplace.cities.models import City
from spaces.catalog.models import Space
from tests.factories.bookings import span_on
from tests.factories.people import actor_of

numbers = count(1)


def was_booked(
    session: Session,
    city: City,
    space: Space,
    person: Person,
    day: date,
    *,
    hours: tuple[float, float] = (18, 20),
    organisation: Organisation | None = None,
    purpose: str = "Vuosikokous",
    people: int | None = 25,
    state: str = "completed",
) -> Booking:
    """A booking that is over, without claims, as it would stand after its time."""
    number = next(numbers)
    span = span_on(city, *hours, day=day)
    booking = Booking(
        city_id=city.id,
        reference=f"WAS0-{number:04d}",
        space_id=space.id,
        person_id=person.id,
        organisation_id=organisation.id if organisation else None,
        during=TimestamptzRange(span.start, span.end),
        state=state,
        requested_at=span.start - timedelta(days=9),
        purpose=purpose,
        attendees=people,
        lines=[],
        total_minor=0,
        vat_minor=0,
        currency="EUR",
        cancel_free_until=span.start,
        submission=f"was-{number}",
    )
    session.add(booking)
    session.flush()
    return booking


def let_offer(session: Session, person: Person, at: datetime) -> None:
    """The person says yes."""
    say_consent(session, actor=actor_of(session, person), agrees=True, at=at)
