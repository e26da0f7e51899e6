"""What the pages show of alternatives, in the reader's words: chips to press, and why. No reads, no decisions."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from flask import url_for

from bookings.lifecycle.alternatives import Alternative, Alternatives
from bookings.lifecycle.forms import new_submission
from bookings.lifecycle.pages import Kept, gettext, local, place_text, space_url, time_args, time_text
from marketplace.cities.models import City
from marketplace.money import Money
from marketplace.timespan import Span
from marketplace.web.i18n import (
    N_,
    format_hours,
    format_money,
    format_number,
    format_span,
    ngettext,
)
from spaces.catalog.models import Space
from spaces.pricing.present import from_text
from spaces.search.reason_texts import WORDS as SEARCH_WORDS
from spaces.search.reason_texts import reason_text as search_text
from spaces.search.reasons import Reason

# Beside what the search says of a space: how it differs from the wished one.
WORDS: Mapping[str, str] = {
    **SEARCH_WORDS,
    "same-time": N_("at the same time"),
    "same-clock": N_("at the same time of day"),
    "later": N_("%(duration)s later"),
    "earlier": N_("%(duration)s earlier"),
    "longer": N_("booked for %(duration)s at least"),
    "shorter": N_("open for only %(duration)s"),
    "same-building": N_("in the same building"),
    "same-price": N_("the same price"),
    "cheaper": N_("%(price)s cheaper"),
    "dearer": N_("%(price)s more"),
    "also-has": N_("also has: %(things)s"),
    "lacks": N_("does not have: %(things)s"),
    "access-not-told": N_("not told to have: %(things)s"),
    "owner-confirms": N_("the owner must confirm it"),
}


@dataclass(frozen=True)
class Chip:
    """A free time to press: a link, or with `action` a form of its own. `note` says how it differs from the wish."""

    said: str
    time: str
    price: str | None
    state: str
    href: str | None = None
    action: str | None = None
    fields: Mapping[str, str] | None = None
    note: str = ""


@dataclass(frozen=True)
class SpaceChip:
    """A similar space near by with the chip of its time: what is so with it, and what speaks against it."""

    name: str
    url: str
    facts: Sequence[str]
    against: Sequence[str]
    chip: Chip


@dataclass(frozen=True)
class Shown:
    """All that `bookings/lifecycle/_alternatives.html` shows."""

    times: Sequence[Chip] = ()
    spaces: Sequence[SpaceChip] = ()

    def __bool__(self) -> bool:
        return bool(self.times or self.spaces)


NOTHING = Shown()

# Where a press leads: the address of the next step with an alternative.
Link = Callable[[Alternative], str]


def shown(
    found: Alternatives,
    city: City,
    *,
    day: date,
    kept: Kept | None = None,
    posts: str | None = None,
    link: Link | None = None,
) -> Shown:
    """`day` is the wished one: other days are named. One press leads to `link`, else to the checkout with what is
    `kept`, or with `posts` (an endpoint) to the booking itself."""
    kept = kept or Kept()

    def chip_of(one: Alternative, *, text: str, name: str = "", note: str = "") -> Chip:
        return chip(one, city, text=text, name=name, note=note, kept=kept, posts=posts, link=link)

    return Shown(
        [
            chip_of(
                one, text=own_time_text(one.space, one.offer.span, city, day=day), note=note_of(one, city)
            )
            for one in found.times
        ],
        [
            SpaceChip(
                place_text(one.space, one.venue),
                space_url(one.space.id, one.offer.span, city),
                *reason_texts(one, city),
                chip_of(one, text=time_text(one.offer.span, city), name=place_text(one.space, one.venue)),
            )
            for one in found.spaces
        ],
    )


def own_time_text(space: Space, span: Span, city: City, *, day: date) -> str:
    """The day is said where it is another one."""
    start, end = local(span, city)
    if start.date() == day and not space.whole_days:
        return format_hours(start, end)
    return format_span(start, end)


def note_of(one: Alternative, city: City) -> str:
    """How another time of the same space differs, as far as its own words do not say: the price is there already."""
    told = {"later", "earlier", "days-later", "days-earlier"}
    return ", ".join(reason_text(reason, city) for reason in one.reasons if reason.code in told)


def reason_texts(one: Alternative, city: City) -> tuple[list[str], list[str]]:
    """(what is so, what speaks against it)."""
    facts = [reason_text(reason, city) for reason in one.reasons if not reason.is_against]
    return facts, [reason_text(reason, city) for reason in one.reasons if reason.is_against]


def reason_text(reason: Reason, city: City) -> str:
    """One reason in the reader's words."""
    facts = reason.facts
    if reason.code in {"days-later", "days-earlier"}:
        return days_text(facts["days"], is_later=reason.code == "days-later")
    if reason.code == "seats":
        return seats_text(facts["people"])
    if reason.code == "smaller":
        return gettext("only %(seats)s", seats=seats_text(facts["people"]))
    return search_text(reason, city, WORDS)


def days_text(days: int, *, is_later: bool) -> str:
    if days == 1:
        return gettext("the next day") if is_later else gettext("the day before")
    duration = str(ngettext("%(num)d day", "%(num)d days", days))
    return (
        gettext("%(duration)s later", duration=duration)
        if is_later
        else gettext("%(duration)s earlier", duration=duration)
    )


def seats_text(people: int) -> str:
    return str(ngettext("for %(num)s person", "for %(num)s people", people)).replace(
        str(people), format_number(people)
    )


def chip(
    one: Alternative,
    city: City,
    *,
    text: str,
    name: str,
    note: str,
    kept: Kept,
    posts: str | None,
    link: Link | None,
) -> Chip:
    """What one press does, and the price; a price that depends on what is told first goes by way of the checkout."""
    space, offer = one.space, one.offer
    total = Money(offer.price_minor, city.currency)
    price = format_money(total) if total else gettext("free of charge")
    price = from_text(price) if offer.is_least else price
    asks = not one.at_once
    verb = gettext("Request") if asks else gettext("Book")
    said = f"{verb} {name}".strip()
    state = "ask" if asks else "free"
    if link is not None:  # the page that it leads to knows what it costs there
        return Chip(said, text, None, state, href=link(one), note=note)
    args = time_args(offer.span, city, whole_days=space.whole_days)
    if posts is None or offer.is_least:
        href = url_for("lifecycle.new", space_id=space.id, **args, **kept.as_args())
        return Chip(said, text, price, state, href=href, note=note)
    fields = {"submission": new_submission(), "total": str(offer.price_minor)}
    if posts == "lifecycle.quick":
        fields |= args | kept.as_args()
        action = url_for(posts, space_id=space.id)
    else:
        fields |= {"organisation": kept.organisation, "purpose": kept.purpose, "attendees": kept.people}
        action = url_for(posts, space_id=space.id, **args)
    return Chip(said, text, price, state, action=action, fields=fields, note=note)
