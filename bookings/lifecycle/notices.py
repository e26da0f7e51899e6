"""Messages to people about a booking: who gets which, with what in it. The texts are the mail templates."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from bookings.lifecycle.added import equipment_of
from bookings.lifecycle.models import Booking
from bookings.lifecycle.queries import BookedSpace
from marketplace.accounts.models import Person
from marketplace.cities.models import City
from marketplace.money import Money
from marketplace.timespan import Span
from spaces.pricing.cancelling import share_of

TEMPLATES = "bookings/lifecycle/mail/"


@dataclass(frozen=True)
class Notice:
    """One mail to one person; `key` names it for ever."""

    person: Person
    template: str
    key: str
    context: Mapping[str, Any]


@dataclass(frozen=True)
class CancelStep:
    """What cancelling costs from `since` on, in the city's zone; None: from the beginning. `share` is none, half, all, or
    part of the price."""

    since: datetime | None
    kept: Money
    share: str


@dataclass(frozen=True)
class Facts:
    """What every mail about a booking may tell, times in the city's zone."""

    reference: str
    space_names: dict[str, str]
    venue_names: dict[str, str]
    streets: dict[str, str]
    start: datetime
    end: datetime
    total: Money
    vat: Money
    kept: Money
    cancel_free_until: datetime
    free_cancellation: bool
    kept_percent: int
    cancel_steps: list[CancelStep]  # where it was agreed on in steps: what holds from when on
    cancel_fee: Money
    refund_if_rebooked: bool
    booker: str
    organisation: str | None
    owner: str
    purpose: str
    attendees: int | None
    instructions: dict[str, str]
    equipment: list[tuple[int, dict[str, str]]]  # pieces and names
    way: str  # of paying
    use: dict[str, Any]  # of an area priced by the city's tariff


def facts_of(city: City, booked: BookedSpace, *, kept_minor: int = 0) -> Facts:
    booking = booked.booking
    return Facts(
        reference=booking.reference,
        space_names=booked.space.names,
        venue_names=booked.venue.names,
        streets=booked.venue.streets,
        start=booking.span.start.astimezone(city.zone),
        end=booking.span.end.astimezone(city.zone),
        total=Money(booking.total_minor, booking.currency),
        vat=Money(booking.vat_minor, booking.currency),
        kept=Money(kept_minor, booking.currency),
        cancel_free_until=booking.cancel_free_until.astimezone(city.zone),
        free_cancellation=booking.cancel_free_until > booking.changed_at,
        kept_percent=booking.kept_percent,
        cancel_steps=cancel_steps_of(city, booking),
        cancel_fee=Money(min(booking.cancel_fee_minor, booking.total_minor), booking.currency),
        refund_if_rebooked=booking.refund_if_rebooked,
        booker=booked.person.name,
        organisation=booked.organisation.name if booked.organisation else None,
        owner=booked.owner.name,
        purpose=booking.purpose,
        attendees=booking.attendees,
        instructions=booked.space.instructions,
        equipment=equipment_of(booking.lines),
        way=booking.way,
        use=dict(booking.outdoor_use),
    )


def cancel_steps_of(city: City, booking: Booking) -> list[CancelStep]:
    """The steps that were still ahead when the booking last changed; none for the one rule that needs no list."""
    if not booking.total_minor or not booking.is_in_steps:
        return []
    found: list[CancelStep] = []
    since = None
    for until, kept in booking.cancellation_steps:
        if until > booking.changed_at:
            share = share_of(kept, booking.total_minor)
            found.append(CancelStep(since, Money(kept, booking.currency), share))
            since = until.astimezone(city.zone)
    return found


def to_returned_booker(city: City, booked: BookedSpace, *, returned_minor: int) -> Notice:
    """Somebody else has booked the time that was cancelled late: what comes back, and whether it had been paid at all."""
    booking = booked.booking
    return Notice(
        booked.person,
        TEMPLATES + "kept_returned",
        f"booking:{booking.id}:kept_returned",
        {
            "facts": facts_of(city, booked, kept_minor=booking.kept_minor or 0),
            "returned": Money(returned_minor, booking.currency),
            "was_paid": booking.payment in {"refund_due", "refunded"},
        },
    )


def to_booker(city: City, booked: BookedSpace, what: str, *, kept_minor: int = 0, reason: str = "") -> Notice:
    """`what` is the template's name: confirmed, requested, cancelled, declined or expired."""
    return Notice(
        booked.person,
        TEMPLATES + what,
        f"booking:{booked.booking.id}:{what}",
        {
            "facts": facts_of(city, booked, kept_minor=kept_minor),
            "reason": reason,
            "booking": booked.booking,
        },
    )


def to_customer(city: City, booked: BookedSpace, *, note: str) -> Notice:
    """The owner has booked for this person, who may never have been here."""
    return Notice(
        booked.person,
        TEMPLATES + "entered",
        f"booking:{booked.booking.id}:confirmed",
        {
            "facts": facts_of(city, booked),
            "note": note,
            "is_new": booked.person.email_verified_at is None,
            "booking": booked.booking,
        },
    )


def to_moved_booker(city: City, booked: BookedSpace, *, was: Span, moved_at: str, note: str) -> Notice:
    """The owner has moved the booking; `was` is its old time, `moved_at` tells this move from another one."""
    return Notice(
        booked.person,
        TEMPLATES + "moved",
        f"booking:{booked.booking.id}:moved:{moved_at}",
        {
            "facts": facts_of(city, booked),
            "was_start": was.start.astimezone(city.zone),
            "was_end": was.end.astimezone(city.zone),
            "note": note,
        },
    )


def to_changed_booker(city: City, booked: BookedSpace, *, was: Span, was_total_minor: int) -> Notice:
    """The booking has been changed on the booker's side."""
    return Notice(
        booked.person,
        TEMPLATES + "changed",
        f"booking:{booked.booking.id}:changed:{booked.booking.changed_at.isoformat()}",
        {
            "facts": facts_of(city, booked),
            "was_start": was.start.astimezone(city.zone),
            "was_end": was.end.astimezone(city.zone),
            "was_total": Money(was_total_minor, booked.booking.currency),
        },
    )


def to_displaced_booker(city: City, booked: BookedSpace, reasons: Mapping[str, str]) -> Notice:
    """The owner closes the space at this time; `reasons` by language."""
    return Notice(
        booked.person,
        TEMPLATES + "displaced",
        f"booking:{booked.booking.id}:displaced",
        {"facts": facts_of(city, booked), "reasons": reasons},
    )


def to_owner(city: City, booked: BookedSpace, manager: Person) -> Notice:
    """A new request, for one of those who answer it."""
    return Notice(
        manager,
        TEMPLATES + "new_request",
        f"booking:{booked.booking.id}:new_request:{manager.id}",
        {"facts": facts_of(city, booked)},
    )
