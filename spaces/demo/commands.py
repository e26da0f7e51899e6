"""`flask demo`: a city to try things in."""

import click
from flask import current_app
from flask.cli import AppGroup
from sqlalchemy import func, select

from marketplace.cities.queries import city_of_slug
from marketplace.db import transaction
from marketplace.part import Part
from spaces.catalog.models import Space, Venue
from spaces.demo.loader import ACCOUNTS, PASSWORD, demo_city, demo_data

demo_group = AppGroup("demo", help="A demo city with invented people.")


@demo_group.command("load")
@click.option("--if-empty", is_flag=True, help="Do nothing where the city has places already.")
def load(if_empty: bool) -> None:
    """Fill the database with the demo city: districts, places, people, and what each part adds.

    Loading again changes nothing. Refused in production.
    """
    if current_app.config["PRODUCTION"]:
        raise click.ClickException("The demo city has a known password; it is not loaded in production.")
    parts: list[Part] = current_app.extensions["parts"]
    with transaction() as session:
        city = city_of_slug(session, demo_data()["city"]["slug"])
        any_venue = select(Venue.id).where(Venue.city_id == city.id).limit(1) if city else None
        if if_empty and any_venue is not None and session.scalar(any_venue) is not None:
            click.echo("The city has places already; nothing was loaded.")
            return
        city = demo_city(session)
        for part in parts:
            for fill in part.demo:
                fill(session, city)
        venues = session.scalar(select(func.count()).select_from(Venue).where(Venue.city_id == city.id))
        spaces = session.scalar(select(func.count()).select_from(Space).where(Space.city_id == city.id))
    click.echo(f"The demo city is loaded: {venues} places with {spaces} spaces.")


@demo_group.command("accounts")
def accounts() -> None:
    """Print the demo accounts, one on a line."""
    for account in ACCOUNTS:
        click.echo(f"{account.email}  {PASSWORD}  {account.name}: {account.about}")
