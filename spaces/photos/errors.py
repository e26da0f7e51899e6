"""Refusals about photos."""

from marketplace.errors import N_, Conflict, NotFound


class PhotoNotFound(NotFound):
    code = "photo-not-found"
    title = N_("This photo is not here any more.")


class TooManyPhotos(Conflict):
    code = "too-many-photos"
    title = N_("The space has as many photos as it can have. Remove one first.")


class PhotoKnown(Conflict):
    code = "photo-known"
    title = N_("This photo is among the photos of the space already.")
