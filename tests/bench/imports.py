"""Importing places, by the real command in a process of its own, into a database of its own."""

import json
import os
import random
import subprocess
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

from alembic import command
from flask import Flask
from sqlalchemy import Engine, text
from sqlalchemy.orm import Session

from marketplace import db
from marketplace.commands import alembic_config
from marketplace.settings import ROOT
from tests.bench.measure import report
from tests.factories.cities import make_city

UNITS = 20_000
BERTHS = ROOT.parent / "shared" / "data" / "venues" / "berth_harbor_resources.json.gz"
TABLES = ("venue", "unit", "space", "space_unit", "opening_rule", "price", "opening_month", "day_sheet")
WRITES = "SELECT coalesce(sum(n_tup_ins + n_tup_upd + n_tup_del), 0) FROM pg_stat_user_tables"


class Ran(NamedTuple):
    """Seconds by the clock and of processor time in the command's own process, and its largest memory."""

    wall: float
    cpu: float
    peak_mb: float


def run(app: Flask, engine: Engine, url: str) -> None:
    """Seconds for 20,000 service-map units, for the same again, and for all berths of Helsinki's harbours."""
    head, _, query = url.partition("?")
    name = f"{head.rsplit('/', 1)[1]}_imports"
    own_url = f"{head.rsplit('/', 1)[0]}/{name}" + (f"?{query}" if query else "")
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)'))
        connection.execute(text(f'CREATE DATABASE "{name}"'))
    command.upgrade(alembic_config(own_url), "head")
    own = db.make_engine(own_url, pool=2)
    try:
        with Session(own) as session:
            make_city(session, slug="helsinki")
            session.commit()
        with TemporaryDirectory() as folder:
            path = Path(folder) / "units.json"
            path.write_text(json.dumps(units(UNITS), ensure_ascii=False), encoding="utf-8")
            measure_units(own, own_url, path)
        if BERTHS.is_file():
            ran = import_file(own_url, BERTHS)
            report("import.berths_s", ran.wall, "s", floor=ran.cpu, n=4068)
    finally:
        own.dispose()
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.execute(text(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)'))


def measure_units(engine: Engine, url: str, path: Path) -> None:
    ran = import_file(url, path)
    report("import.units_20k_s", ran.wall, "s", floor=copy_s(engine), n=UNITS)
    report("import.units_20k_cpu_s", ran.cpu, "s", floor=None, n=UNITS)
    report("import.units_20k_peak_mb", ran.peak_mb, "MB", floor=None, n=UNITS)
    before = writes(engine)
    again = import_file(url, path)
    began = time.perf_counter()
    json.loads(path.read_text(encoding="utf-8"))
    parse_s = time.perf_counter() - began
    report("import.unchanged_20k_s", again.wall, "s", floor=parse_s, n=UNITS)
    report("import.unchanged_20k_writes", writes(engine) - before, "rows", floor=None, n=UNITS)


def import_file(url: str, path: Path) -> Ran:
    """Run `flask spaces import` and wait for it. Raises RuntimeError where it fails."""
    environment = {
        **os.environ,
        "MARKETPLACE_ENV": "test",
        "MARKETPLACE_DATABASE_URL": url,
        "MARKETPLACE_LOG_LEVEL": "error",
    }
    began = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, "-m", "flask", "--app", "wsgi", "spaces", "import", str(path), "--city", "helsinki"],
        env=environment,
        cwd=ROOT,
        stdout=subprocess.DEVNULL,
    )
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise RuntimeError(f"importing {path.name} failed with {process.returncode}")
    # Linux counts the peak in KB, macOS in bytes.
    peak = usage.ru_maxrss / (1024 if sys.platform != "darwin" else 1024 * 1024)
    return Ran(time.perf_counter() - began, usage.ru_utime + usage.ru_stime, peak)


def copy_s(engine: Engine) -> float:
    """Seconds to write the same rows once more inside the database, without indexes and constraints."""
    with engine.begin() as connection:
        began = time.perf_counter()
        for table in TABLES:
            connection.execute(text(f"CREATE TABLE copied AS SELECT * FROM {table}"))
            connection.execute(text("DROP TABLE copied"))
        return time.perf_counter() - began


def writes(engine: Engine) -> float:
    """Rows written in this database so far, by all that have closed their connections."""
    time.sleep(1.5)
    with engine.connect() as connection:
        return float(connection.scalar(text(WRITES)) or 0)


def units(count: int) -> list[dict[str, Any]]:
    """Units of the service map with texts as long as the real ones, from a seed."""
    chance = random.Random(20261128)
    return [
        {
            "id": 100_000 + n,
            "org_id": "83e74666-0836-4c1d-948a-4b34a8b90301",
            "data_source_url": "www.hel.fi",
            "name_fi": f"Toimipiste {n}, kirjasto",
            "name_sv": f"Verksamhetsställe {n}, bibliotek",
            "name_en": f"Unit {n}, library",
            "latitude": round(60.15 + 0.12 * chance.random(), 6),
            "longitude": round(24.83 + 0.3 * chance.random(), 6),
            "street_address_fi": f"Katu {n % 400}",
            "street_address_sv": f"Gatan {n % 400}",
            "address_zip": f"00{100 + 10 * (n % 80)}",
            "address_city_fi": "Helsinki",
            "phone": "+358 9 310 85000",
            "www_fi": f"https://www.hel.fi/{n}",
            "short_desc_fi": "Lyhyt kuvaus paikasta.",
            "desc_fi": "Valoisa tila kokouksille ja juhlille. " * 8,
            "desc_sv": "Ett ljust rum för möten och fester. " * 8,
            "desc_en": "A light room for meetings and parties. " * 8,
            "accessibility_sentences": [
                {"sentence_en": "The customer service point has an accessible toilet."}
            ],
        }
        for n in range(count)
    ]
