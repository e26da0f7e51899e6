"""Which city a request is for."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from marketplace.cities.models import City


def city_of_host(session: Session, host: str, *, default_slug: str) -> City | None:
    """The city that owns this host name (without port), else the default one."""
    return session.scalar(select(City).where(City.host == host)) or city_of_slug(session, default_slug)


def city_of_slug(session: Session, slug: str) -> City | None:
    return session.scalar(select(City).where(City.slug == slug))
