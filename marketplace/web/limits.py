"""Rate limits, counted in the database by fixed windows."""

from datetime import timedelta

from flask import current_app
from sqlalchemy import text

from marketplace.clock import now
from marketplace.db import transaction
from marketplace.errors import TooMany

COUNT = text("""
    INSERT INTO rate_counter AS c (key, window_start, used) VALUES (:key, :now, 1)
    ON CONFLICT (key) DO UPDATE SET
        used = CASE WHEN c.window_start <= :start THEN 1 ELSE c.used + 1 END,
        window_start = CASE WHEN c.window_start <= :start THEN :now ELSE c.window_start END
    RETURNING used, window_start
""")


def limit(key: str, *, times: int, per: timedelta) -> None:
    """Count one use of `key`; raise TooMany beyond `times` within `per`. Commits on its own, so a refusal counts too."""
    if not current_app.config["RATE_LIMITS"]:
        return
    at = now()
    with transaction() as session:
        used, started = session.execute(COUNT, {"key": key, "now": at, "start": at - per}).one()
    if used > times:
        raise TooMany(retry_after=max(1, int((started + per - at).total_seconds())))


def forget_old_counters() -> None:
    """Drop counters that no window can need any more (nightly)."""
    with transaction() as session:
        session.execute(text("DELETE FROM rate_counter WHERE window_start < now() - interval '2 days'"))
