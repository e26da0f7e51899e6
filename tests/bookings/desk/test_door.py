"""The week for the door: times for everyone, names of organisations, and no person's name."""

from collections.abc import Callable
from datetime import date

import pytest
from flask.testing import FlaskClient
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy.orm import Session

from bookings.desk.rules import door_label, shown_hours
from bookings.lifecycle.actions import approve_booking
from marketplace.accounts.models import Person
from marketplace.cities.models import City
from marketplace.timespan import Span
from spaces.catalog.models import Space, Venue
from tests.bookings.desk.conftest import ROLES, STRANGERS
from tests.factories.bookings import NOW, book
from tests.factories.people import actor_of, join, make_organisation

KNOWN = {"meeting": {"Meeting", "Kokous", "Möte"}}


@pytest.fixture
def booked(
    session: Session,
    city: City,
    space: Space,
    venue: Venue,
    person: Person,
    persona: Callable[[str], Person],
    at_hours: Callable[[float, float], Span],
) -> None:
    association = make_organisation(session, city, name="Kallion Juniorit ry")
    join(session, person, association)
    actor, staff = actor_of(session, person), actor_of(session, persona("staff"))
    for n, (hour, purpose, organisation_id) in enumerate(
        ((9, "Maijan synttärit", None), (12, "Kokous", association.id), (15, "Matti K.", association.id))
    ):
        booking = book(
            session,
            city,
            space,
            actor,
            at_hours(hour, hour + 2),
            purpose=purpose,
            organisation_id=organisation_id,
        )
        if n < 3:
            approve_booking(session, city, booking, venue, actor=staff, at=NOW)
    book(session, city, space, actor, at_hours(18, 20), purpose="Kokous", organisation_id=association.id)
    session.commit()


@pytest.mark.usefixtures("booked")
@pytest.mark.parametrize("what", ROLES)
@pytest.mark.parametrize(
    ("language", "words"),
    [
        ("fi", ("Varattu", "Pyydetty")),
        ("sv", ("Bokad", "Begärd")),
        ("en", ("Booked", "Requested")),
    ],
)
def test_the_door_says_when_and_which_organisation(
    client_of: Callable[[str], FlaskClient],
    space: Space,
    day: date,
    what: str,
    language: str,
    words: tuple[str, str],
) -> None:
    page = client_of(what).get(f"/{language}/desk/spaces/{space.id}/week.html?day={day}").text
    body = page[page.index("doorweek__t") :]
    for hours in ("9.00\u2060–\u206011.00", "12.00\u2060–\u206014.00", "18.00\u2060–\u206020.00"):
        assert hours in body
    assert body.count("Kallion Juniorit ry") == 2, "the request is not theirs yet"
    for word in words:
        assert word in body
    for private in ("Aino", "Korhonen", "Maijan", "Matti"):
        assert private not in body


@pytest.mark.usefixtures("booked")
@pytest.mark.parametrize("what", STRANGERS)
def test_the_desk_of_a_space_is_for_its_people(
    client_of: Callable[[str], FlaskClient], space: Space, what: str
) -> None:
    assert client_of(what).get(f"/en/desk/spaces/{space.id}/week.html").status_code in {302, 303, 404}


@given(
    organisation=st.none() | st.text(min_size=1),
    purpose=st.text() | st.sampled_from(["Kokous", " meeting ", "MÖTE"]),
    is_certain=st.booleans(),
)
def test_a_label_never_holds_free_text(organisation: str | None, purpose: str, is_certain: bool) -> None:
    label = door_label(organisation=organisation, purpose=purpose, is_certain=is_certain, known=KNOWN)
    assert label.organisation in {None, organisation}
    assert label.purpose in {None, "meeting"}
    if organisation is None or not is_certain:
        assert (label.organisation, label.purpose) == (None, None)
    elif purpose.strip().casefold() in {"kokous", "meeting", "möte"}:
        assert label.purpose == "meeting"


@given(
    st.lists(
        st.tuples(st.floats(0, 23.9), st.floats(0.1, 30)).map(lambda pair: (pair[0], pair[0] + pair[1])),
        max_size=6,
    )
)
def test_the_drawn_hours_hold_every_span_up_to_midnight(spans: list[tuple[float, float]]) -> None:
    first, last = shown_hours(spans)
    assert 0 <= first <= 7
    assert 22 <= last <= 24
    for start, end in spans:
        assert first <= start
        assert min(end, 24) <= last
