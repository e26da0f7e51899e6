"""Telling of events: signed as Stripe signs, to whoever asked for it, and as badly as a test wants."""

import fnmatch
import hashlib
import hmac
import http.client
import json
import queue
import threading
import time
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

FAULTS = ("lost", "twice", "held", "forged", "replayed")


@dataclass(frozen=True)
class Endpoint:
    """An address that wants events: those of the account itself, or (`connect`) those of connected accounts."""

    url: str
    secret: str
    connect: bool = False


@dataclass
class Plan:
    """What becomes of the next `times` events whose type matches: one of FAULTS."""

    fault: str
    match: str = "*"
    times: int = 1


@dataclass(frozen=True)
class Delivered:
    """One attempt to tell: the answer's status, or 0 if nobody answered."""

    event_id: str
    kind: str
    url: str
    status: int


def body_of(event: dict[str, Any]) -> bytes:
    return json.dumps(event, indent=2, ensure_ascii=False).encode()


def signature(body: bytes, secret: str, *, at: int | None = None) -> str:
    """The value of Stripe-Signature for this body, signed at this second (now, if not given)."""
    at = int(time.time()) if at is None else at
    digest = hmac.new(secret.encode(), b"%d.%s" % (at, body), hashlib.sha256).hexdigest()
    return f"t={at},v1={digest},v0={'0' * 64}"


class Deliveries:
    """Tells events in order from a thread of its own; keeps what it could not tell."""

    def __init__(self) -> None:
        self.endpoints: list[Endpoint] = []
        self.plans: list[Plan] = []
        self.held: list[dict[str, Any]] = []
        self.undelivered: list[dict[str, Any]] = []
        self.delivered: list[Delivered] = []
        self.events: list[dict[str, Any]] = []
        self.lock = threading.Lock()
        self.queue: queue.Queue[tuple[dict[str, Any], str] | None] = queue.Queue()
        self.thread = threading.Thread(target=self.work, name="stripe-standin-webhooks", daemon=True)

    def start(self) -> None:
        self.thread.start()

    def stop(self) -> None:
        self.queue.put(None)
        self.thread.join(10)

    def take(self, event: dict[str, Any]) -> None:
        """A new event: told, unless a plan says otherwise."""
        with self.lock:
            self.events.append(event)
            fault = self.planned(event["type"])
            if fault == "lost":
                self.undelivered.append(event)
            elif fault == "held":
                self.held.append(event)
            else:
                for _ in range(2 if fault == "twice" else 1):
                    self.queue.put((event, fault))

    def planned(self, kind: str) -> str:
        for plan in self.plans:
            if plan.times > 0 and fnmatch.fnmatch(kind, plan.match):
                plan.times -= 1
                return plan.fault
        return ""

    def plan(self, fault: str, match: str = "*", times: int = 1) -> None:
        if fault not in FAULTS:
            raise ValueError(f"no such fault: {fault}")
        with self.lock:
            self.plans.append(Plan(fault, match, times))

    def release(self, *, backwards: bool = False) -> int:
        """Tell what was held, freshly signed as Stripe does however late it is; returns how many."""
        with self.lock:
            held, self.held = self.held, []
        for event in reversed(held) if backwards else held:
            self.queue.put((event, ""))
        return len(held)

    def redeliver(self) -> int:
        """Tell again what nobody took, as Stripe does for three days; returns how many."""
        with self.lock:
            again, self.undelivered = self.undelivered, []
        for event in again:
            self.queue.put((event, ""))
        return len(again)

    def flush(self) -> None:
        """Come back when all that can be told has been told."""
        self.queue.join()

    def work(self) -> None:
        while True:
            job = self.queue.get()
            try:
                if job is None:
                    return
                self.tell(*job)
            finally:
                self.queue.task_done()

    def tell(self, event: dict[str, Any], fault: str) -> None:
        taken = True
        for endpoint in self.endpoints:
            if endpoint.connect != ("account" in event):
                continue
            body = body_of(event)
            secret = "whsec_of_somebody_else" if fault == "forged" else endpoint.secret
            signed_at = int(time.time()) - 601 if fault == "replayed" else None
            status = post(endpoint.url, body, signature(body, secret, at=signed_at))
            with self.lock:
                self.delivered.append(Delivered(event["id"], event["type"], endpoint.url, status))
            taken = taken and 200 <= status < 300
        # What was never ours to say is not said again.
        if not taken and fault not in {"forged", "replayed"}:
            with self.lock:
                self.undelivered.append(event)


def post(url: str, body: bytes, signed: str) -> int:
    """The status that this address answers, 0 if none."""
    parts = urlsplit(url)
    make = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
    link = make(parts.hostname or "", parts.port, timeout=10)
    try:
        link.request(
            "POST",
            parts.path or "/",
            body,
            {
                "Content-Type": "application/json; charset=utf-8",
                "User-Agent": "Stripe/1.0 (+https://stripe.com/docs/webhooks)",
                "Stripe-Signature": signed,
            },
        )
        answer = link.getresponse()
        answer.read()
    except (OSError, http.client.HTTPException):
        return 0
    else:
        return answer.status
    finally:
        link.close()
