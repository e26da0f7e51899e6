"""Cities for tests."""

from datetime import date

from sqlalchemy.orm import Session

from marketplace.cities.models import City, VatRate


def make_city(session: Session, slug: str = "helsinki", **fields: object) -> City:
    """Helsinki, unless told otherwise."""
    values: dict[str, object] = {
        "slug": slug,
        "names": {"fi": "Helsinki", "sv": "Helsingfors", "en": "Helsinki"},
        "time_zone": "Europe/Helsinki",
        "metric_crs": 3879,
        "languages": ["fi", "sv", "en"],
        **fields,
    }
    city = City(**values)
    session.add(city)
    session.flush()
    session.add(VatRate(city_id=city.id, code="standard", valid_from=date(2024, 9, 1), basis_points=2550))
    session.flush()
    session.refresh(city)
    return city
