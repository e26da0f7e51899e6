"""Sixty-four people book, hold and cancel at once, on a thousand spaces; then the same while things are killed.

Every answer that says "booked" is written down by the client, which sends a form again until it is answered, as a person
would. Afterwards the database is compared with the notes: nothing twice, nothing lost, nothing that nobody was told of.
MARKETPLACE_RACE_SECONDS lengthens each of the two phases.
"""

import contextlib
import http.client
import logging
import os
import random
import signal
import subprocess
import sys
import threading
import time
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from urllib.parse import urlencode
from uuid import uuid4
from zoneinfo import ZoneInfo

from alembic import command
from flask import Flask
from sqlalchemy import Engine, select, text
from sqlalchemy.orm import Session

from marketplace import db
from marketplace.cities.models import City
from marketplace.clock import now
from marketplace.commands import alembic_config
from marketplace.identity.queries import COOKIE
from marketplace.launch import database
from marketplace.settings import ROOT
from spaces.catalog.models import Space
from tests.bench.city import build, forget_earlier_runs
from tests.bench.measure import percentile, report
from tests.bench.served import environment, free_port, signed_in_tokens, wait_for, web_command

WORKERS = 64
SPACES = 1000
SECONDS = int(os.environ.get("MARKETPLACE_RACE_SECONDS", "45"))
KILL_EVERY = 5.0
PATH = ROOT / "instance" / "bench-race-postgres"

log = logging.getLogger("bench")

OVERLAPS = text("""
    SELECT count(*) FROM claim a JOIN claim b
      ON a.unit_id = b.unit_id AND a.lane = b.lane AND a.holder_id < b.holder_id AND a.during && b.during
    WHERE a.part = 0 AND b.part = 0 AND lower(a.during) > :start
""")
# Bookings that hold their time without a claim, and claims of bookings that do not.
STRAY = text("""
    SELECT (SELECT count(*) FROM booking b WHERE b.source = 'web' AND b.state IN ('confirmed', 'held', 'awaiting_approval')
              AND NOT EXISTS (SELECT 1 FROM claim c WHERE c.holder_id = b.id AND c.during = b.during))
         + (SELECT count(*) FROM claim c JOIN booking b ON b.id = c.holder_id
            WHERE b.state IN ('cancelled', 'expired', 'declined'))
""")


@dataclass
class Notes:
    """What the clients were told, under one lock."""

    booked: dict[str, str] = field(default_factory=dict)  # submission key -> reference
    cancelled: set[str] = field(default_factory=set)
    statuses: dict[int, int] = field(default_factory=dict)
    seconds: list[float] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def answered(self, status: int, seconds: float) -> None:
        with self.lock:
            self.statuses[status] = self.statuses.get(status, 0) + 1
            self.seconds.append(seconds)


class Site:
    """The servers: a database, two web workers, a job worker; each can be killed and comes back."""

    def __init__(self, url: str, port: int) -> None:
        self.url, self.port = url, port
        self.web = self.start_web()
        self.worker = self.start_worker()

    def start_web(self) -> subprocess.Popen[bytes]:
        return self.begin(*web_command("tests.bench.server:app", self.port))

    def start_worker(self) -> subprocess.Popen[bytes]:
        return self.begin(sys.executable, "-m", "flask", "--app", "wsgi", "worker")

    def begin(self, *command: str) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            command,
            env=environment(self.url),
            cwd=ROOT,
            start_new_session=True,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )

    def kill_web(self) -> None:
        kill_group(self.web)
        self.web = self.start_web()

    def kill_worker(self) -> None:
        kill_group(self.worker)
        self.worker = self.start_worker()

    def kill_database(self) -> None:
        with database.starting_or_stopping(PATH):
            server = database.running_server(PATH)
            if server is not None:
                os.kill(server.pid, signal.SIGKILL)
            time.sleep(0.3)
            # Asking also tidies up after the one that died.
            if database.running_server(PATH) is None:
                database.start(PATH, database.DURABLE)

    def stop(self) -> None:
        for process in (self.web, self.worker):
            kill_group(process, signal.SIGTERM)


def kill_group(process: subprocess.Popen[bytes], demand: int = signal.SIGKILL) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, demand)
    try:
        process.wait(20)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait(5)


def run(app: Flask, engine: Engine, url: str) -> None:
    """Both phases on a city of its own; the given database is left alone."""
    with database.embedded_postgres(PATH, settings=database.DURABLE) as admin_url:
        own_url = database.ensure_database(admin_url, f"race_{now():%Y%m%d}")
        own = db.make_engine(own_url, pool=5)
        with own.connect() as connection:
            ready = connection.scalar(text("SELECT to_regclass('race_ready')"))
        if ready is None:
            build(own, own_url, spaces=SPACES, claims=30 * SPACES, today=now().date())
            with own.begin() as connection:
                connection.execute(text("CREATE TABLE race_ready ()"))
        command.upgrade(alembic_config(own_url), "head")
        forget_earlier_runs(own)
        with own.begin() as connection:
            connection.execute(text("DROP TABLE IF EXISTS race_told"))
        try:
            port = free_port()
            site = Site(own_url, port)
            try:
                phase("race", own, site, faults=False)
                phase("faults", own, site, faults=True)
            finally:
                site.stop()
        finally:
            own.dispose()
            left = database.running_server(PATH)
            if left is not None:
                database.stop(left)
            db.bind(engine)


def phase(name: str, engine: Engine, site: Site, *, faults: bool) -> None:
    """Let everybody loose for a while, settle, compare."""
    notes, start = Notes(), first_time()
    tokens, spaces, zone = people_and_spaces(engine)
    until = time.monotonic() + SECONDS
    threads = [
        threading.Thread(target=visit, args=(n, token, spaces, start, zone, site.port, until, notes))
        for n, token in enumerate(tokens)
    ]
    wait_for(site.port, seconds=180)
    for thread in threads:
        thread.start()
    if faults:
        kill_things(site, until)
    for thread in threads:
        thread.join()
    wait_for(site.port, seconds=180)
    compare(name, engine, notes, faults=faults)


def kill_things(site: Site, until: float) -> None:
    chance, kills = random.Random(7), 0
    while time.monotonic() < until:
        time.sleep(KILL_EVERY)
        thing = chance.choice([site.kill_web, site.kill_worker, site.kill_database])
        log.info("%s", thing.__name__)
        thing()
        kills += 1
    report("faults.kills", kills, "kills", floor=None, n=kills)


def first_time() -> datetime:
    """A day beyond what the generator has filled."""
    return now() + timedelta(days=110)


def people_and_spaces(engine: Engine) -> tuple[list[str], list[tuple[int, int]], ZoneInfo]:
    with Session(engine, expire_on_commit=False) as session:
        city = session.scalars(select(City)).one()
        tokens = signed_in_tokens(session, city, WORKERS)
        rows = session.execute(
            select(Space.id, Space.min_minutes).where(Space.approval == "instant").order_by(Space.id)
        ).all()
        session.commit()
        return tokens, [(row[0], max(60, row[1])) for row in rows], city.zone


def visit(
    n: int,
    token: str,
    spaces: list[tuple[int, int]],
    first: datetime,
    zone: ZoneInfo,
    port: int,
    until: float,
    notes: Notes,
) -> None:
    """One person, who keeps pressing: a third of the wishes go to twenty spaces that everybody wants."""
    chance = random.Random(n)
    mine: list[str] = []
    client = Client(token, port, notes, give_up=until + 60)
    while time.monotonic() < until:
        act = chance.random()
        if mine and act < 0.2:
            reference = mine.pop(chance.randrange(len(mine)))
            status, _ = client.post(f"/en/bookings/{reference}/cancellation", {})
            if status == 303:
                with notes.lock:
                    notes.cancelled.add(reference)
            continue
        space_id, minutes = chance.choice(spaces[:20]) if chance.random() < 0.33 else chance.choice(spaces)
        day = (first + timedelta(days=chance.randrange(40))).astimezone(zone)
        start = day.replace(hour=chance.choice([10, 12, 14, 15, 16]), minute=0, second=0, microsecond=0)
        submission = uuid4().hex
        query = urlencode({"start": start.isoformat(), "minutes": minutes})
        if act > 0.9:
            client.post(f"/en/spaces/{space_id}/hold?{query}", {"submission": submission})
            continue
        fields = {"start": start.isoformat(), "minutes": str(minutes), "submission": submission}
        status, location = client.post(f"/en/spaces/{space_id}/quick-booking", fields)
        if status == 303 and "/bookings/" in location:
            reference = location.partition("/bookings/")[2].partition("?")[0]
            with notes.lock:
                notes.booked[submission] = reference
            mine.append(reference)


class Client:
    """A browser with one connection at a time, which sends a form again until it is answered."""

    def __init__(self, token: str, port: int, notes: Notes, *, give_up: float) -> None:
        self.port, self.notes, self.give_up = port, notes, give_up
        self.headers = {
            "Cookie": f"{COOKIE}={token}",
            "Content-Type": "application/x-www-form-urlencoded",
        }

    def post(self, path: str, fields: dict[str, str]) -> tuple[int, str]:
        """(status, location) of the first answer that is none of "try again"."""
        body, pause = urlencode(fields), 0.05
        while True:
            began = time.perf_counter()
            try:
                connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
                connection.request("POST", path, body, self.headers)
                answer = connection.getresponse()
                answer.read()
                status, location = answer.status, answer.headers.get("Location", "")
                connection.close()
            except (OSError, http.client.HTTPException):
                status, location = 0, ""
            self.notes.answered(status, time.perf_counter() - began)
            if 0 < status < 500 or time.monotonic() > self.give_up:
                return status, location
            time.sleep(pause)
            pause = min(pause * 2, 1)


def compare(name: str, engine: Engine, notes: Notes, *, faults: bool) -> None:
    """The database against what people were told."""
    engine.dispose()  # its connections may be of a server that was killed
    since = {"start": now() + timedelta(days=100)}
    with engine.connect() as connection:
        doubles = connection.scalar(OVERLAPS, since) or 0
        stray = connection.scalar(STRAY) or 0
        rows = connection.execute(
            text(
                "SELECT reference, state, split_part(submission, ':', 1) FROM booking WHERE requested_at IS NOT NULL"
            )
        ).all()
    states = {reference: state for reference, state, _ in rows}
    told = set(notes.booked.values())
    lost = [
        reference
        for reference in told
        if states.get(reference) != ("cancelled" if reference in notes.cancelled else "confirmed")
    ]
    earlier = known_before(engine, told)
    untold = [reference for reference in states if reference not in told and reference not in earlier]
    report(f"{name}.bookings", len(told), "bookings", floor=None, n=sum(notes.statuses.values()))
    report(f"{name}.double_bookings", doubles, "bookings", floor=None, n=len(told))
    report(f"{name}.lost_bookings", len(lost), "bookings", floor=None, n=len(told))
    report(f"{name}.untold_bookings", len(untold), "bookings", floor=None, n=len(states))
    report(f"{name}.stray_claims", stray, "claims", floor=None, n=len(states))
    wrong = sum(
        count for status, count in notes.statuses.items() if status >= 500 and not (faults and status == 503)
    )
    report(f"{name}.http_5xx", wrong, "answers", floor=None, n=sum(notes.statuses.values()))
    report(
        f"{name}.answer_p99_ms",
        percentile(notes.seconds, 0.99) * 1000,
        "ms",
        floor=None,
        n=len(notes.seconds),
    )
    log.info("%s: answers by status %s", name, dict(sorted(notes.statuses.items())))
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE IF NOT EXISTS race_told (reference text PRIMARY KEY)"))
        for reference in states:
            connection.execute(
                text("INSERT INTO race_told VALUES (:reference) ON CONFLICT DO NOTHING"),
                {"reference": reference},
            )


def known_before(engine: Engine, told: set[str]) -> set[str]:
    """What an earlier phase or run was told."""
    with engine.connect() as connection:
        if connection.scalar(text("SELECT to_regclass('race_told')")) is None:
            return set()
        return set(connection.scalars(text("SELECT reference FROM race_told"))) - told
