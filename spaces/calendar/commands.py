"""The operator's commands for the calendar: rebuild it, and check the index against the truth."""

import click
from flask.cli import AppGroup
from sqlalchemy import delete, select
from sqlalchemy.orm import Session
from tqdm import tqdm

from marketplace.cities.models import City
from marketplace.db import transaction
from marketplace.timespan import Span
from spaces.calendar.actions import CHUNK, compile_spaces
from spaces.calendar.models import DaySheet, OpeningMonth
from spaces.calendar.queries import calendars_of
from spaces.calendar.rules import DAY, midnight, sheet_word
from spaces.calendar.sheets import month_days
from spaces.catalog.models import Space

calendar_group = AppGroup("calendar", help="Opening spans and day sheets.")


def chunks() -> list[tuple[City, list[int]]]:
    """All spaces of all cities, in batches."""
    with transaction() as session:
        found = []
        for city in session.scalars(select(City)):
            ids = session.scalars(select(Space.id).where(Space.city_id == city.id).order_by(Space.id)).all()
            found += [(city, list(ids[at : at + CHUNK])) for at in range(0, len(ids), CHUNK)]
    return found


@calendar_group.command("rebuild")
@click.option("--from-nothing", is_flag=True, help="Drop what is compiled first, batch by batch.")
def rebuild(from_nothing: bool) -> None:
    """Compile the openings and day sheets of every space."""
    changed = 0
    for city, ids in tqdm(chunks(), unit="batch"):
        with transaction() as session:
            if from_nothing:
                for table in (OpeningMonth, DaySheet):
                    session.execute(delete(table).where(table.city_id == city.id, table.space_id.in_(ids)))
            changed += compile_spaces(session, city, ids)
    click.echo(f"{changed} months written.")


@calendar_group.command("verify")
@click.option("--repair", is_flag=True, help="Write the right words where they differ.")
def verify(repair: bool) -> None:
    """Compare every day sheet with the exact computation; exit with 1 when a word differs."""
    wrong = 0
    for city, ids in tqdm(chunks(), unit="batch"):
        with transaction() as session:
            wrong += _verify_batch(session, city, ids, repair=repair)
    click.echo(f"{wrong} days differ." if wrong else "Every day sheet is right.")
    if wrong and not repair:
        raise SystemExit(1)


def _verify_batch(session: Session, city: City, ids: list[int], *, repair: bool) -> int:
    # Locked, so that no booking changes a claim between the two readings.
    kept = session.scalars(
        select(DaySheet)
        .where(DaySheet.city_id == city.id, DaySheet.space_id.in_(ids))
        .order_by(DaySheet.space_id, DaySheet.month)
        .with_for_update()
    ).all()
    if not kept:
        return 0
    months = sorted({sheet.month for sheet in kept})
    window = Span(midnight(months[0], city.zone), midnight(month_days(months[-1])[-1] + DAY, city.zone))
    calendars = calendars_of(session, city.id, ids, window, city.zone)
    frees = {space_id: calendar.free for space_id, calendar in calendars.items()}
    wrong = 0
    for sheet in kept:
        words = [sheet_word(frees[sheet.space_id], day, city.zone) for day in month_days(sheet.month)]
        differing = [
            (day, had, has)
            for day, had, has in zip(month_days(sheet.month), sheet.free, words, strict=True)
            if had != has
        ]
        for day, had, has in differing:
            click.echo(f"space {sheet.space_id} {day}: {had:012x} should be {has:012x}", err=True)
        wrong += len(differing)
        if differing and repair:
            sheet.free = words
    return wrong
