"""`flask prices`: the city's outdoor tariffs, and customer groups of organisations."""

from pathlib import Path

import click
from flask import current_app
from flask.cli import AppGroup
from sqlalchemy.orm import Session

from marketplace.accounts.actor import system
from marketplace.accounts.models import Organisation
from marketplace.cities.models import City
from marketplace.cities.queries import city_of_slug
from marketplace.db import transaction
from spaces.pricing.actions import give_group, store_tariffs
from spaces.pricing.errors import TariffsRefused
from spaces.pricing.rules import CUSTOMER_GROUPS
from spaces.pricing.tariffs import SOURCE, read_tariffs

prices_group = AppGroup("prices", help="Tariffs and customer groups.")
city_option = click.option(
    "--city", "slug", help="Slug of the city; the one of MARKETPLACE_CITY when not given."
)


def known_city(session: Session, slug: str | None) -> City:
    slug = slug or current_app.config["CITY"]
    city = city_of_slug(session, slug)
    if city is None:
        raise click.ClickException(f"There is no city {slug!r}.")
    return city


@prices_group.command("import-tariffs")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@city_option
def import_tariffs(file: Path, slug: str | None) -> None:
    """Store the outdoor tariff of FILE: Allu's price tables (JSON), or its fixed places with event prices (GeoJSON).

    Importing the same file again changes nothing. A file with an unusable row is refused as a whole.
    """
    try:
        tariffs = read_tariffs(file)
    except TariffsRefused as refused:
        raise click.ClickException(f"{file.name}: {refused}") from None
    with transaction() as session:
        city = known_city(session, slug)
        done = store_tariffs(session, city, tariffs, source=SOURCE, actor=system(city.id, "command"))
    click.echo(
        f"{len(tariffs)} tariffs: {done.created} created, {done.updated} updated, {done.unchanged} unchanged."
    )


@prices_group.command("set-group")
@click.argument("organisation", type=int)
@click.argument("group", type=click.Choice([*CUSTOMER_GROUPS, "by-kind"]))
@city_option
def set_group(organisation: int, group: str, slug: str | None) -> None:
    """Price the bookings of ORGANISATION (its id) for GROUP; `by-kind` takes it back to what its kind says."""
    with transaction() as session:
        city = known_city(session, slug)
        found = session.get(Organisation, (city.id, organisation), with_for_update=True)
        if found is None:
            raise click.ClickException(f"{city.slug} has no organisation {organisation}.")
        chosen = None if group == "by-kind" else group
        give_group(session, found, chosen, actor=system(city.id, "command"))
    click.echo(f"{found.name}: {group}.")
