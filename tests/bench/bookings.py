"""Creating a booking: the action alone, against a bare insert under the same exclusion constraint."""

from datetime import timedelta
from itertools import count
from uuid import uuid4

from flask import Flask
from psycopg.types.range import TimestamptzRange
from sqlalchemy import Engine, insert, select, text
from sqlalchemy.orm import Session

from bookings.lifecycle.actions import request_booking
from marketplace import db
from marketplace.cities.models import City
from marketplace.clock import now
from marketplace.timespan import Span
from spaces.calendar.models import Claim
from spaces.catalog.models import Space
from tests.bench.measure import median, milliseconds, report
from tests.factories.people import actor_of, make_person

TIMES = 200


def run(app: Flask, engine: Engine, url: str) -> None:
    """Median milliseconds of one committed booking of a random space, and of one committed bare claim."""
    db.bind(engine)
    at = now()
    with Session(engine, expire_on_commit=False) as session:
        city = session.scalars(select(City)).one()
        person = make_person(session, city, email=f"{uuid4().hex}@example.org")
        actor = actor_of(session, person)
        session.commit()
        spaces = session.scalars(
            select(Space).where(Space.approval == "instant", Space.id % 41 == 0).order_by(Space.id).limit(250)
        ).all()
    numbers = count()

    # Far ahead, where the generator has put no claims, at an hour when the space is open.
    def one(*, bare: bool) -> None:
        n = next(numbers)
        space = spaces[n % len(spaces)]
        day = (at + timedelta(days=110 + n // len(spaces))).astimezone(city.zone)
        start = day.replace(hour=15 if not bare else 3, minute=0, second=0, microsecond=0)
        span = Span(start, start + timedelta(minutes=max(60, space.min_minutes)))
        with db.transaction() as session:
            if bare:
                session.execute(
                    insert(Claim).values(
                        city_id=city.id,
                        holder_id=session.scalar(text("SELECT nextval('holder_id_seq')")),
                        unit_id=space.id,
                        during=TimestamptzRange(span.start, span.end),
                    )
                )
            else:
                request_booking(
                    session,
                    city,
                    space,
                    actor=actor,
                    during=span,
                    purpose="",
                    attendees=1,
                    organisation_id=None,
                    submission=uuid4().hex,
                    at=at,
                )

    with app.app_context():
        floor = median(milliseconds(lambda: one(bare=True), times=TIMES))
        found = milliseconds(lambda: one(bare=False), times=TIMES)
    report("booking.create_ms_p50", median(found), "ms", floor=floor, n=TIMES)
