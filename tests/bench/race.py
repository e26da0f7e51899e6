"""Fifty clients want one slot at once, through HTTP and a real server."""

import os
import socket
import subprocess
import sys
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
from marketplace.identity.models import SignedInSession
from marketplace.identity.queries import COOKIE
from marketplace.ids import new_token, token_hash
from spaces.catalog.models import Space
from tests.bench.measure import percentile, report
from tests.factories.people import make_person

CLIENTS = 50


class Stay(HTTPRedirectHandler):
    """The answer to a booking is a redirect; the race is over then."""

    def redirect_request(self, *_: object) -> None:
        return None


def run(app: Flask, engine: Engine, url: str) -> None:
    """Winners, the slowest answer and server errors among 50 clients that post the same slot together."""
    with Session(engine, expire_on_commit=False) as session:
        city = session.scalars(select(City)).one()
        tokens = [new_token() for _ in range(CLIENTS)]
        for n, token in enumerate(tokens):
            person = make_person(session, city, email=f"{uuid4().hex}@example.org", name=f"Racer {n}")
            session.add(
                SignedInSession(
                    city_id=city.id,
                    person_id=person.id,
                    token_hash=token_hash(token),
                    expires_at=now() + timedelta(hours=1),
                )
            )
        space = session.scalars(
            select(Space).where(Space.approval == "instant", Space.id % 53 == 0).limit(1)
        ).one()
        session.commit()
    start = (
        (now() + timedelta(days=120))
        .astimezone(city.zone)
        .replace(hour=15, minute=0, second=0, microsecond=0)
    )
    start += timedelta(hours=int(uuid4().int % 3))
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    environment = {
        **os.environ,
        "MARKETPLACE_ENV": "test",
        "MARKETPLACE_DATABASE_URL": url,
        "MARKETPLACE_LOG_LEVEL": "error",
        "MARKETPLACE_RATE_LIMITS": "0",
    }
    server = subprocess.Popen(
        [
            sys.executable,
            "-m",
            "granian",
            "--interface",
            "wsgi",
            "--port",
            str(port),
            "--workers",
            "2",
            "--blocking-threads",
            "8",
            "--no-log",
            "tests.bench.server:app",
        ],
        env=environment,
    )
    try:
        base = f"http://127.0.0.1:{port}"
        wait_for(base)
        for _ in range(3):  # both workers have served such answers before, as on any day but the first
            race(base, space, now() - timedelta(days=1), tokens[:16])
        answers = race(base, space, start, tokens)
    finally:
        server.terminate()
        server.wait(10)
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


def wait_for(base: str) -> None:
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        try:
            build_opener().open(f"{base}/health/ready", timeout=1)
        except OSError:
            time.sleep(0.1)
        else:
            return
    raise RuntimeError("the server did not start")


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
