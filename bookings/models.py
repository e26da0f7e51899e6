"""All tables of this package, so that importing this module makes them known to the migrations."""

from bookings.lifecycle import models as lifecycle

__all__ = ["lifecycle"]
