"""Opening spans: all spaces compiled from nothing, and one space after a change of its hours."""

import time
from collections.abc import Callable
from datetime import time as clock
from datetime import timedelta
from itertools import cycle

from flask import Flask
from sqlalchemy import Engine, delete, select, update
from sqlalchemy.orm import Session
from tqdm import tqdm

from marketplace import db
from marketplace.cities.models import City
from marketplace.clock import now
from spaces.calendar.actions import CHUNK, compile_spaces
from spaces.calendar.models import DaySheet, OpeningMonth, OpeningRule
from spaces.catalog.models import Space
from tests.bench.measure import median, milliseconds, report

SPACES = 10_000
TIMES = 40
TWO_YEARS = timedelta(days=730)


def run(app: Flask, engine: Engine, url: str) -> None:
    """Seconds to compile up to 10,000 spaces anew, and median milliseconds to recompile one for 24 months."""
    db.bind(engine)
    with Session(engine, expire_on_commit=False) as session:
        city = session.scalars(select(City)).one()
        ids = list(
            session.scalars(select(Space.id).where(Space.city_id == city.id).order_by(Space.id).limit(SPACES))
        )
    began = time.monotonic()
    rebuild(city, ids)
    report("spans.rebuild_10k_s", time.monotonic() - began, "s", floor=None, n=len(ids))
    one = ids[len(ids) // 2]
    with db.transaction() as session:
        was = session.scalars(select(OpeningRule).where(OpeningRule.space_id == one)).all()
    found = milliseconds(changes(city, one), times=TIMES)
    report("spans.rebuild_one_ms_p50", median(found), "ms", floor=None, n=TIMES)
    with db.transaction() as session:
        for rule in was:
            hours = {"opens": rule.opens, "closes": rule.closes}
            session.execute(update(OpeningRule).where(OpeningRule.id == rule.id).values(hours))
        compile_spaces(session, city, [one], last=now().date() + TWO_YEARS)


def rebuild(city: City, ids: list[int]) -> None:
    """As `flask calendar rebuild --from-nothing`: dropped and compiled, a batch a transaction."""
    for at in tqdm(range(0, len(ids), CHUNK), unit="batch"):
        batch = ids[at : at + CHUNK]
        with db.transaction() as session:
            for table in (OpeningMonth, DaySheet):
                session.execute(delete(table).where(table.city_id == city.id, table.space_id.in_(batch)))
            compile_spaces(session, city, batch)


def changes(city: City, space_id: int) -> Callable[[], None]:
    """A call that gives the space other hours, by turns, and compiles it: every month of 24 differs."""
    today = now().astimezone(city.zone).date()
    closing = cycle([clock(16), clock(17)])

    def change() -> None:
        with db.transaction() as session:
            session.execute(
                update(OpeningRule)
                .where(OpeningRule.space_id == space_id)
                .values(opens=clock(8), closes=next(closing))
            )
            changed = compile_spaces(session, city, [space_id], last=today + TWO_YEARS)
        assert changed >= 24

    return change
