"""The owner's desk: the page of one day of 200 spaces with their bookings, through the WSGI application in this process."""

from datetime import timedelta
from uuid import uuid4

from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import Engine, select, text
from sqlalchemy.orm import Session

from marketplace.accounts.models import Organisation
from marketplace.cities.models import City
from marketplace.clock import now
from spaces.calendar.rules import midnight
from tests.bench.measure import median, milliseconds, percentile, report
from tests.factories.people import join, make_person, sign_in

TIMES = 40
SPACES = 200

# The generator makes claims without holders; a day on the desk is only a day with who has what.
BOOKINGS = text("""
    INSERT INTO booking (city_id, id, reference, space_id, person_id, organisation_id, during, state, purpose, attendees,
                         lines, total_minor, vat_minor, currency, cancel_free_until, submission)
    SELECT c.city_id, c.holder_id, 'BENCH-' || c.holder_id, su.space_id, :person, v.owner_id, c.during,
           CASE WHEN c.holder_id % 7 = 0 THEN 'awaiting_approval' ELSE 'confirmed' END, 'Harjoitus', 12,
           '[]', 2000, 400, 'EUR', lower(c.during), 'bench-' || c.holder_id
    FROM claim c
    JOIN space_unit su ON su.city_id = c.city_id AND su.unit_id = c.unit_id
    JOIN space s ON s.city_id = su.city_id AND s.id = su.space_id
    JOIN venue v ON v.city_id = s.city_id AND v.id = s.venue_id
    WHERE c.city_id = :city AND v.owner_id = ANY(:owners) AND c.part = 0
      AND c.during && tstzrange(:start, :end)
      AND NOT EXISTS (SELECT 1 FROM booking b WHERE b.city_id = c.city_id AND b.id = c.holder_id)
""")


def run(app: Flask, engine: Engine, url: str) -> None:
    """The manager of as many owners as have 200 spaces looks at one day after another of a month."""
    with Session(engine, expire_on_commit=False) as session:
        city = session.scalars(select(City)).one()
        person = make_person(session, city, email=f"{uuid4().hex}@example.org", name="Manager of the bench")
        owners = owners_of(session, city)
        for organisation in owners:
            join(session, person, organisation, "manager")
        first = now().astimezone(city.zone).date() + timedelta(days=3)
        session.execute(
            BOOKINGS,
            {
                "city": city.id,
                "person": person.id,
                "owners": [organisation.id for organisation in owners],
                "start": midnight(first, city.zone),
                "end": midnight(first + timedelta(days=TIMES + 8), city.zone),
            },
        )
        client = app.test_client()
        sign_in(session, client, person)
        session.commit()
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("ANALYZE booking"))
    floor = median(milliseconds(lambda: client.get("/health/ready"), times=TIMES))
    days = iter(first + timedelta(days=n % (TIMES + 8)) for n in range(TIMES * 3))
    found = milliseconds(lambda: look(client, f"/fi/desk/timeline?day={next(days)}"), times=TIMES)
    report("console.timeline_200_ms_p50", median(found), "ms", floor=floor, n=TIMES)
    report("console.timeline_200_ms_p95", percentile(found, 0.95), "ms", floor=floor, n=TIMES)


def owners_of(session: Session, city: City) -> list[Organisation]:
    """Owners in order of id until they have 200 spaces together (or all of a smaller city)."""
    rows = session.execute(
        text("""
            SELECT v.owner_id, count(*) FROM space s JOIN venue v ON v.city_id = s.city_id AND v.id = s.venue_id
            WHERE s.city_id = :city GROUP BY v.owner_id ORDER BY v.owner_id
        """),
        {"city": city.id},
    )
    chosen, spaces = [], 0
    for owner_id, count in rows:
        if spaces < SPACES:
            chosen.append(session.get_one(Organisation, (city.id, owner_id)))
            spaces += count
    return chosen


def look(client: FlaskClient, path: str) -> None:
    response = client.get(path)
    if response.status_code != 200:
        raise RuntimeError(f"{path}: {response.status_code}")
