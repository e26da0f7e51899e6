"""What is committed is seen by the next search: the page, the map and the API keep no answer that could be old."""

from datetime import timedelta

from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from marketplace.cities.models import City
from marketplace.clock import now
from spaces.calendar.actions import claim_space, compile_spaces, release_claims
from spaces.calendar.models import HOLDER_IDS
from spaces.calendar.queries import booking_rules
from spaces.catalog.models import Space
from tests.factories.bookings import span_on
from tests.factories.spaces import make_space, make_venue


def seen(client: FlaskClient, city: City, space: Space) -> list[bool]:
    """Whether a time at 18 on the tenth day is free, by each way of asking."""
    day = now().astimezone(city.zone).date() + timedelta(days=10)
    asked = {"when": f"{day.day}.{day.month}.{day.year} 18-20", "minutes": 120}
    by_page = client.get("/en/spaces", query_string=asked)
    by_map = client.get("/en/spaces/map", query_string=asked)
    by_program = client.get(
        "/api/v1/spaces", query_string={"when": day, "from": "18:00", "to": "20:00", "minutes": 120}
    )
    for answer in (by_page, by_map, by_program):
        assert answer.status_code == 200
        assert "max-age" not in answer.headers.get("Cache-Control", "")
    found = by_program.json
    assert found is not None
    (row,) = found["spaces"]
    return [": 1 is free" in by_page.text, bool(found["free"]), row["is_free"]]


def test_a_claim_and_its_release_are_seen_at_once(client: FlaskClient, session: Session, city: City) -> None:
    space = make_space(session, make_venue(session, city))
    compile_spaces(session, city, [space.id])
    session.commit()
    day = now().astimezone(city.zone).date() + timedelta(days=10)
    for _ in range(3):
        assert seen(client, city, space) == [True] * 3
        holder_id = session.scalar(HOLDER_IDS.next_value())
        assert holder_id is not None
        claim_space(
            session,
            city,
            space.id,
            holder_id=holder_id,
            body=span_on(city, 19, 20, day=day),
            rules=booking_rules(space),
        )
        session.commit()
        assert seen(client, city, space) == [False] * 3
        release_claims(session, city, holder_id=holder_id)
        session.commit()
