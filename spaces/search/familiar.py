"""What the search asks of the packages above it, which know who has used what.

A part offers `Part.ports[FAMILIAR]`, an object of this protocol; the pages hand what it tells to the search.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Protocol

from sqlalchemy.orm import Session

from marketplace.accounts.actor import Actor
from marketplace.cities.models import City

FAMILIAR = "familiar"


@dataclass(frozen=True)
class Use:
    """When the person, or the organisation they act for, was in a space last, and how many times of late."""

    on: date
    by_organisation: bool = False
    times: int = 1


class Familiar(Protocol):
    """What can be told about past use."""

    def used_spaces(self, session: Session, city: City, actor: Actor, *, at: datetime) -> Mapping[int, Use]:
        """By space id, what the actor and the organisation they act for have used before `at`; nothing for a stranger."""
        ...


class NoneFamiliar:
    """Where no part knows any."""

    def used_spaces(self, session: Session, city: City, actor: Actor, *, at: datetime) -> Mapping[int, Use]:
        return {}
