"""How fast the door of the gateways answers, over HTTP, on the server that `make run` starts: a signed event is believed,
kept, and its job deferred. The floor is a page of the same server that asks the database one question."""

import http.client
import json
import random
import time
from datetime import timedelta
from uuid import uuid4

from flask import Flask
from sqlalchemy import Engine, text

from marketplace.clock import now
from marketplace.payments.test_bank import TestBank
from marketplace.settings import Settings
from tests.bench.measure import median, report
from tests.bench.served import served
from tests.bench.throughput import Post, per_second

CLIENTS = 16
TIMES = 200
# Real events tell much that we do not need.
PADDING = "x" * 2500


def run(app: Flask, engine: Engine, url: str) -> None:
    """Milliseconds for one event after the other, and how many a second from sixteen senders."""
    bank = TestBank(Settings().secret)
    began = now() - timedelta(seconds=1)
    with served("tests.bench.server:app", url) as port:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
        floor = median([timed(lambda: ready(connection)) for _ in range(TIMES)])
        found = median([timed(lambda: tell(connection, bank)) for _ in range(TIMES)])
        report("money.webhook_ms_p50", found, "ms", floor=floor, n=TIMES)
        floor = per_second(port, [asking()] * CLIENTS)
        found = per_second(port, [telling(bank)] * CLIENTS)
        report("money.webhook_rps", found, "events/s", floor=floor, n=CLIENTS)
    with engine.begin() as connected:
        connected.execute(text("DELETE FROM procrastinate_jobs WHERE task_name = 'payments.event'"))
        kept = connected.scalar(
            text(
                "WITH gone AS (DELETE FROM gateway_event WHERE received_at > :began RETURNING 1) SELECT count(*) FROM gone"
            ),
            {"began": began},
        )
    if not kept:
        raise RuntimeError("no event was kept")


def timed(call: object) -> float:
    began = time.perf_counter()
    if not call():  # type: ignore[operator]
        raise RuntimeError("another answer than was asked for")
    return (time.perf_counter() - began) * 1000


def ready(connection: http.client.HTTPConnection) -> bool:
    connection.request("GET", "/health/ready")
    answer = connection.getresponse()
    answer.read()
    return answer.status == 200


def tell(connection: http.client.HTTPConnection, bank: TestBank) -> bool:
    """Whether a new event was taken."""
    about = {
        "session": uuid4().hex,
        "intent": uuid4().hex,
        "key": None,
        "outcome": {"state": "open"},
        "more": PADDING,
    }
    payload = json.dumps({"id": uuid4().hex, "kind": "payment", "account": "", "about": about}).encode()
    headers = {"Testbank-Signature": bank.sign(payload, now()), "Content-Type": "application/json"}
    connection.request("POST", "/payments/webhooks/testbank", payload, headers)
    answer = connection.getresponse()
    answer.read()
    return answer.status == 200


def asking() -> Post:
    return lambda connection, chance: ready(connection)


def telling(bank: TestBank) -> Post:
    def post(connection: http.client.HTTPConnection, chance: random.Random) -> bool:
        return tell(connection, bank)

    return post
