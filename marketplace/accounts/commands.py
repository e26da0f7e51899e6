"""The operator's commands for people's accounts."""

from datetime import datetime

import click
from flask.cli import AppGroup

from marketplace.accounts.actions import identify_person, withdraw_identity
from marketplace.accounts.actor import system
from marketplace.accounts.queries import person_of_email
from marketplace.cities.queries import city_of_slug
from marketplace.clock import now
from marketplace.db import transaction
from marketplace.errors import Invalid

accounts_group = AppGroup("accounts", help="People's accounts.")


@accounts_group.command("identify")
@click.argument("email")
@click.option("--city", "slug", required=True, help="The city's short name.")
@click.option("--birth-date", type=click.DateTime(["%Y-%m-%d"]), help="As the document says: 1990-01-31.")
@click.option("--name", help="As the document says; the account's own without it.")
@click.option("--withdraw", is_flag=True, help="Take a confirmation back.")
def identify(email: str, slug: str, birth_date: datetime | None, name: str | None, *, withdraw: bool) -> None:
    """Write down that the identity of EMAIL's owner has been seen from a document."""
    if not withdraw and birth_date is None:
        raise click.UsageError("Give --birth-date, or --withdraw.")
    at = now()
    with transaction() as session:
        city = city_of_slug(session, slug)
        person = person_of_email(session, city.id, email) if city else None
        if city is None or person is None:
            raise click.ClickException(f"there is no account of {email} in {slug}")
        actor = system(city.id, "command")
        if birth_date is None:
            withdraw_identity(session, person, actor=actor)
            click.echo(f"{person.name}: the identity is not confirmed any more")
            return
        try:
            identify_person(
                session,
                person,
                name=name or person.name,
                birth_date=birth_date.date(),
                actor=actor,
                at=at,
                today=at.astimezone(city.zone).date(),
            )
        except Invalid as refusal:
            raise click.ClickException(refusal.fields[0].text) from refusal
        click.echo(f"{person.name}: the identity is confirmed")
