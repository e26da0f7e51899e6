"""All tables of this package, so that importing this module makes them known to the migrations."""

from spaces.calendar import models as calendar
from spaces.catalog import models as catalog
from spaces.districts import models as districts
from spaces.equipment import models as equipment
from spaces.markets import models as markets
from spaces.photos import models as photos
from spaces.pricing import models as pricing
from spaces.saved import models as saved
from spaces.search import models as search

__all__ = ["calendar", "catalog", "districts", "equipment", "markets", "photos", "pricing", "saved", "search"]
