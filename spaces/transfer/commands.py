"""`flask spaces import`: real places from the files of other systems."""

from pathlib import Path

import click
from flask import current_app
from flask.cli import AppGroup

from marketplace.accounts.actor import system
from marketplace.cities.queries import city_of_slug
from marketplace.db import transaction
from spaces.catalog.actions import assign_districts
from spaces.transfer.actions import Report, import_listings
from spaces.transfer.documents import read_document
from spaces.transfer.errors import FileRefused
from spaces.transfer.formats import FORMATS, format_of

SHOWN_NOTES = 40

spaces_group = AppGroup("spaces", help="Places and spaces.")


@spaces_group.command("import")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option(
    "--format", "asked", type=click.Choice([one.name for one in FORMATS]), help="Found out when not given."
)
@click.option("--owner", help="Organisation that owns the places; else what the records say, else the city.")
@click.option("--city", "slug", help="Slug of the city; the one of MARKETPLACE_CITY when not given.")
@click.option("--dry-run", is_flag=True, help="Tell what would happen, and write nothing.")
def import_spaces(file: Path, asked: str | None, owner: str | None, slug: str | None, dry_run: bool) -> None:
    """Store the places of FILE as venues, units and spaces.

    A broken record is reported with its place in the file and its field, and does not stop the rest. Importing the same
    file again changes nothing.
    """
    slug = slug or current_app.config["CITY"]
    try:
        with transaction() as session:
            city = city_of_slug(session, slug)
            if city is None:
                raise click.ClickException(f"There is no city {slug!r}.")
            document = read_document(file, metric_crs=city.metric_crs)
            chosen = format_of(document, asked)
            report = import_listings(
                session, city, chosen.read(document),
                actor=system(city.id, "command"), owner=owner, dry_run=dry_run,
            )  # fmt: skip
    except FileRefused as refused:
        raise click.ClickException(str(refused)) from None
    echo_report(report, chosen.title, dry_run=dry_run)
    if not report.read:
        raise click.ClickException(f"Nothing of {file.name} could be read.")


@spaces_group.command("assign-districts")
@click.option("--city", "slug", help="Slug of the city; the one of MARKETPLACE_CITY when not given.")
def assign(slug: str | None) -> None:
    """Let every venue find its district anew. The worker does this by itself after new districts are imported."""
    slug = slug or current_app.config["CITY"]
    with transaction() as session:
        city = city_of_slug(session, slug)
        if city is None:
            raise click.ClickException(f"There is no city {slug!r}.")
        changed = assign_districts(session, city)
    click.echo(f"{changed} venues changed their district.")


def echo_report(report: Report, title: str, *, dry_run: bool) -> None:
    """What an operator reads: the counts, what was assumed, and each record that failed."""
    would = "would be " if dry_run else ""
    click.echo(
        f"{title}: {report.created} places {would}created, {report.updated} {would}updated, "
        f"{report.unchanged} unchanged, {len(report.problems)} failed; {report.spaces} spaces."
    )
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
