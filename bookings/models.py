"""All tables of this package, so that importing this module makes them known to the migrations."""

from bookings.attendance import models as attendance
from bookings.checkout import models as checkout
from bookings.doors import models as doors
from bookings.feeds import models as feeds
from bookings.invoices import models as invoices
from bookings.lifecycle import models as lifecycle
from bookings.offered import models as offered
from bookings.series import models as series
from bookings.talk import models as talk
from bookings.terms import models as terms
from bookings.waiting import models as waiting

__all__ = [
    "attendance",
    "checkout",
    "doors",
    "feeds",
    "invoices",
    "lifecycle",
    "offered",
    "series",
    "talk",
    "terms",
    "waiting",
]
