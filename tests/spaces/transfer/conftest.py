"""What the tests of importers share."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from marketplace.accounts.actor import system
from marketplace.cities.models import City
from marketplace.clock import now
from spaces.transfer.actions import Report, import_hours, import_listings
from spaces.transfer.documents import read_document
from spaces.transfer.exports import EXPORT_BY_NAME, export_file
from spaces.transfer.formats import format_of
from spaces.transfer.queries import all_listings, venue_ids

Import = Callable[..., Report]


@pytest.fixture
def import_file(session: Session, city: City) -> Import:
    """Import a file as the command does; options go to the action."""

    def run(path: Path, asked: str | None = None, **options: Any) -> Report:
        document = read_document(path, metric_crs=city.metric_crs)
        chosen = format_of(document, asked)
        action: Any = import_hours if chosen.brings == "hours" else import_listings
        report: Report = action(
            session, city, chosen.read(document), actor=system(city.id, "command"), **options
        )
        session.flush()
        session.expire_all()
        return report

    return run


@pytest.fixture
def export(session: Session, city: City, tmp_path: Path) -> Callable[[str], Path]:
    """Everything of the city as a file of this format."""

    def run(name: str, ending: str = "json") -> Path:
        session.flush()
        path = tmp_path / f"out.{ending}"
        listings = all_listings(session, city, venue_ids(session, city), day=now().date())
        export_file(path, listings, EXPORT_BY_NAME[name])
        return path

    return run


@pytest.fixture
def rows_written(session: Session) -> Callable[[], int]:
    """How many rows this transaction has inserted, updated or deleted so far."""

    def count() -> int:
        session.flush()
        return int(
            session.scalar(
                text(
                    "SELECT coalesce(sum(n_tup_ins + n_tup_upd + n_tup_del), 0) FROM pg_stat_xact_user_tables"
                )
            )
            or 0
        )

    return count
