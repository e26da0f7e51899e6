"""Making a city and giving it its looks."""

from collections.abc import Mapping, Sequence
from datetime import date
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pyproj import CRS
from pyproj.exceptions import CRSError
from sqlalchemy import select
from sqlalchemy.orm import Session

from marketplace.cities.models import City, VatRate
from marketplace.cities.theme import theme_problems
from marketplace.errors import N_, FieldError, Invalid
from marketplace.settings import ROOT

LANGUAGES = ("fi", "sv", "en")


def create_city(
    session: Session,
    *,
    slug: str,
    names: Mapping[str, str],
    time_zone: str,
    metric_crs: int,
    languages: Sequence[str],
    country: str,
    currency: str,
    vat_basis_points: int,
    today: date,
) -> City:
    """A new city. Raises Invalid naming the field: an unknown zone, a CRS that is not in metres, a taken slug."""
    wrong = []
    if not slug.isidentifier() or not slug.islower():
        wrong.append(FieldError("slug", "form", N_("Use small letters and no spaces.")))
    elif session.scalar(select(City.id).where(City.slug == slug)) is not None:
        wrong.append(FieldError("slug", "taken", N_("There is a city by this name already.")))
    if not names or set(names) - set(LANGUAGES):
        wrong.append(FieldError("names", "languages", N_("Give the name in fi, sv or en.")))
    if not languages or set(languages) - set(LANGUAGES):
        wrong.append(FieldError("languages", "languages", N_("Choose from fi, sv and en.")))
    if not is_zone(time_zone):
        wrong.append(FieldError("time_zone", "unknown", N_("There is no such time zone.")))
    if not is_metric(metric_crs):
        wrong.append(
            FieldError("metric_crs", "unknown", N_("Give the EPSG code of a projected CRS in metres."))
        )
    if not 0 <= vat_basis_points <= 10000:
        wrong.append(FieldError("vat", "range", N_("The tax is between 0 and 100 per cent.")))
    if wrong:
        raise Invalid(*wrong)
    city = City(
        slug=slug,
        names=dict(names),
        time_zone=time_zone,
        metric_crs=metric_crs,
        languages=list(languages),
        country=country.upper(),
        currency=currency.upper(),
    )
    session.add(city)
    session.flush()
    session.add(
        VatRate(
            city_id=city.id,
            code="standard",
            valid_from=today.replace(month=1, day=1),
            basis_points=vat_basis_points,
        )
    )
    session.flush()
    return city


def is_zone(name: str) -> bool:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return False
    return True


def is_metric(epsg: int) -> bool:
    try:
        crs = CRS.from_epsg(epsg)
    except CRSError:
        return False
    return bool(crs.is_projected and all(axis.unit_name == "metre" for axis in crs.axis_info))


def dress_city(
    session: Session,
    city: City,
    *,
    product_name: str | None = None,
    host: str | None = None,
    logo_path: str | None = None,
    theme: Mapping[str, str] | None = None,
) -> None:
    """Change the city's name for the service, its host, logo and colours; None leaves a thing as it is.

    Raises Invalid with each contrast that the theme would break, and for a logo that is not a file under static/.
    """
    if theme is not None:
        problems = theme_problems(dict(theme))
        if problems:
            raise Invalid(
                *(
                    FieldError("theme", "contrast", N_("%(problem)s."), (("problem", text),))
                    for text in problems
                )
            )
        city.theme = dict(theme)
    if logo_path is not None:
        static = ROOT / "marketplace" / "static"
        file = (static / logo_path).resolve()
        if logo_path and not (file.is_relative_to(static) and file.is_file()):
            raise Invalid(
                FieldError("logo", "missing", N_("The logo must be a file under marketplace/static."))
            )
        city.logo_path = logo_path or None
    if product_name is not None:
        city.product_name = product_name
    if host is not None:
        city.host = host or None
    session.flush()
