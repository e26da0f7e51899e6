"""All tables of this package, so that importing this module makes them known to the migrations."""

from marketplace.accounts import models as accounts
from marketplace.cities import models as cities
from marketplace.identity import models as identity
from marketplace.notifications import models as notifications
from marketplace.payments import models as payments
from marketplace.web import models as web

__all__ = ["accounts", "cities", "identity", "notifications", "payments", "web"]
