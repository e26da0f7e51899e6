"""`flask spaces import` and `flask spaces export`: places in the files of other systems, and in our own."""

import json
from pathlib import Path

import click
from flask import current_app
from flask.cli import AppGroup
from sqlalchemy.orm import Session

from marketplace.accounts.actor import system
from marketplace.cities.models import City
from marketplace.cities.queries import city_of_slug
from marketplace.clock import now
from marketplace.db import transaction
from spaces.catalog.actions import assign_districts
from spaces.transfer.actions import Report, import_hours, import_listings
from spaces.transfer.changes import PlaceChange
from spaces.transfer.documents import read_document
from spaces.transfer.errors import FileRefused
from spaces.transfer.exports import ENDINGS, EXPORT_BY_NAME, EXPORTS, export_file
from spaces.transfer.formats import FORMATS, Format, format_of
from spaces.transfer.listing import Listing, SpaceHours
from spaces.transfer.queries import all_listings, venue_ids

SHOWN_NOTES = 40
SHOWN_TEXT = 120

spaces_group = AppGroup("spaces", help="Places and spaces.")


@spaces_group.command("import")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option(
    "--format", "asked", type=click.Choice([one.name for one in FORMATS]), help="Found out when not given."
)
@click.option("--owner", help="Organisation that owns the places; else what the records say, else the city.")
@click.option("--city", "slug", help="Slug of the city; the one of MARKETPLACE_CITY when not given.")
@click.option("--dry-run", is_flag=True, help="Tell what would change, field by field, and write nothing.")
@click.option(
    "--output",
    type=click.Choice(["text", "json"]),
    default="text",
    help="How the report is written; JSON has every field of every place.",
)
@click.option(
    "--anew", is_flag=True, help="Compare also records that have not changed since their last import."
)
@click.option("--all-or-nothing", is_flag=True, help="Write nothing when any record fails.")
@click.option(
    "--map",
    "mapped",
    multiple=True,
    metavar="ID=SOURCE:PLACE[/SPACE]",
    help="For hours: which place or space here an id of the file means. May be repeated.",
)
def import_spaces(  # noqa: PLR0917 - click passes them by name
    file: Path,
    asked: str | None,
    owner: str | None,
    slug: str | None,
    dry_run: bool,
    output: str,
    anew: bool,
    all_or_nothing: bool,
    mapped: tuple[str, ...],
) -> None:
    """Store the places of FILE as venues, units and spaces, or the opening hours of places that are here.

    A broken record is reported with its place in the file and its field, and does not stop the rest. Importing the same
    file again changes nothing.
    """
    targets = targets_of(mapped)
    try:
        with transaction() as session:
            city = city_called(session, slug)
            document = read_document(file, metric_crs=city.metric_crs)
            chosen = format_of(document, asked)
            items, actor = chosen.read(document), system(city.id, "command")
            if chosen.brings == "hours":
                hours = (item for item in items if not isinstance(item, Listing))
                report = import_hours(session, city, hours, actor=actor, targets=targets, dry_run=dry_run)
            else:
                places = (item for item in items if not isinstance(item, SpaceHours))
                report = import_listings(
                    session, city, places, actor=actor, owner=owner, dry_run=dry_run, anew=anew
                )
            if all_or_nothing and not dry_run:
                refuse_problems(report, file.name)
    except FileRefused as refused:
        raise click.ClickException(str(refused)) from None
    if output == "json":
        echo_json(report, chosen, dry_run=dry_run)
    else:
        echo_report(report, chosen, dry_run=dry_run)
    if not report.read:
        raise click.ClickException(f"Nothing of {file.name} could be read.")


@spaces_group.command("export")
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@click.option(
    "--format",
    "asked",
    type=click.Choice([one.name for one in EXPORTS]),
    help="Told by the file's ending when not given.",
)
@click.option("--source", help="Only the places of this source, such as tprek; all when not given.")
@click.option("--city", "slug", help="Slug of the city; the one of MARKETPLACE_CITY when not given.")
def export_spaces(file: Path, asked: str | None, source: str | None, slug: str | None) -> None:
    """Write the places and spaces of a city to FILE, drafts and archived ones too.

    CSV, XLSX, GeoJSON, GeoPackage and GeoParquet have the same columns; importing the first four again changes nothing.
    """
    name = asked or ENDINGS.get(file.suffix.lower())
    if name is None:
        raise click.ClickException(f"What format is {file.name}? Say it with --format.")
    if not file.absolute().parent.is_dir():
        raise click.ClickException(f"There is no folder {file.parent}.")
    with transaction() as session:
        city = city_called(session, slug)
        ids = venue_ids(session, city, source=source)
        if not ids:
            raise click.ClickException("There are no such places.")
        today = now().astimezone(city.zone).date()
        count = export_file(file, all_listings(session, city, ids, day=today), EXPORT_BY_NAME[name])
    click.echo(
        f"{count} records of {len(ids)} places written to {file.name} as {EXPORT_BY_NAME[name].title}."
    )


def refuse_problems(report: Report, name: str) -> None:
    """Raises FileRefused when a record failed."""
    if report.problems:
        raise FileRefused(
            f"{name} has {len(report.problems)} broken records, so nothing is written. The first is "
            f"{report.problems[0]}."
        )


def city_called(session: Session, slug: str | None) -> City:
    slug = slug or current_app.config["CITY"]
    city = city_of_slug(session, slug)
    if city is None:
        raise click.ClickException(f"There is no city {slug!r}.")
    return city


def targets_of(mapped: tuple[str, ...]) -> dict[str, str]:
    targets = {}
    for pair in mapped:
        given, equals, target = pair.partition("=")
        if not equals or ":" not in target:
            raise click.ClickException(f"--map {pair} is not like 1=tprek:8215 or 1=tprek:8215/whole.")
        targets[given.strip()] = target.strip()
    return targets


@spaces_group.command("assign-districts")
@click.option("--city", "slug", help="Slug of the city; the one of MARKETPLACE_CITY when not given.")
def assign(slug: str | None) -> None:
    """Let every venue find its district anew. The worker does this by itself after new districts are imported."""
    with transaction() as session:
        city = city_called(session, slug)
        changed = assign_districts(session, city)
    click.echo(f"{changed} venues changed their district.")


def echo_report(report: Report, chosen: Format, *, dry_run: bool) -> None:
    """What an operator reads: the counts, what was assumed, and each record that failed."""
    would = "would be " if dry_run else ""
    word = "hours of spaces" if chosen.brings == "hours" else "places"
    click.echo(
        f"{chosen.title}: {report.created} {word} {would}created, {report.updated} {would}updated, "
        f"{report.unchanged} unchanged, {len(report.problems)} failed; {report.spaces} spaces."
    )
    for change in report.changes:
        echo_change(change)
    for hours, count in sorted(report.without_hours.items()):
        click.echo(f"{count} spaces have no opening hours in the source; the default is every day, {hours}.")
    if report.without_price:
        click.echo(
            f"{report.without_price} spaces have no price in the source; the default is free of charge."
        )
    if report.located:
        click.echo(
            f"{report.located} places took their point from a place at the same address or of the same name."
        )
    if report.without_point:
        click.echo(
            f"{report.without_point} places have no point; they are found by name but not by distance."
        )
    for name in report.new_owners:
        click.echo(f"The organisation “{name}” is new.")
    for note in report.notes[:SHOWN_NOTES]:
        click.echo(f"Note: {note}")
    if len(report.notes) > SHOWN_NOTES:
        click.echo(f"And {len(report.notes) - SHOWN_NOTES} more notes like these.")
    for problem in report.problems:
        click.echo(f"Failed: {problem}", err=True)


def echo_change(change: PlaceChange) -> None:
    """A place with a line per field; of a new place only what it is, for all its fields are new."""
    click.echo(
        f"{change.action.title()}: {change.source}:{change.external_id} {change.name} ({change.where})"
    )
    if change.action == "created":
        spaces = {one.field.split("/")[1] for one in change.changes if one.field.startswith("spaces/")}
        click.echo(f"    {len(spaces)} spaces, {len(change.changes)} fields")
        return
    for one in change.changes:
        click.echo(f"    {one.field}: {shown(one.old)} -> {shown(one.new)}")


def shown(value: object) -> str:
    """A value on one line, cut where it is long."""
    if value is None:
        return "nothing"
    text = ", ".join(str(part) for part in value) if isinstance(value, list) else str(value)
    text = " ".join(text.split())
    return f"“{text[:SHOWN_TEXT]}…”" if len(text) > SHOWN_TEXT else f"“{text}”"


def echo_json(report: Report, chosen: Format, *, dry_run: bool) -> None:
    """The report for other programs: one JSON object, written place by place, since it may be as long as the file."""
    counts = {
        "format": chosen.name,
        "dry_run": dry_run,
        "created": report.created,
        "updated": report.updated,
        "unchanged": report.unchanged,
        "spaces": report.spaces,
        "new_owners": report.new_owners,
        "problems": [vars(problem) for problem in report.problems],
        "notes": [vars(note) for note in report.notes],
    }
    click.echo(dumped(counts)[:-1] + ', "changes": [', nl=False)
    for at, change in enumerate(report.changes):
        told = {
            "action": change.action,
            "source": change.source,
            "id": change.external_id,
            "name": change.name,
            "where": change.where,
            "fields": [vars(one) for one in change.changes],
        }
        click.echo(("," if at else "") + "\n" + dumped(told), nl=False)
    click.echo("]}")


def dumped(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, default=str)
