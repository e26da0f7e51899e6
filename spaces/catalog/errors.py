"""Refusals about what is offered."""

from collections.abc import Sequence
from typing import Any

from marketplace.errors import N_, Conflict, Forbidden, NotFound


class SpaceNotFound(NotFound):
    code = "space-not-found"
    title = N_("We did not find this space. It may have been taken off the list.")


class VenueNotFound(NotFound):
    code = "venue-not-found"
    title = N_("We did not find this place.")


class UnitNotFound(NotFound):
    code = "unit-not-found"
    title = N_("We did not find this part of the place. It may have been removed.")


class NotYourVenue(Forbidden):
    code = "not-your-venue"
    title = N_("Only the people who run this place can do this.")


class NotYourOrganisation(Forbidden):
    code = "not-your-organisation"
    title = N_("Only a manager of the organisation can list its spaces.")


class OnlyStaffApprove(Forbidden):
    code = "only-staff-approve"
    title = N_("Only the city can approve a listing.")


class ListingStateMoved(Conflict):
    """The table of states does not allow it: pressed twice, or someone else was faster."""

    code = "listing-state"
    title = N_("The listing's state changed meanwhile, so this cannot be done. Here is how it is now.")


class NeedsApproval(Conflict):
    code = "listing-needs-approval"
    title = N_("The city looks at your first listing before it is published. Send it for approval.")


class WithoutUnit(Conflict):
    code = "listing-without-unit"
    title = N_("Choose first which parts of the place this space covers.")


class NotAllCanMove(Conflict):
    """A bulk change that some of the chosen listings do not take; nothing was changed."""

    code = "not-all-listings"
    title = N_("Some of the chosen spaces cannot take this state, so nothing was changed.")

    def __init__(self, names: Sequence[dict[str, str]], **public: Any) -> None:
        super().__init__(**public)
        self.names = names


class LastUnit(Conflict):
    code = "last-unit"
    title = N_("A space covers at least one part of the place.")


class RoleGone(NotFound):
    code = "role-gone"
    title = N_("This person has no role here any more.")
