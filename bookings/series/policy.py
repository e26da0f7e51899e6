"""Who may see and change a series: as a single booking of it."""

from bookings.series.errors import NotYourSeries
from bookings.series.models import Series
from marketplace.accounts.actor import Actor
from spaces.catalog import policy as catalog
from spaces.catalog.models import Venue


def is_own(actor: Actor, series: Series) -> bool:
    return actor.is_signed_in and actor.city_id == series.city_id and series.person_id == actor.person_id


def is_of(actor: Actor, series: Series) -> bool:
    """The one who booked, and the members of the organisation it is for."""
    return is_own(actor, series) or (
        actor.city_id == series.city_id and series.organisation_id in actor.roles
    )


def may_see(actor: Actor, series: Series, venue: Venue) -> bool:
    """The one who booked, the members of the organisation it is for, and those who run the place."""
    return is_of(actor, series) or catalog.may_read(actor, venue)


def may_change(actor: Actor, series: Series) -> bool:
    """The one who booked for themselves; for an organisation, anyone who books for it today."""
    if actor.city_id != series.city_id:
        return False
    if series.organisation_id is None:
        return is_own(actor, series)
    return actor.may_book_for(series.organisation_id)


def require_may_change(actor: Actor, series: Series) -> None:
    """Raises NotYourSeries."""
    if not may_change(actor, series):
        raise NotYourSeries
