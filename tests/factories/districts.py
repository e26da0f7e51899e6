"""Districts for tests: squares around a point."""

from itertools import count

import shapely
from sqlalchemy.orm import Session

from marketplace.cities.models import City
from spaces.districts.models import District
from spaces.districts.queries import DISTRICT

numbers = count(1)
# Half a side, in degrees: about 550 m east to west and 1.1 km north to south in Helsinki.
HALF = 0.01


def make_district(
    session: Session,
    city: City,
    *,
    names: dict[str, str] | None = None,
    at: tuple[float, float] = (24.953, 60.184),
    half: float = HALF,
    **fields: object,
) -> District:
    """Kallio, a square around its middle, unless told otherwise."""
    lon, lat = at
    square = shapely.box(lon - half, lat - half, lon + half, lat + half)
    values: dict[str, object] = {
        "city_id": city.id,
        "kind": DISTRICT,
        "code": f"d{next(numbers)}",
        "names": names or {"fi": "Kallio", "sv": "Berghäll"},
        "geometry": square.wkb,
        "outline": {"type": "Polygon", "coordinates": [[list(point) for point in square.exterior.coords]]},
        "lon": lon,
        "lat": lat,
        "source": "test",
        **fields,
    }
    district = District(**values)
    session.add(district)
    session.flush()
    return district
