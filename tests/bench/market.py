"""The plan of a market square with 300 stalls on one of its days, through the WSGI application in this process."""

from datetime import timedelta
from itertools import cycle
from uuid import uuid4

from flask import Flask
from sqlalchemy import Engine, delete, select, text
from sqlalchemy.orm import Session

from marketplace import db
from marketplace.cities.models import City
from marketplace.timespan import Span
from spaces.calendar.actions import claim_space
from spaces.calendar.queries import booking_rules
from spaces.calendar.rules import midnight
from spaces.catalog.models import Venue
from tests.bench.console import look
from tests.bench.measure import median, milliseconds, report
from tests.factories.markets import Square, make_square

TIMES = 40
ROWS, COLUMNS = 15, 20
FORGET = text("DELETE FROM claim WHERE unit_id IN (SELECT id FROM unit WHERE venue_id = :venue)")


def run(app: Flask, engine: Engine, url: str) -> None:
    """Every third stall is taken on each of the coming Saturdays; the reader looks at one after another."""
    db.bind(engine)
    with Session(engine, expire_on_commit=False) as session:
        city = session.scalars(select(City)).one()
        square = make_square(session, city, email=f"{uuid4().hex}@example.org")
        x, y = square.middle
        classes = [square.add_class(code, amount) for code, amount in (("A", 3800), ("B", 2400))]
        grid = square.grid(
            rows=ROWS, columns=COLUMNS, width_m=2, depth_m=2, gap_m=0.5, aisle_m=0.5, corner=(x - 25, y + 19)
        )
        square.add(grid, class_=classes[0], equipment=("electricity",))
        square.open()
        square.publish()
        take_some(session, city, square)
        session.commit()
    try:
        client = app.test_client()
        floor = median(milliseconds(lambda: client.get("/health/ready"), times=TIMES))
        days = cycle(square.season().market_days()[:6])
        found = milliseconds(
            lambda: look(client, f"/fi/markets/{square.venue.id}?day={next(days)}"), times=TIMES
        )
        report("market.plan_300_ms_p50", median(found), "ms", floor=floor, n=TIMES)
    finally:
        with db.transaction() as session:
            session.execute(FORGET, {"venue": square.venue.id})
            session.execute(delete(Venue).where(Venue.city_id == city.id, Venue.id == square.venue.id))


def take_some(session: Session, city: City, square: Square) -> None:
    holder = -1
    for placed in square.stalls()[::3]:
        for day in square.season().market_days()[:6]:
            start = midnight(day, city.zone) + timedelta(hours=8)
            body = Span(start, start + timedelta(hours=8))
            rules = booking_rules(placed.space)
            claim_space(session, city, placed.id, holder_id=holder, body=body, rules=rules)
            holder -= 1
