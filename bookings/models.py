"""All tables of this package, so that importing this module makes them known to the migrations."""

from bookings.attendance import models as attendance
from bookings.doors import models as doors
from bookings.feeds import models as feeds
from bookings.lifecycle import models as lifecycle
from bookings.offered import models as offered
from bookings.series import models as series
from bookings.talk import models as talk
from bookings.waiting import models as waiting

__all__ = ["attendance", "doors", "feeds", "lifecycle", "offered", "series", "talk", "waiting"]
