"""How many bookings a second come through HTTP when sixteen clients book random spaces, against a bare Flask view that
inserts one claim, on the same server with as many workers in the same run."""

import http.client
import random
import threading
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from urllib.parse import urlencode
from uuid import uuid4

from flask import Flask
from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from marketplace import db
from marketplace.cities.models import City
from marketplace.clock import now
from marketplace.identity.queries import COOKIE
from spaces.catalog.models import Space, SpaceUnit
from tests.bench.city import HOURS, OPEN_AT_NIGHT
from tests.bench.measure import report
from tests.bench.served import served, signed_in_tokens

CLIENTS = 16
SECONDS = 10
WARM_UP_SECONDS = 2

Post = Callable[[http.client.HTTPConnection, random.Random], bool]


def run(app: Flask, engine: Engine, url: str) -> None:
    """Bookings a second, and as the floor bare claims a second."""
    db.bind(engine)
    with Session(engine, expire_on_commit=False) as session:
        city = session.scalars(select(City)).one()
        spaces = session.execute(
            select(Space.id, Space.min_minutes, SpaceUnit.unit_id)
            .join(SpaceUnit, (SpaceUnit.city_id == Space.city_id) & (SpaceUnit.space_id == Space.id))
            # Those that are open by day; the others' answer would be that they are closed.
            .where(Space.approval == "instant", Space.id % len(HOURS) != OPEN_AT_NIGHT)
            .order_by(Space.id)
        ).all()
        tokens = signed_in_tokens(session, city, CLIENTS)
    first = now() + timedelta(days=111)

    def time_of(chance: random.Random, hours: list[int]) -> datetime:
        day = (first + timedelta(days=chance.randrange(60))).astimezone(city.zone)
        return day.replace(hour=chance.choice(hours), minute=0, second=0, microsecond=0)

    def bare(_: str) -> Post:
        def post(connection: http.client.HTTPConnection, chance: random.Random) -> bool:
            _, minutes, unit_id = chance.choice(spaces)
            # At night, where nobody books.
            fields = {
                "city_id": city.id,
                "unit_id": unit_id,
                "start": time_of(chance, [2, 4]).isoformat(),
                "minutes": max(60, minutes),
            }
            return sent(connection, "/claims", fields, {})[0] == 201

        return post

    def booking(token: str) -> Post:
        def post(connection: http.client.HTTPConnection, chance: random.Random) -> bool:
            space_id, minutes, _ = chance.choice(spaces)
            fields = {
                "start": time_of(chance, [9, 11, 13, 15]).isoformat(),
                "minutes": max(60, minutes),
                "submission": uuid4().hex,
            }
            status, location = sent(
                connection,
                f"/en/spaces/{space_id}/quick-booking",
                fields,
                {"Cookie": f"{COOKIE}={token}"},
            )
            return status == 303 and "/bookings/" in location

        return post

    with served("tests.bench.bare:app", url) as port:
        floor = per_second(port, [bare(token) for token in tokens])
    with served("tests.bench.server:app", url) as port:
        found = per_second(port, [booking(token) for token in tokens])
    report("booking.throughput", found, "bookings/s", floor=floor, n=CLIENTS)


def sent(
    connection: http.client.HTTPConnection, path: str, fields: dict[str, object], headers: dict[str, str]
) -> tuple[int, str]:
    """(status, location) of a form's answer."""
    headers = {**headers, "Content-Type": "application/x-www-form-urlencoded"}
    connection.request("POST", path, urlencode(fields), headers)
    answer = connection.getresponse()
    answer.read()
    return answer.status, answer.headers.get("Location", "")


def per_second(port: int, posts: list[Post]) -> float:
    """How many of the answers were what was asked for, by second, after a while to warm up; each client has one
    connection and waits for one answer before it asks again."""
    begins = time.monotonic() + WARM_UP_SECONDS
    ends = begins + SECONDS
    made = [0] * len(posts)

    def client(n: int, post: Post) -> None:
        chance = random.Random(n)
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
        while (at := time.monotonic()) < ends:
            made[n] += post(connection, chance) and at >= begins

    threads = [threading.Thread(target=client, args=(n, post)) for n, post in enumerate(posts)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sum(made) / SECONDS
