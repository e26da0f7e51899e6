"""Messages to the payer about an order: which mail, with what in it. The texts are the mail templates."""

from dataclasses import dataclass
from datetime import datetime

from bookings.checkout.models import Order
from bookings.checkout.queries import SeenOrder
from bookings.checkout.rules import by_rate
from bookings.lifecycle.notices import Notice
from marketplace.cities.models import City
from marketplace.money import Money

TEMPLATES = "bookings/checkout/mail/"


@dataclass(frozen=True)
class BookedTime:
    """One booking of an order as the mails name it, times in the city's zone."""

    reference: str
    space_names: dict[str, str]
    venue_names: dict[str, str]
    start: datetime
    end: datetime


@dataclass(frozen=True)
class Facts:
    """What every mail about an order may tell."""

    number: str
    times: list[BookedTime]
    total: Money
    vat: list[tuple[float, Money]]  # per cent and tax
    refunded: Money
    seller_names: dict[str, str]
    payer: str
    may_pay_until: datetime | None


def facts_of(city: City, seen: SeenOrder) -> Facts:
    order, currency = seen.order, seen.order.currency
    return Facts(
        number=order.number,
        times=[
            BookedTime(
                one.booking.reference,
                one.space.names,
                one.venue.names,
                one.booking.span.start.astimezone(city.zone),
                one.booking.span.end.astimezone(city.zone),
            )
            for one in seen.bookings
        ],
        total=Money(order.total_minor, currency),
        vat=[
            (rate / 100, Money(vat, currency))
            for rate, (_, vat) in sorted(by_rate(line for line in seen.lines if line.kind == "sale").items())
            if vat
        ],
        refunded=Money(order.refunded_minor, currency),
        seller_names={"fi": seen.payee.name} if seen.payee is not None else city.names,
        payer=seen.organisation.name if seen.organisation is not None else seen.person.name,
        may_pay_until=order.expires_at.astimezone(city.zone) if order.expires_at is not None else None,
    )


def to_payer(city: City, seen: SeenOrder, what: str, *, key: str = "", amount: Money | None = None) -> Notice:
    """`what` is the template's name: paid, waits, failed, unpaid or refunded; `key` tells one such mail from another."""
    return Notice(
        seen.person,
        TEMPLATES + what,
        f"order:{seen.order.id}:{what}" + (f":{key}" if key else ""),
        {"facts": facts_of(city, seen), "amount": amount, "is_over": is_over(seen.order)},
    )


def is_over(order: Order) -> bool:
    return order.state in {"cancelled", "expired", "refunded"}
