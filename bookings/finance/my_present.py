"""My payments in the reader's words."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from flask import url_for

from bookings.checkout.models import Order
from bookings.checkout.policy import may_pay
from bookings.checkout.rules import SOLD
from bookings.finance.forms import Asked
from bookings.finance.my_queries import Bought
from bookings.finance.words import ORDER_STATES, WAYS
from bookings.lifecycle.my_present import Tag
from bookings.lifecycle.pages import gettext
from marketplace.accounts.actor import Actor
from marketplace.accounts.models import Organisation
from marketplace.cities.models import City
from marketplace.money import Money
from marketplace.web.i18n import format_day, format_span, localised

MOST_NAMED = 2


@dataclass(frozen=True)
class Row:
    """An order in the list. `pay_url` is set while it can be paid."""

    number: str
    url: str
    title: str
    when: str
    day: str
    whose: str
    way: str
    state: tuple[str, str]
    total: Money
    refunded: Money | None
    kept: Money | None
    is_sold: bool
    pay_url: str | None


def row_of(
    order: Order,
    bought: Sequence[Bought],
    organisation: str | None,
    *,
    city: City,
    actor: Actor,
    at: datetime,
) -> Row:
    kind, text = ORDER_STATES[order.state]
    to_pay = order.state == "open" and order.way == "card"
    over = order.expires_at is not None and order.expires_at <= at
    if to_pay and over:
        kind, text = ORDER_STATES["expired"]
    return Row(
        number=order.number,
        url=url_for("checkout.receipt", number=order.number),
        title=title_of(bought),
        when=when_of(bought, city),
        day=format_day(order.created_at.astimezone(city.zone).date(), year=True),
        whose=organisation or (gettext("for myself") if order.person_id == actor.person_id else ""),
        way=gettext(WAYS[order.way]),
        state=(kind, gettext(text)),
        total=Money(order.total_minor, order.currency),
        refunded=Money(order.refunded_minor, order.currency) if order.refunded_minor else None,
        kept=Money(order.kept_minor, order.currency) if order.kept_minor else None,
        is_sold=order.state in SOLD,
        pay_url=url_for("checkout.pay", number=order.number)
        if to_pay and not over and may_pay(actor, order)
        else None,
    )


def title_of(bought: Sequence[Bought]) -> str:
    """The spaces by name, each once; of many only the first ones."""
    names = list(
        dict.fromkeys(f"{localised(one.space_names)}, {localised(one.venue_names)}" for one in bought)
    )
    if len(names) > MOST_NAMED:
        more = gettext("and %(num)d more", num=len(names) - MOST_NAMED)
        return "; ".join(names[:MOST_NAMED]) + " " + more
    return "; ".join(names)


def when_of(bought: Sequence[Bought], city: City) -> str:
    """The time of the booking; of several the first one and how many more there are."""
    if not bought:
        return ""
    span = min(bought, key=lambda one: one.span.start).span
    start, end = span.start.astimezone(city.zone), span.end.astimezone(city.zone)
    text = format_span(start, end, year=True)
    others = len({one.span for one in bought}) - 1
    return f"{text} " + gettext("and %(num)d more", num=others) if others else text


def choices_of(organisations: Sequence[Organisation]) -> dict[str, list[tuple[str, str]]]:
    """The options of the filters: value and text."""
    return {
        "organisations": [
            ("", gettext("All")),
            ("me", gettext("Only for myself")),
            *((str(one.id), one.name) for one in organisations),
        ],
        "states": [
            ("", gettext("Any state")),
            *((state, gettext(text)) for state, (_, text) in ORDER_STATES.items()),
        ],
        "ways": [("", gettext("Any way")), *((way, gettext(text)) for way, text in WAYS.items())],
    }


def tags_of(asked: Asked, organisations: Sequence[Organisation]) -> list[Tag]:
    """The filters that are on, each removable."""
    wanted = asked.wanted
    names = {0: gettext("Only for myself"), **{one.id: one.name for one in organisations}}
    labels: list[tuple[str, str]] = []
    if wanted.organisation_id is not None:
        labels.append(("organisation", names.get(wanted.organisation_id, "")))
    if wanted.state:
        labels.append(("state", gettext(ORDER_STATES[wanted.state][1])))
    if wanted.way:
        labels.append(("way", gettext(WAYS[wanted.way])))
    if wanted.first:
        labels.append(("first", gettext("From %(day)s", day=format_day(wanted.first, year=True))))
    if wanted.last:
        labels.append(("last", gettext("Until %(day)s", day=format_day(wanted.last, year=True))))
    return [
        Tag(label, url_for("finance.mine", **asked.args(page=None, **{name: None}))) for name, label in labels
    ]
