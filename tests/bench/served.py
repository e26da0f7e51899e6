"""A real server for the benches that measure through HTTP, and people who are signed in to it."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from urllib.request import build_opener
from uuid import uuid4

from sqlalchemy.orm import Session

from marketplace.cities.models import City
from marketplace.clock import now
from marketplace.identity.models import SignedInSession
from marketplace.ids import new_token, token_hash
from marketplace.launch.run import WEB_WORKERS
from marketplace.settings import Settings
from tests.factories.people import make_person

# As `make run` serves the product.
WORKERS = WEB_WORKERS
THREADS = Settings().database_pool


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def environment(url: str) -> dict[str, str]:
    return {
        **os.environ,
        "MARKETPLACE_ENV": "test",
        "MARKETPLACE_DATABASE_URL": url,
        "MARKETPLACE_LOG_LEVEL": "error",
        "MARKETPLACE_RATE_LIMITS": "0",
    }


def web_command(target: str, port: int) -> list[str]:
    """The command that serves a WSGI application as the product is served."""
    options = ["--interface", "wsgi", "--port", str(port), "--workers", str(WORKERS)]
    return [sys.executable, "-m", "granian", *options, "--blocking-threads", str(THREADS), "--no-log", target]


@contextmanager
def served(target: str, url: str) -> Iterator[int]:
    """The port on which the application answers, until the end of the block."""
    port = free_port()
    server = subprocess.Popen(web_command(target, port), env=environment(url))
    try:
        wait_for(port)
        yield port
    finally:
        server.terminate()
        server.wait(10)


def wait_for(port: int, *, seconds: float = 30) -> None:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        try:
            build_opener().open(f"http://127.0.0.1:{port}/health/ready", timeout=2)
        except OSError:
            time.sleep(0.1)
        else:
            return
    raise RuntimeError("the server did not answer")


def signed_in_tokens(session: Session, city: City, count: int) -> list[str]:
    """The session tokens of so many new people; commits."""
    tokens = [new_token() for _ in range(count)]
    for n, token in enumerate(tokens):
        person = make_person(session, city, email=f"{uuid4().hex}@example.org", name=f"Racer {n}")
        session.add(
            SignedInSession(
                city_id=city.id,
                person_id=person.id,
                token_hash=token_hash(token),
                expires_at=now() + timedelta(hours=3),
            )
        )
    session.commit()
    return tokens
