"""The operator's commands for money."""

import click
from flask.cli import AppGroup
from sqlalchemy import select

from marketplace.cities.models import City
from marketplace.cities.queries import city_of_slug
from marketplace.db import transaction
from marketplace.payments import sweeper, verify

payments_group = AppGroup("payments", help="Payments, refunds and the ledger.")


@payments_group.command("verify")
@click.option("--city", "slug", default=None, help="Only this city.")
@click.option("--offline", is_flag=True, help="Do not ask the gateway.")
def verify_money(slug: str | None, *, offline: bool) -> None:
    """Compare ledger, payments and gateway; name what does not agree and exit with 1."""
    count = 0
    for city in chosen(slug):
        for problem in verify.problems_of(city, ask_gateway=not offline):
            count += 1
            click.echo(f"{city.slug}: {problem}")
    if count:
        raise SystemExit(1)
    click.echo("Ledger and payments agree." if offline else "Ledger, payments and gateway agree.")


@payments_group.command("sweep")
def sweep_now() -> None:
    """Ask the gateway about everything that is undecided; exit with 1 where it had no answer."""
    swept = sweeper.sweep(patient=False)
    click.echo(f"{swept.asked} asked about, {swept.unanswered} without an answer")
    if swept.unanswered:
        raise SystemExit(1)


def chosen(slug: str | None) -> list[City]:
    with transaction() as session:
        if slug is None:
            return list(session.scalars(select(City).order_by(City.id)))
        city = city_of_slug(session, slug)
        if city is None:
            raise click.ClickException(f"There is no city {slug}.")
        return [city]
