"""`flask districts import`: outlines from a city's open data."""

from pathlib import Path

import click
from flask import current_app
from flask.cli import AppGroup

from marketplace.accounts.actor import system
from marketplace.cities.queries import city_of_slug
from marketplace.db import transaction
from spaces.districts.actions import store_districts
from spaces.districts.errors import AreasRefused
from spaces.districts.frames import Fields, checked_districts, read_areas
from spaces.districts.queries import DISTRICT

districts_group = AppGroup("districts", help="The city's districts.")


@districts_group.command("import")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--city", "slug", help="Slug of the city; the one of MARKETPLACE_CITY when not given.")
@click.option(
    "--kind", default=DISTRICT, show_default=True, help="Venues and searches use the kind `district`."
)
@click.option("--code-field", default="tunnus", show_default=True, help="Column of the unique code.")
@click.option(
    "--name-fi", default="nimi_fi", show_default=True, help="Column of the Finnish name; empty for none."
)
@click.option(
    "--name-sv", default="nimi_se", show_default=True, help="Column of the Swedish name; empty for none."
)
@click.option("--name-en", default="", help="Column of the English name.")
@click.option("--crs", help="Coordinate reference system of a file that does not say it, such as EPSG:3879.")
@click.option("--prune", is_flag=True, help="Remove the districts of this kind that the file does not have.")
def import_districts(  # noqa: PLR0917 - click hands each option over by name
    file: Path,
    slug: str | None,
    kind: str,
    code_field: str,
    name_fi: str,
    name_sv: str,
    name_en: str,
    crs: str | None,
    prune: bool,
) -> None:
    """Store the polygons of FILE (GeoJSON, GeoPackage or GML, also gzipped) as districts.

    Importing the same file again changes nothing. A file with an unusable area is refused as a whole.
    """
    fields = Fields(code_field, name_fi or None, name_sv or None, name_en or None)
    slug = slug or current_app.config["CITY"]
    with transaction() as session:
        city = city_of_slug(session, slug)
        if city is None:
            raise click.ClickException(f"There is no city {slug!r}.")
        try:
            frame, notes = checked_districts(read_areas(file, crs=crs), fields, metric_crs=city.metric_crs)
        except AreasRefused as refused:
            raise click.ClickException(str(refused)) from None
        for note in notes:
            click.echo(note)
        stored = store_districts(
            session, city, frame,
            kind=kind, source=file.name, prune=prune, actor=system(city.id, "command"),
        )  # fmt: skip
    click.echo(
        f"{len(frame)} districts of kind {kind}: {stored.created} created, {stored.updated} updated, "
        f"{stored.unchanged} unchanged."
    )
    if stored.removed:
        click.echo(f"{stored.removed} that the file does not have were removed.")
    if stored.kept:
        click.echo(f"{stored.kept} that the file does not have were left as they are; --prune removes them.")
