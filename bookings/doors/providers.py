"""What a lock vendor must be able to do. A part offers `Part.ports[LOCK_PROVIDERS]`: providers by their names.

All calls happen outside any transaction, one at a time for each booking, and may come twice: the grant's id is the key
by which a provider knows that it has been asked before.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from marketplace.timespan import Span

LOCK_PROVIDERS = "lock_providers"


@dataclass(frozen=True)
class Grant:
    """The access that is asked for. `reference` is what the provider answered the last time, if it ever did.

    Grants of one `series_key` belong to one series of bookings, which should have one code where that is possible.
    """

    id: int
    city_id: int
    space_id: int
    valid: Span
    reference: str | None = None
    series_key: str | None = None


@dataclass(frozen=True)
class Issued:
    """The code that opens the door, and the provider's own name for it. The code is never logged."""

    secret: str
    reference: str

    def __repr__(self) -> str:
        return f"Issued(reference={self.reference!r})"


class ProviderDown(Exception):
    """The provider did not answer, or not as it should. The text is for the owner and holds no code."""


class NoCode(ProviderDown):
    """The provider is well and has no code for this time (yet)."""


class LockProvider(Protocol):
    """Raises ProviderDown where it cannot do what is asked; whoever calls tries again later."""

    def issue(self, grant: Grant) -> Issued:
        """A code for this grant; asked again, the same one."""
        ...

    def change(self, grant: Grant) -> Issued:
        """The code for another time than before: the same or another one."""
        ...

    def revoke(self, grant: Grant) -> None:
        """Take the code back; harmless when there is none."""
        ...


def providers_of(parts: Any) -> dict[str, LockProvider]:
    """All that the parts offer, by name."""
    found: dict[str, LockProvider] = {}
    for part in parts:
        offered: Mapping[str, LockProvider] = part.ports.get(LOCK_PROVIDERS, {})
        found.update(offered)
    return found
