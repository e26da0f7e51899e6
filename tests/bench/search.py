"""The search: its one statement, the whole request, windows, the map, and how many a second."""

import gzip
import http.client
import random
import threading
import time
from collections.abc import Callable
from datetime import date, timedelta
from itertools import count
from urllib.parse import urlencode

from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import Engine, select, text
from sqlalchemy.orm import Session

from marketplace import db
from marketplace.cities.models import City
from marketplace.clock import now
from spaces.search.queries import ranked, search
from spaces.search.question import Place, Question
from tests.bench.measure import median, milliseconds, percentile, report
from tests.bench.served import served

TIMES = 60
LARGE = 50_000  # of a city as large as that only the one statement is measured
CLIENTS, SECONDS, WARM_UP_SECONDS = 16, 10, 2
# Where people are: points of the city, taken in turn.
PLACES = [Place(24.953 + 0.01 * n, 60.184 - 0.004 * n, "") for n in range(-5, 6)]


def run(app: Flask, engine: Engine, url: str) -> None:
    """On the city of the other benches; the floor of the database's times is one round trip, that of requests a page
    that only says "ready"."""
    with engine.connect() as connection:
        spaces = connection.scalar(text("SELECT count(*) FROM space")) or 0
    if spaces >= LARGE:
        in_the_database(engine, f"{spaces // 1000}k")
        return
    client = app.test_client()
    ready = median(milliseconds(lambda: client.get("/health/ready"), times=TIMES))
    with app.app_context():
        in_the_database(engine, "10k")
        fortnight(engine)
    found = milliseconds(results(client), times=TIMES)
    report("search.evening_10k_request_ms_p50", median(found), "ms", floor=ready, n=TIMES)
    report("search.evening_10k_request_ms_p95", percentile(found, 0.95), "ms", floor=ready, n=TIMES)
    the_map(client, ready)
    the_index(engine)
    with served("tests.bench.server:app", url) as port:
        floor = per_second(port, lambda _: "/health/ready")
        asked = per_second(port, lambda n: f"/api/v1/spaces?{urlencode(asked_by_program(n))}")
    report("search.throughput_rps", asked, "searches/s", floor=floor, n=CLIENTS)


def in_the_database(engine: Engine, size: str) -> None:
    """ "capacity >= 40, free for 2 h between 17 and 21 on a date, nearest first", of another place and day each time."""
    db.bind(engine)
    with Session(engine, expire_on_commit=False) as session:
        city = session.scalars(select(City)).one()
        floor = round_trip(session)
        numbers = count()
        at = now()

        def one() -> None:
            n = next(numbers)
            row = ranked(session, city, evening(n), now=at)
            if not row.free or not row.page:
                raise RuntimeError("nothing is found")

        found = milliseconds(one, times=TIMES)
    report(f"search.evening_{size}_db_ms_p50", median(found), "ms", floor=floor, n=TIMES)
    report(f"search.evening_{size}_db_ms_p95", percentile(found, 0.95), "ms", floor=floor, n=TIMES)


def round_trip(session: Session) -> float:
    """Median milliseconds of the smallest statement."""
    return median(milliseconds(lambda: session.execute(text("SELECT 1")).scalar(), times=TIMES))


def fortnight(engine: Engine) -> None:
    """The weekday evenings of two weeks, two hours, with the exact times of the rows that are shown."""
    with Session(engine, expire_on_commit=False) as session:
        city = session.scalars(select(City)).one()
        floor, numbers, at = round_trip(session), count(), now()

        def one() -> None:
            n = next(numbers)
            first = day_number(n)
            question = Question(
                place=PLACES[n % len(PLACES)],
                day=first,
                last_day=first + timedelta(days=13),
                weekdays=frozenset(range(5)),
                start_minute=17 * 60,
                end_minute=21 * 60,
                minutes=120,
                people=40,
            )
            if not search(session, city, question, now=at).hits[0].offers:
                raise RuntimeError("nothing is free")

        found = milliseconds(one, times=TIMES)
    report("search.fortnight_10k_ms_p50", median(found), "ms", floor=floor, n=TIMES)


def the_map(client: FlaskClient, ready: float) -> None:
    """All matches of the city at once, as the map asks for them."""
    answers: list[bytes] = []

    def one() -> None:
        response = client.get("/en/spaces/map")
        if response.status_code != 200:
            raise RuntimeError(str(response.status_code))
        answers.append(response.data)

    found = milliseconds(one, times=20)
    report("search.map_10k_ms_p50", median(found), "ms", floor=ready, n=20)
    report("search.map_10k_kb", len(gzip.compress(answers[-1], 6)) / 1000, "kB", floor=None, n=1)


def the_index(engine: Engine) -> None:
    # Without the room that earlier benches' bookings have left behind.
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("VACUUM FULL day_sheet"))
        size = connection.scalar(
            text("SELECT pg_total_relation_size('day_sheet')::float8 / (SELECT count(*) FROM day_sheet)")
        )
    report("search.index_bytes_per_space_month", float(size or 0), "bytes", floor=None, n=1)


def day_number(n: int) -> date:
    return now().date() + timedelta(days=3 + n % 20)


def evening(n: int) -> Question:
    return Question(
        place=PLACES[n % len(PLACES)],
        day=day_number(n),
        start_minute=17 * 60,
        end_minute=21 * 60,
        minutes=120,
        people=40,
        sort="nearest",
    )


def results(client: FlaskClient) -> Callable[[], None]:
    numbers = count()

    def one() -> None:
        n = next(numbers)
        place, day = PLACES[n % len(PLACES)], day_number(n)
        asked = {
            "when": f"{day.day}.{day.month}. 17-21",
            "people": 40,
            "where": f"{place.lat},{place.lon}",
            "minutes": 120,
            "sort": "nearest",
        }
        response = client.get(f"/en/spaces?{urlencode(asked)}")
        if response.status_code != 200:
            raise RuntimeError(str(response.status_code))

    return one


def asked_by_program(n: int) -> dict[str, object]:
    place, day = PLACES[n % len(PLACES)], day_number(n)
    return {
        "near": f"{place.lat},{place.lon}",
        "when": day.isoformat(),
        "from": "17:00",
        "to": "21:00",
        "minutes": 120,
        "people": 40,
        "sort": "nearest",
        "limit": 10,
    }


def per_second(port: int, path_of: Callable[[int], str]) -> float:
    """Answers a second that sixteen clients get, each with one connection and one question at a time."""
    begins = time.monotonic() + WARM_UP_SECONDS
    ends = begins + SECONDS
    made = [0] * CLIENTS

    def visit(n: int) -> None:
        chance = random.Random(n)
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
        while (at := time.monotonic()) < ends:
            connection.request("GET", path_of(chance.randrange(1_000_000)))
            answer = connection.getresponse()
            body = answer.read()
            if answer.status != 200:
                raise RuntimeError(f"{answer.status} {body[:200]!r}")
            made[n] += at >= begins

    threads = [threading.Thread(target=visit, args=(n,)) for n in range(CLIENTS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sum(made) / SECONDS
