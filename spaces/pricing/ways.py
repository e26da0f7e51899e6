"""The ways of paying that a price list may offer."""

from collections.abc import Iterable

from marketplace.errors import N_

WAYS = ("card", "invoice", "on_the_spot")
USUAL_WAYS = ("on_the_spot",)
WAY_TEXTS = {
    "card": N_("by card when booking"),
    "invoice": N_("by invoice to the association or company"),
    "on_the_spot": N_("at the place"),
}


def in_order(ways: Iterable[str]) -> tuple[str, ...]:
    """The known ones, once each, in the order in which they are offered."""
    chosen = set(ways)
    return tuple(way for way in WAYS if way in chosen)
