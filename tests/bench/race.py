"""Fifty clients want one slot at once, through HTTP and a real server."""

import threading
import time
from datetime import datetime, timedelta
from urllib.error import HTTPError
from urllib.parse import urlencode
from urllib.request import HTTPRedirectHandler, Request, build_opener
from uuid import uuid4

from flask import Flask
from sqlalchemy import Engine, select, text
from sqlalchemy.orm import Session

from marketplace.cities.models import City
from marketplace.clock import now
from marketplace.identity.queries import COOKIE
from spaces.catalog.models import Space
from tests.bench.measure import percentile, report
from tests.bench.served import served, signed_in_tokens

CLIENTS = 50


class Stay(HTTPRedirectHandler):
    """The answer to a booking is a redirect; the race is over then."""

    def redirect_request(self, *_: object) -> None:
        return None


def run(app: Flask, engine: Engine, url: str) -> None:
    """Winners, the slowest answer and server errors among 50 clients that post the same slot together."""
    with Session(engine, expire_on_commit=False) as session:
        city = session.scalars(select(City)).one()
        tokens = signed_in_tokens(session, city, CLIENTS)
        space = session.scalars(
            select(Space).where(Space.approval == "instant", Space.id % 53 == 0).limit(1)
        ).one()
    start = (
        (now() + timedelta(days=120))
        .astimezone(city.zone)
        .replace(hour=15, minute=0, second=0, microsecond=0)
    )
    start += timedelta(hours=int(uuid4().int % 3))
    with served("tests.bench.server:app", url) as port:
        base = f"http://127.0.0.1:{port}"
        for n in range(3):  # both workers have served such answers before, as on any day but the first
            race(base, space, start - timedelta(days=n + 1), tokens[:16])
        answers = race(base, space, start, tokens)
    with engine.connect() as connection:
        winners = connection.scalar(
            text(
                "SELECT count(*) FROM booking WHERE space_id = :space AND lower(during) = :start AND state = 'confirmed'"
            ),
            {"space": space.id, "start": start},
        )
    took = [seconds * 1000 for _, seconds in answers]
    report("race.one_slot_winners", float(winners or 0), "bookings", floor=1, n=CLIENTS)
    report("race.one_slot_p99_ms", percentile(took, 0.99), "ms", floor=min(took), n=CLIENTS)
    report(
        "race.http_5xx", sum(1 for status, _ in answers if status >= 500), "answers", floor=None, n=CLIENTS
    )
    report(
        "race.told_taken", sum(1 for status, _ in answers if status == 409), "answers", floor=None, n=CLIENTS
    )


def race(base: str, space: Space, start: datetime, tokens: list[str]) -> list[tuple[int, float]]:
    answers: list[tuple[int, float]] = []
    gate = threading.Barrier(len(tokens))

    def post(token: str) -> None:
        fields = {
            "start": start.isoformat(),
            "minutes": max(60, space.min_minutes),
            "submission": uuid4().hex,
        }
        request = Request(
            f"{base}/en/spaces/{space.id}/quick-booking",
            data=urlencode(fields).encode(),
            headers={"Cookie": f"{COOKIE}={token}"},
        )
        gate.wait()
        began = time.perf_counter()
        try:
            status = build_opener(Stay).open(request, timeout=30).status
        except HTTPError as error:
            error.read()
            status = error.code
        answers.append((status, time.perf_counter() - began))

    threads = [threading.Thread(target=post, args=(token,)) for token in tokens]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return answers
