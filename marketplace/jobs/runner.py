"""Where jobs find the application they run in. Set once when the application is built."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

from sqlalchemy.orm import Session

from marketplace.db import transaction

_context: Callable[[], AbstractContextManager[object]] | None = None


def run_inside(context: Callable[[], AbstractContextManager[object]]) -> None:
    """Name the context (the application's) that every job enters."""
    global _context  # noqa: PLW0603 - one process serves one application
    _context = context


@contextmanager
def application() -> Iterator[None]:
    """The application's context, for a job that opens its own transactions."""
    if _context is None:
        raise RuntimeError("no application is bound to the jobs")
    with _context():
        yield


@contextmanager
def in_application() -> Iterator[Session]:
    """The application's context and one transaction."""
    with application(), transaction() as session:
        yield session
