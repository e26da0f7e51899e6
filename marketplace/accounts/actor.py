"""Who is asking. Made at the border from the session, a token or a command, and passed to every action."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Actor:
    """The one who asks: nobody, a person, or the system itself.

    `roles` maps organisation id to the person's accepted role in it; `acting_for` is the organisation chosen in
    "act as", or None for oneself. `grants` are roles at single things that a higher part knows, such as
    ("venue", 5): "handler".
    """

    city_id: int
    person_id: int | None = None
    name: str = ""
    email: str = ""
    language: str = ""
    is_verified: bool = False
    is_staff: bool = False
    acting_for: int | None = None
    roles: Mapping[int, str] = field(default_factory=dict)
    grants: Mapping[tuple[str, int], str] = field(default_factory=dict)
    source: str = "web"
    ip: str | None = None

    @property
    def is_signed_in(self) -> bool:
        return self.person_id is not None

    def may_book_for(self, organisation_id: int) -> bool:
        return self.roles.get(organisation_id) in {"booker", "manager"}

    def manages(self, organisation_id: int) -> bool:
        return self.roles.get(organisation_id) == "manager"


def system(city_id: int, source: str = "job") -> Actor:
    """The program acting on its own: a job or a command."""
    return Actor(city_id=city_id, source=source)
