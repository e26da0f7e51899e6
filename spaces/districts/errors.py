"""Refusals about districts."""

from marketplace.errors import N_, NotFound


class DistrictNotFound(NotFound):
    code = "district-not-found"
    title = N_("We do not know this district.")


class AreasRefused(Exception):
    """A file of areas cannot be used as a whole; the message says where and why, in one sentence.

    No Refusal: only the command line reads such files, and its sentences are for the operator, in English.
    """
