"""Server time of the pages people wait for, through the WSGI application in this process."""

from datetime import timedelta

from flask import Flask
from sqlalchemy import Engine, text

from marketplace.clock import now
from tests.bench.measure import median, milliseconds, percentile, report

TIMES = 60


def run(app: Flask, engine: Engine, url: str) -> None:
    """Space page and results page against the time of a page that only says "ready" after one query."""
    client = app.test_client()
    with engine.connect() as connection:
        ids = list(
            connection.scalars(
                text("SELECT id FROM space WHERE id % 97 = 0 ORDER BY id LIMIT :n"), {"n": TIMES}
            )
        )
    floor = median(milliseconds(lambda: client.get("/health/ready"), times=TIMES))

    spaces = iter(ids * 3)
    found = milliseconds(lambda: get(client, f"/fi/spaces/{next(spaces)}"), times=TIMES)
    report("page.space_ms_p50", median(found), "ms", floor=floor, n=TIMES)

    saturday = now().date() + timedelta(days=(5 - now().weekday()) % 7 + 7)
    days = iter(saturday + timedelta(days=n % 20) for n in range(TIMES * 3))

    def results() -> None:
        day = next(days)
        get(client, f"/en/spaces?when={day.day}.{day.month}.+17-21&people=40&where=60.184,24.953&minutes=120")

    found = milliseconds(results, times=TIMES)
    report("page.results_ms_p50", median(found), "ms", floor=floor, n=TIMES)
    report("page.results_ms_p95", percentile(found, 0.95), "ms", floor=floor, n=TIMES)


def get(client: object, path: str) -> None:
    response = client.get(path)  # type: ignore[attr-defined]
    if response.status_code != 200:
        raise RuntimeError(f"{path}: {response.status_code}")
