"""Structured logs: one JSON line an entry in production, readable lines elsewhere, each with its request's id."""

import logging
import re
import sys
import time
from typing import Any
from uuid import uuid4

import structlog
from flask import Flask, Response, g, request

GIVEN_ID = re.compile(r"[A-Za-z0-9-]{8,64}")


def configure_logs(*, level: str, json: bool) -> None:
    """Send structlog and the standard library's records through one renderer to standard error."""
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.ExtraAdder(),
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
    ]
    renderer: Any = (
        structlog.processors.JSONRenderer() if json else structlog.dev.ConsoleRenderer(colors=False)
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer],
        )
    )
    handler.addFilter(without_arguments)
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(level.upper())
    logging.getLogger("procrastinate").setLevel("WARNING")


def without_arguments(record: logging.LogRecord) -> bool:
    """A failed job is named by its task and number alone: its arguments may be people's addresses."""
    job = getattr(record, "job", None)
    if isinstance(job, dict) and "call_string" in job:
        name = f"{job.get('task_name')}[{job.get('id')}]"
        record.msg, record.args = record.getMessage().replace(job["call_string"], name), None
        record.job = {key: job[key] for key in ("id", "task_name", "queue", "attempts") if key in job}
    return True


def install(app: Flask) -> None:
    """Give each request an id, echo it, and log one line when it ends. Query strings may hold names; they stay out."""
    log = logging.getLogger("request")

    @app.before_request
    def begin() -> None:
        given = request.headers.get("X-Request-Id", "")
        g.request_id = given if GIVEN_ID.fullmatch(given) else uuid4().hex
        g.request_began = time.perf_counter()
        structlog.contextvars.clear_contextvars()
        structlog.contextvars.bind_contextvars(request_id=g.request_id)

    @app.after_request
    def end(response: Response) -> Response:
        if "request_id" not in g:
            return response
        response.headers["X-Request-Id"] = g.request_id
        took = (time.perf_counter() - g.request_began) * 1000
        response.headers["Server-Timing"] = f"app;dur={took:.1f}"
        if request.endpoint not in {"static", "health.live", "health.ready"}:
            log.info(
                "%s %s",
                request.method,
                request.path,
                extra={"status": response.status_code, "took_ms": round(took, 1)},
            )
        return response
