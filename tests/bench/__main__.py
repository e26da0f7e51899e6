"""`make bench`: measures on a city of 10,000 spaces and 2 million claims, kept between runs of one day."""

import argparse
import logging
import sys
import time
from datetime import datetime

from alembic import command
from sqlalchemy import text

from marketplace import db
from marketplace.app import create_app
from marketplace.commands import alembic_config
from marketplace.launch.database import DURABLE, embedded_postgres, ensure_database
from marketplace.settings import ROOT, Settings
from tests.bench import (
    bookings,
    calendar,
    console,
    imports,
    market,
    money,
    money_orders,
    pages,
    race,
    search,
    series,
    spaces,
    throughput,
    traffic,
)
from tests.bench.city import build, forget_earlier_runs
from wsgi import PARTS

log = logging.getLogger("bench")

GROUPS = {
    "pages": (pages.run,),
    "bookings": (bookings.run, throughput.run, calendar.run, series.run),
    "search": (search.run,),
    "race": (race.run, traffic.run),
    "money": (money.run, money_orders.run),
    "spaces": (imports.run, spaces.run, console.run, market.run),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", choices=sorted(GROUPS), help="one group of figures")
    parser.add_argument("--spaces", type=int, default=10_000)
    parser.add_argument("--claims", type=int, default=2_000_000)
    chosen = parser.parse_args()
    logging.basicConfig(level="INFO", stream=sys.stderr, format="%(message)s")
    today = datetime.now().astimezone().date()
    with embedded_postgres(ROOT / "instance" / "bench-postgres", settings=DURABLE) as admin_url:
        url = ensure_database(admin_url, f"bench_{chosen.spaces}_{chosen.claims}_{today:%Y%m%d}")
        engine = db.make_engine(url, pool=20)
        with engine.connect() as connection:
            built = connection.scalar(text("SELECT to_regclass('bench_ready')"))
        if built is None:
            began = time.monotonic()
            log.info("building a city of %d spaces and %d claims", chosen.spaces, chosen.claims)
            build(engine, url, spaces=chosen.spaces, claims=chosen.claims, today=today)
            with engine.begin() as connection:
                connection.execute(text("CREATE TABLE bench_ready ()"))
            log.info("built in %.0f s", time.monotonic() - began)
        command.upgrade(alembic_config(url), "head")  # one that an earlier version of the day built
        forget_earlier_runs(engine)
        settings = Settings(
            env="test",
            secret="b" * 32,
            database_url=url,
            rate_limits=False,
            log_level="error",
            database_pool=20,
        )
        app = create_app(settings, PARTS)
        app.testing = False
        for name, runs in GROUPS.items():
            if chosen.only in {None, name}:
                for run in runs:
                    run(app, engine, url)
        engine.dispose()


main()
