"""The mails of a saved search: what has freed up, and that it can no longer be asked."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy.orm import Session

from marketplace.accounts.models import Person
from marketplace.cities.models import City
from marketplace.money import Money
from marketplace.notifications.mail import send_mail, writing_for
from marketplace.web.i18n import format_money, format_span
from spaces.pricing.present import from_text
from spaces.saved.looking import Seen, spans_of
from spaces.saved.models import SavedSearch
from spaces.saved.tokens import token_of
from spaces.search.forms import Asked
from spaces.search.present import spread
from spaces.search.queries import Hit, Offer, priced_offer

TEMPLATES = "spaces/saved/mail/"
MOST_TOLD = 10


@dataclass(frozen=True)
class Told:
    """A space of the mail: its times in words, in the person's language, and how to its page."""

    hit: Hit
    times: list[str]
    more: int
    args: dict[str, Any]


def write_freed(
    session: Session,
    saved: SavedSearch,
    person: Person,
    *,
    city: City,
    asked: Asked,
    seen: Seen,
    rows: Sequence[tuple[int, date | None]],
    at: datetime,
) -> None:
    """A mail of these spaces and days, all of which are free."""
    with writing_for(city, person.language):
        told = [told_of(seen.hits[space_id], day, asked, city, at=at) for space_id, day in rows[:MOST_TOLD]]
    send(
        session,
        saved,
        person,
        "freed",
        key=f"saved-search:{saved.id}:{saved.told_count}",
        told=told,
        more=len(rows) - len(told),
        args=args_of(asked),
    )


def args_of(asked: Asked) -> dict[str, Any]:
    return {name: value for name, value in asked.args.items() if value}


def told_of(hit: Hit, day: date | None, asked: Asked, city: City, *, at: datetime) -> Told:
    spans = spans_of(hit, asked.question, day, city, now=at)
    shown = spread(
        [priced_offer(hit.price, span, city, hit.group) for span in spans if hit.price is not None]
    )
    args = {name: asked.args[name] for name in ("people", "minutes") if asked.args.get(name)}
    return Told(
        hit,
        [time_of(offer, city) for offer in shown],
        len(spans) - len(shown),
        {**args, "space_id": hit.space.id, "day": shown[0].span.start.astimezone(city.zone).date()},
    )


def time_of(offer: Offer, city: City) -> str:
    start, end = offer.span.start.astimezone(city.zone), offer.span.end.astimezone(city.zone)
    price = format_money(Money(offer.price_minor, city.currency))
    return f"{format_span(start, end)}, {from_text(price) if offer.is_least else price}"


def write_unreadable(session: Session, saved: SavedSearch, person: Person, *, city: City) -> None:
    send(
        session,
        saved,
        person,
        "unreadable",
        key=f"saved-search:{saved.id}:unreadable:{saved.told_count}",
        args=saved.params,
    )


def send(
    session: Session, saved: SavedSearch, person: Person, what: str, *, key: str, **context: object
) -> None:
    """Write it, but not to an address that nobody has shown to be theirs."""
    if person.email_verified_at is None:
        return
    token = token_of(saved.city_id, saved.id)
    send_mail(
        session,
        person,
        TEMPLATES + what,
        key=key,
        stops_at=("saved_stop.stop", {"token": token}),
        saved=saved,
        token=token,
        **context,
    )
