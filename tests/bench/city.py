"""A city of any size to measure on: made in the database, from a seed, with claims spread round today."""

import logging
from datetime import date, time, timedelta

from alembic import command
from sqlalchemy import Engine, select, text
from sqlalchemy.orm import Session

from marketplace import db
from marketplace.cities.models import City
from marketplace.clock import now
from marketplace.commands import alembic_config
from spaces.calendar import sheets
from spaces.calendar.actions import CHUNK, compile_spaces
from tests.factories.cities import make_city

# The benches book behind this many days from now, where the generator has put nothing.
LATER_DAYS = 105

log = logging.getLogger("bench")

HOURS = (
    (time(8), time(22)),
    (time(7), time(21)),
    (time(9), time(17)),
    (time(0), time(0)),
    (time(15), time(2)),
)

OPEN_AT_NIGHT = 4  # which of them

PLACES = """
    INSERT INTO organisation (city_id, kind, name)
    SELECT :city, (ARRAY['city_division','company','association'])[1 + n % 3], 'Owner ' || n FROM generate_series(1, 200) n;
    INSERT INTO venue (city_id, owner_id, kind, names, streets, lon, lat, position, accessibility, source, external_id)
    SELECT :city, (SELECT min(id) FROM organisation WHERE city_id = :city) + n % 200, 'meeting_room',
           jsonb_build_object('fi', 'Talo ' || n, 'sv', 'Hus ' || n, 'en', 'House ' || n), '{{}}',
           24.83 + 0.3 * r1, 60.15 + 0.12 * r2,
           point(25480000 + 16700 * r1, 6670000 + 13400 * r2),
           CASE WHEN n % 2 = 0 THEN ARRAY['step_free_entrance'] ELSE ARRAY[]::text[] END, 'bench', n::text
    FROM (SELECT n, (n * 7919 % 10007) / 10007.0 AS r1, (n * 104729 % 10009) / 10009.0 AS r2
          FROM generate_series(1, {venues}::bigint) n) t;
    INSERT INTO unit (city_id, venue_id, external_id, names)
    SELECT :city, (SELECT min(id) FROM venue WHERE city_id = :city) + (n - 1) / 2, n::text, '{{}}' FROM generate_series(1, {spaces}) n;
    INSERT INTO space (city_id, venue_id, external_id, kind, names, descriptions, purposes, capacity, approval,
                       min_minutes, max_minutes, interval_minutes, horizon_days)
    SELECT :city, (SELECT min(id) FROM venue WHERE city_id = :city) + (n - 1) / 2, n::text,
           (ARRAY['meeting_room','sports_hall','youth_space','library_room','banquet_hall','park'])[1 + n % 6],
           jsonb_build_object('fi', 'Sali ' || n, 'sv', 'Sal ' || n, 'en', 'Room ' || n),
           jsonb_build_object('fi', 'Valoisa sali kokouksille ja juhlille, ' || n, 'en', 'A light room for meetings and parties, ' || n),
           CASE n % 3 WHEN 0 THEN ARRAY['meeting','annual_meeting'] WHEN 1 THEN ARRAY['ball_games','exercise'] ELSE ARRAY['party','music'] END,
           4 + (n * 7919) % 200, CASE WHEN n % 5 = 0 THEN 'handler' ELSE 'instant' END,
           (ARRAY[30, 60, 60, 120])[1 + n % 4], 240, 30, 180
    FROM generate_series(1, {spaces}) n;
    INSERT INTO space_unit (city_id, space_id, unit_id)
    SELECT :city, s.id, u.id FROM space s JOIN unit u ON u.city_id = s.city_id AND u.external_id = s.external_id WHERE s.city_id = :city;
    INSERT INTO price (city_id, space_id, valid_from, per, amount_minor)
    SELECT :city, id, '2020-01-01', CASE WHEN id % 4 = 0 THEN 'free' ELSE 'hour' END, CASE WHEN id % 4 = 0 THEN 0 ELSE 500 + id % 60 * 100 END
    FROM space WHERE city_id = :city;
"""

# One claim a day for most days of every space, an hour or two long, in the opening hours of most of them.
CLAIMS = """
    INSERT INTO claim (city_id, holder_id, unit_id, during)
    SELECT :city, nextval('holder_id_seq'), u.id,
           tstzrange(d.day + make_interval(hours => 7 + (u.id * 31 + d.n * 17)::int % 12),
                     d.day + make_interval(hours => 8 + (u.id * 31 + d.n * 17)::int % 12 + (u.id + d.n)::int % 2))
    FROM unit u, (SELECT n, :first_day::timestamptz + make_interval(days => n) AS day FROM generate_series(0, :days - 1) n) d
    WHERE u.city_id = :city
"""


def build(engine: Engine, url: str, *, spaces: int, claims: int, today: date) -> None:
    """Fill an empty database with `spaces` spaces and about `claims` claims, half of them past."""
    command.upgrade(alembic_config(url), "head")
    db.bind(engine)
    days = max(1, claims // spaces)
    with Session(engine, expire_on_commit=False) as session:
        city = make_city(session, slug="helsinki")
        for statement in PLACES.format(venues=spaces // 2, spaces=spaces).split(";\n"):
            if statement.strip():
                session.execute(text(statement), {"city": city.id})
        fill_hours(session, city)
        session.commit()
        log.info("claims")
        first_day = today - timedelta(days=days // 2)
        session.execute(text(CLAIMS.replace(":first_day", f"'{first_day}'")), {"city": city.id, "days": days})
        session.commit()
        log.info("opening spans and day sheets")
        ids = list(session.scalars(text("SELECT id FROM space ORDER BY id")))
        for at in range(0, len(ids), CHUNK):
            compile_spaces(session, city, ids[at : at + CHUNK])
            session.commit()
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("VACUUM ANALYZE"))
    log.info("built")


def forget_earlier_runs(engine: Engine) -> None:
    """Remove what an earlier run of the benches booked: all of it lies behind the generator's last day."""
    db.bind(engine)
    with db.transaction() as session:
        city = session.scalars(select(City)).one()
        later = {"start": now() + timedelta(days=LATER_DAYS)}
        session.execute(text("DELETE FROM claim WHERE lower(during) > :start"), later)
        space_ids = session.scalars(
            text("DELETE FROM booking WHERE lower(during) > :start RETURNING space_id"), later
        ).all()
        today = now().astimezone(city.zone).date()
        months = sorted(
            {(today + timedelta(days=n)).replace(day=1) for n in range(LATER_DAYS, LATER_DAYS + 60)}
        )
        sheets.refresh_months(session, city.id, sorted(set(space_ids)), months, city.zone)


def fill_hours(session: Session, city: City) -> None:
    for n, (opens, closes) in enumerate(HOURS):
        session.execute(
            text("""
                INSERT INTO opening_rule (city_id, space_id, days, opens, closes)
                SELECT :city, id, ARRAY[1,2,3,4,5,6,7], :opens, :closes FROM space WHERE city_id = :city AND id % :n = :rest
            """),
            {"city": city.id, "opens": opens, "closes": closes, "n": len(HOURS), "rest": n},
        )
