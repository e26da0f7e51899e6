"""Refusals about what is offered."""

from marketplace.errors import N_, Forbidden, NotFound


class SpaceNotFound(NotFound):
    code = "space-not-found"
    title = N_("We did not find this space. It may have been taken off the list.")


class VenueNotFound(NotFound):
    code = "venue-not-found"
    title = N_("We did not find this place.")


class NotYourVenue(Forbidden):
    code = "not-your-venue"
    title = N_("Only the people who run this place can do this.")
