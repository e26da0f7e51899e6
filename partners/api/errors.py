"""Refusals of the API."""

from marketplace.errors import N_, Invalid


class InvalidParameters(Invalid):
    """Some parameters of a request cannot be used; the field errors say which and why."""

    code = "invalid-parameters"
    title = N_("Some of the parameters cannot be used.")
