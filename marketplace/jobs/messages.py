"""News inside the program: past facts published by actions, each handler run as a job of its own.

"Messages", never "events": an event is what people announce to their neighbours.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sqlalchemy import Text, bindparam, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Session

from marketplace.jobs.queue import RETRY, defer, defer_each, queue
from marketplace.jobs.runner import in_application


@dataclass(frozen=True)
class Message:
    """A past fact such as `booking.confirmed` with JSON-able facts about it."""

    name: str
    city_id: int
    facts: Mapping[str, Any]

    def __getitem__(self, key: str) -> Any:
        return self.facts[key]


# Runs in a transaction of its own, at least once: it must be safe to run twice.
Handler = Callable[[Session, Message], None]

_handlers: dict[str, list[Handler]] = {}


def register(handlers: Mapping[str, Sequence[Handler]]) -> None:
    """Add a part's handlers; naming one twice is harmless, so that tests can build several applications."""
    for name, functions in handlers.items():
        known = _handlers.setdefault(name, [])
        known.extend(function for function in functions if function not in known)


def handlers_of(name: str) -> Sequence[Handler]:
    return _handlers.get(name, [])


def publish(session: Session, name: str, *, city_id: int, **facts: Any) -> None:
    """Say that something has happened. Each handler becomes a job exactly when this transaction commits."""
    send(session, name, city_id=city_id, facts=facts)


def publish_later(
    session: Session, name: str, *, city_id: int, key: str, after: timedelta, **facts: Any
) -> None:
    """Say it in a while, unless it is withdrawn until then by the `key`, which names this very message in its city."""
    send(session, name, city_id=city_id, facts=facts, key=key, after=after)


def send(
    session: Session,
    name: str,
    *,
    city_id: int,
    facts: Mapping[str, Any],
    key: str | None = None,
    after: timedelta | None = None,
) -> None:
    handlers = handlers_of(name)
    jobs: list[dict[str, Any]] = [
        {"name": name, "handler": path_of(handler), "city_id": city_id, "facts": dict(facts)}
        for handler in handlers
    ]
    if key is None and after is None:
        if jobs:
            defer_each(session, deliver, jobs, queue_name="messages")
        return
    for handler, job in zip(handlers, jobs, strict=True):
        defer(
            session,
            deliver,
            queue_name="messages",
            after=after,
            key=key and key_of(name, city_id, key, handler),
            **job,
        )


def key_of(name: str, city_id: int, key: str, handler: Handler) -> str:
    return f"{name}:{city_id}:{key}:{path_of(handler)}"


PENDING = text("""
    SELECT queueing_lock, args -> 'facts' FROM procrastinate_jobs WHERE queueing_lock = ANY(:keys) AND status = 'todo'
""").bindparams(bindparam("keys", type_=ARRAY(Text)))
WITHDRAW = text("""
    DELETE FROM procrastinate_jobs WHERE queueing_lock = ANY(:keys) AND status = 'todo' RETURNING args -> 'facts'
""").bindparams(bindparam("keys", type_=ARRAY(Text)))


def pending(session: Session, name: str, *, city_id: int, keys: Collection[str]) -> dict[str, Message]:
    """By key, the messages published for later that no handler has begun to hear."""
    handlers = handlers_of(name)
    jobs = {key_of(name, city_id, key, handler): key for key in keys for handler in handlers}
    found: dict[str, list[Any]] = {}
    for job, facts in session.execute(PENDING, {"keys": list(jobs)}):
        found.setdefault(jobs[job], []).append(facts)
    return {
        key: Message(name, city_id, facts[0]) for key, facts in found.items() if len(facts) == len(handlers)
    }


def withdraw(session: Session, name: str, *, city_id: int, key: str) -> Message | None:
    """Take a message for later back, so that nobody hears it; None where somebody may have heard it already: then the
    transaction must be rolled back."""
    handlers = handlers_of(name)
    jobs = [key_of(name, city_id, key, handler) for handler in handlers]
    facts = session.scalars(WITHDRAW, {"keys": jobs}).all()
    return Message(name, city_id, facts[0]) if facts and len(facts) == len(handlers) else None


def path_of(handler: Handler) -> str:
    return f"{handler.__module__}:{handler.__qualname__}"


@queue.task(name="deliver", queue="messages", retry=RETRY, pass_context=False)
def deliver(name: str, handler: str, city_id: int, facts: dict[str, Any]) -> None:
    """Hand one message to one handler, in a transaction."""
    for function in handlers_of(name):
        if path_of(function) == handler:
            with in_application() as session:
                function(session, Message(name, city_id, facts))
            return
    raise LookupError(f"no handler {handler} for {name}")
