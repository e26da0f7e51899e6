"""The operator's commands for cities."""

import click
from flask.cli import AppGroup

from marketplace.cities.actions import create_city, dress_city
from marketplace.cities.models import City
from marketplace.cities.queries import city_of_slug
from marketplace.clock import now
from marketplace.db import transaction
from marketplace.errors import Invalid

city_group = AppGroup("city", help="The cities that this service runs for.")


def pairs(values: tuple[str, ...]) -> dict[str, str]:
    """fi=Helsinki sv=Helsingfors as a mapping."""
    found = {}
    for value in values:
        name, equals, text = value.partition("=")
        if not equals:
            raise click.BadParameter(f"{value!r} is not of the form NAME=VALUE")
        found[name.strip()] = text.strip()
    return found


def explained(refusal: Invalid) -> click.ClickException:
    texts = (
        f"{error.field}: {error.text % dict(error.values) if error.values else error.text}"
        for error in refusal.fields
    )
    return click.ClickException(" ".join(texts))


@city_group.command("create")
@click.argument("slug")
@click.option("--name", "names", multiple=True, required=True, help="fi=..., sv=..., en=...; repeat.")
@click.option("--zone", default="Europe/Helsinki", show_default=True, help="IANA time zone.")
@click.option("--crs", type=int, default=3067, show_default=True, help="EPSG code of the metric CRS.")
@click.option("--languages", default="fi,sv,en", show_default=True, help="The first is the city's own.")
@click.option("--country", default="FI", show_default=True)
@click.option("--currency", default="EUR", show_default=True)
@click.option("--vat", type=float, default=25.5, show_default=True, help="Standard rate in per cent.")
def create(
    *,
    slug: str,
    names: tuple[str, ...],
    zone: str,
    crs: int,
    languages: str,
    country: str,
    currency: str,
    vat: float,
) -> None:
    """Make a city; districts and places are imported into it."""
    try:
        with transaction() as session:
            create_city(
                session,
                slug=slug,
                names=pairs(names),
                time_zone=zone,
                metric_crs=crs,
                languages=[code.strip() for code in languages.split(",")],
                country=country,
                currency=currency,
                vat_basis_points=round(vat * 100),
                today=now().date(),
            )
    except Invalid as refusal:
        raise explained(refusal) from None
    click.echo(
        f"{slug} is there. Show it with MARKETPLACE_CITY={slug}, or give it a host: flask city set {slug} --host NAME."
    )


@city_group.command("set")
@click.argument("slug")
@click.option("--product-name", help="What the city calls the service.")
@click.option("--host", help="Host name that leads to this city; empty for none.")
@click.option(
    "--logo", "logo_path", help="A file under marketplace/static; empty for the service's own mark."
)
@click.option(
    "--colour",
    "colours",
    multiple=True,
    help="TOKEN=#rrggbb (brand, brand-strong, tint, ...); repeat. All at once.",
)
def set_looks(
    slug: str, product_name: str | None, host: str | None, logo_path: str | None, colours: tuple[str, ...]
) -> None:
    """Change a city's name for the service, host, logo or colours. Colours that are hard to read are refused."""
    with transaction() as session:
        city: City | None = city_of_slug(session, slug)
        if city is None:
            raise click.ClickException(f"There is no city {slug}.")
        try:
            dress_city(
                session,
                city,
                product_name=product_name,
                host=host,
                logo_path=logo_path,
                theme=pairs(colours) if colours else None,
            )
        except Invalid as refusal:
            raise explained(refusal) from None
    click.echo(f"{slug} is changed; web processes show it within half a minute.")
