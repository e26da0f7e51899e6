"""One space's month: what is open, taken and free on each of its days, as the pages of a space read it."""

from datetime import timedelta
from itertools import count

from flask import Flask
from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from marketplace import db
from marketplace.cities.models import City
from marketplace.clock import now
from marketplace.timespan import Span, day_span
from spaces.calendar.queries import calendar_of
from spaces.calendar.sheets import month_days
from spaces.catalog.models import Space
from tests.bench.measure import median, milliseconds, report

TIMES = 200


def run(app: Flask, engine: Engine, url: str) -> None:
    """Median milliseconds for a random space's next month, each in a transaction of its own."""
    db.bind(engine)
    with Session(engine, expire_on_commit=False) as session:
        city = session.scalars(select(City)).one()
        ids = session.scalars(select(Space.id).where(Space.id % 7 == 0).order_by(Space.id).limit(TIMES)).all()
    first = (now().astimezone(city.zone).date().replace(day=1) + timedelta(days=32)).replace(day=1)
    days = [day_span(day, city.zone) for day in month_days(first)]
    window = Span(days[0].start, days[-1].end)
    numbers = count()
    seen: list[int] = []

    def one() -> None:
        with db.transaction() as session:
            calendar = calendar_of(session, city.id, ids[next(numbers) % len(ids)], window, city.zone)
        free, taken = calendar.free, calendar.taken
        seen.append(sum(len(free.clipped(day)) + len(taken.clipped(day)) for day in days))

    with app.app_context():
        found = milliseconds(one, times=TIMES)
    assert any(seen), "the measured months are empty"
    report("calendar.month_ms_p50", median(found), "ms", floor=None, n=TIMES)
