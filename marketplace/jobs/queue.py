"""The queue: procrastinate, whose jobs live in the same PostgreSQL.

A job is deferred on the caller's own connection, so it exists exactly when the change it follows is committed.
"""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

import procrastinate
from procrastinate import App, RetryStrategy
from procrastinate.manager import JobManager
from sqlalchemy.orm import Session

from marketplace.clock import now

# Growing delays: 4, 16, 64 s ... about a day in eight attempts; then the job is parked as failed for an operator.
RETRY = RetryStrategy(max_attempts=8, exponential_wait=4)

queue = App(connector=procrastinate.SyncPsycopgConnector())
# In the worker the queue has an asynchronous connector; a job that defers another still does it on its own connection.
_on_own_connection = JobManager(procrastinate.SyncPsycopgConnector())


def defer(
    session: Session,
    task: Any,
    *,
    queue_name: str = "default",
    lock: str | None = None,
    after: timedelta | None = None,
    key: str | None = None,
    **arguments: Any,
) -> None:
    """Enqueue `task` with JSON-able `arguments` in the session's own transaction.

    It runs no sooner than `after` from now. Of one `key` there is at most one job that has not been begun.
    """
    options = {"lock": lock, "schedule_at": now() + after if after else None, "queueing_lock": key}
    defer_each(session, task, [arguments], queue_name=queue_name, **options)


def defer_each(
    session: Session, task: Any, arguments: Sequence[Mapping[str, Any]], *, queue_name: str, **options: Any
) -> None:
    """Enqueue `task` once for each of these arguments, in one statement; `options` are procrastinate's own."""
    connection = session.connection().connection.driver_connection
    deferrer = task.configure(queue=queue_name, **options)
    jobs = [deferrer.make_new_job(**one) for one in arguments]
    _on_own_connection.batch_defer_jobs(jobs, connection=connection)
