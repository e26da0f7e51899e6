"""News inside the program: past facts published by actions, each handler run as a job of its own.

"Messages", never "events": an event is what people announce to their neighbours.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy.orm import Session

from marketplace.jobs.queue import RETRY, defer, queue
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
    for handler in handlers_of(name):
        defer(
            session,
            deliver,
            queue_name="messages",
            name=name,
            handler=path_of(handler),
            city_id=city_id,
            facts=facts,
        )


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
