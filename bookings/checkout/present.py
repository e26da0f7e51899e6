"""What the pages show of orders, in the reader's words. No writes, no decisions."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from bookings.checkout.models import Order, OrderLine
from bookings.checkout.queries import SeenOrder
from bookings.checkout.rules import by_rate
from bookings.lifecycle.pages import gettext, place_text, time_text
from marketplace.cities.models import City
from marketplace.money import Money
from marketplace.web.i18n import N_, format_clock, format_money, format_number, localised
from spaces.pricing.present import line_text

STATES: Mapping[str, tuple[str, str]] = {
    "open": ("alert", N_("Waiting for payment")),
    "authorised": ("info", N_("Set aside on your card")),
    "paid": ("success", N_("Paid")),
    "invoiced": ("info", N_("By invoice")),
    "on_the_spot": ("info", N_("Paid at the place")),
    "cancelled": ("neutral", N_("Cancelled")),
    "expired": ("neutral", N_("Not paid in time")),
    "partly_refunded": ("info", N_("Partly given back")),
    "refunded": ("neutral", N_("Given back")),
}
LINES = {
    "cancelled": N_("Given back for the cancellation"),
    "changed": N_("The price changed"),
    "kept": N_("Kept of the cancelled booking"),
}


@dataclass(frozen=True)
class Part:
    """The lines of one booking in an order, with where to find it."""

    title: str
    when: str
    reference: str
    rows: list[tuple[str, ...]]


def state_label(order: Order) -> tuple[str, str]:
    """(kind of label, text)."""
    kind, text = STATES[order.state]
    return kind, gettext(text)


def line_row(line: OrderLine, currency: str) -> tuple[str, ...]:
    money = Money(line.gross_minor, currency)
    if line.code in LINES:
        return gettext(LINES[line.code]), format_money(money)
    quantity = Decimal(line.quantity)
    unit = money
    if quantity and quantity != 1:
        unit = Money(int((Decimal(line.gross_minor) / quantity).to_integral_value()), currency)
    return line_text(line.code, quantity, unit, line.note, line.about or None), format_money(money)


def parts_of(seen: SeenOrder, city: City) -> list[Part]:
    """The order by bookings, as on a receipt."""
    return [
        Part(
            place_text(one.space, one.venue),
            time_text(one.booking.span, city, year=True),
            one.booking.reference,
            [line_row(line, seen.order.currency) for line in seen.lines if line.booking_id == one.booking.id],
        )
        for one in seen.bookings
    ]


def tax_rows(lines: Sequence[OrderLine], currency: str) -> list[tuple[str, str, str, str]]:
    """(rate, net, tax, gross) for each rate of what is left of the lines."""
    return [
        (
            f"{format_number(rate / 100)} %",
            format_money(Money(net, currency)),
            format_money(Money(vat, currency)),
            format_money(Money(net + vat, currency)),
        )
        for rate, (net, vat) in sorted(by_rate(lines).items(), reverse=True)
        if net or vat
    ]


def checkout_lines(seen: SeenOrder, city: City) -> list[tuple[str, int]]:
    """The lines as the page of the payment service shows them: one for each booking, since it takes no negative ones."""
    sums: dict[int, int] = {}
    for line in seen.lines:
        sums[line.booking_id] = sums.get(line.booking_id, 0) + line.gross_minor
    return [
        (
            f"{place_text(one.space, one.venue)}, {time_text(one.booking.span, city)}"[:200],
            sums[one.booking.id],
        )
        for one in seen.bookings
        if sums.get(one.booking.id, 0) > 0
    ]


def time_left(order: Order, city: City, *, at: datetime) -> dict[str, Any] | None:
    """What the line says of the time to pay; None where there is none, or it is over."""
    if order.state != "open" or order.expires_at is None or order.expires_at <= at:
        return None
    left = order.expires_at - at
    whole = order.expires_at - order.created_at
    return {
        "until": format_clock(order.expires_at.astimezone(city.zone)),
        "seconds": int(left.total_seconds()),
        "minutes": -(-int(left.total_seconds()) // 60),
        "percent": min(100, round(100 * left / whole)) if whole else 0,
    }


def seller_text(seen: SeenOrder, city: City) -> str:
    return seen.payee.name if seen.payee is not None else localised(city.names)
