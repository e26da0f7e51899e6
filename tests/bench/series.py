"""A year of one evening a week: what its preview costs, and making all its bookings at once."""

from datetime import timedelta
from itertools import count
from uuid import uuid4

from flask import Flask
from sqlalchemy import Engine, delete, select, text, update
from sqlalchemy.orm import Session

from bookings.lifecycle.models import Booking
from bookings.series.actions import create_series
from bookings.series.models import Series, SeriesSkip
from bookings.series.planning import Ask, plan_series
from bookings.series.rules import Recurrence
from marketplace import db
from marketplace.cities.models import City
from marketplace.clock import now
from spaces.calendar import sheets
from spaces.calendar.models import Claim
from spaces.catalog.models import Space
from tests.bench.measure import median, milliseconds, report
from tests.factories.people import actor_of, make_person

TIMES = 40
HORIZON_DAYS = 400


def run(app: Flask, engine: Engine, url: str) -> None:
    """Median milliseconds of a preview with other times, and of one committed series, each of another space."""
    db.bind(engine)
    at = now()
    with Session(engine, expire_on_commit=False) as session:
        city = session.scalars(select(City)).one()
        actor = actor_of(session, make_person(session, city, email=f"{uuid4().hex}@example.org"))
        ids = session.scalars(
            select(Space.id)
            .where(Space.approval == "instant", Space.id % 37 == 0)
            .order_by(Space.id)
            .limit(200)
        ).all()
        session.execute(update(Space).where(Space.id.in_(ids)).values(horizon_days=HORIZON_DAYS))
        session.commit()
        spaces = session.scalars(select(Space).where(Space.id.in_(ids)).order_by(Space.id)).all()
    first = at.astimezone(city.zone).date() + timedelta(days=3)
    numbers = count()
    made: list[int] = []

    def ask(space: Space) -> Ask:
        hour = at.replace(hour=15, minute=0, second=0, microsecond=0).timetz().replace(tzinfo=None)
        return Ask(Recurrence(first, times=52), hour, max(60, space.min_minutes))

    def preview() -> None:
        space = spaces[next(numbers) % len(spaces)]
        with db.transaction() as session:
            plan = plan_series(session, city, space, ask(space), organisation_id=None, at=at, with_times=True)
        assert len(plan) == 52

    def create() -> None:
        space = spaces[next(numbers) % len(spaces)]
        with db.transaction() as session:
            series = create_series(
                session,
                city,
                space,
                ask(space),
                actor=actor,
                purpose="",
                attendees=1,
                organisation_id=None,
                submission=uuid4().hex,
                all_or_nothing=False,
                at=at,
            )
            made.append(series.id)

    with app.app_context():
        previewed = milliseconds(preview, times=TIMES)
        created = milliseconds(create, times=TIMES)
        forget(city, made)
    report("series.preview_52_ms_p50", median(previewed), "ms", floor=None, n=TIMES)
    report("series.create_52_ms_p50", median(created), "ms", floor=None, n=TIMES)


def forget(city: City, series_ids: list[int]) -> None:
    """Take back what was booked, so that the next run finds the same city."""
    with db.transaction() as session:
        booked = session.execute(
            select(Booking.id, Booking.space_id).where(Booking.series_id.in_(series_ids))
        ).all()
        assert len(booked) > 40 * len(series_ids), "hardly anything was free, so nothing was measured"
        months = session.scalars(text("SELECT DISTINCT month FROM day_sheet ORDER BY month")).all()
        session.execute(delete(SeriesSkip).where(SeriesSkip.series_id.in_(series_ids)))
        session.execute(delete(Claim).where(Claim.holder_id.in_([id_ for id_, _ in booked])))
        session.execute(delete(Booking).where(Booking.series_id.in_(series_ids)))
        session.execute(delete(Series).where(Series.id.in_(series_ids)))
        sheets.refresh_months(session, city.id, sorted({s for _, s in booked}), list(months), city.zone)
