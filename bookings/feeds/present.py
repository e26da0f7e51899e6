"""What the pages say of feeds: what each shows, to whom, and since when."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from flask import url_for

from bookings.feeds.queries import ListedFeed
from bookings.lifecycle.pages import gettext, instant_text, place_text
from marketplace.accounts.actor import Actor
from marketplace.accounts.models import Organisation
from marketplace.cities.models import City
from spaces.catalog.models import Space, Venue
from spaces.catalog.policy import may_manage


@dataclass(frozen=True)
class FeedRow:
    """A living feed in a list. The addresses are None where the reader may only look."""

    id: int
    title: str
    shows: str
    made: str
    fetched: str
    replace_url: str | None
    end_url: str | None


@dataclass(frozen=True)
class Offer:
    """A feed that could be made, with the hidden fields of its form."""

    title: str
    shows: str
    fields: dict[str, str]


def shows_text(kind: str) -> str:
    """What whoever knows the address can read."""
    if kind == "person":
        return gettext(
            "Shows the bookings you have made and those you look after: space, time, occasion and reference. No door codes, no prices."
        )
    if kind == "organisation":
        return gettext(
            "Shows the organisation’s bookings: space, time, occasion and reference. No door codes, no prices. Stops when you may no longer book for it."
        )
    if kind == "space":
        return gettext(
            "Shows who has the space and when, with names, occasions and references. For your own calendar only. Stops when you no longer work here."
        )
    return gettext(
        "Shows when the space is taken, and nothing else: no names, no occasions. Can be put on a web page."
    )


def title_of(row: ListedFeed) -> str:
    if row.feed.kind == "organisation" and row.organisation is not None:
        return row.organisation.name
    if row.space is not None and row.venue is not None:
        room = place_text(row.space, row.venue)
        if row.feed.kind == "space_public":
            return gettext("%(room)s, taken times", room=room)
        return room
    return gettext("My bookings")


def feed_rows(
    rows: Sequence[ListedFeed],
    city: City,
    *,
    page: str | None = None,
    actor: Actor | None = None,
    venue: Venue | None = None,
) -> list[FeedRow]:
    shown = []
    for row in rows:
        feed = row.feed
        is_own = actor is None or feed.person_id == actor.person_id
        may_change = is_own or (actor is not None and venue is not None and may_manage(actor, venue))
        fetched = feed.last_fetched_at
        shown.append(
            FeedRow(
                feed.id,
                title_of(row),
                shows_text(feed.kind),
                gettext("Made %(time)s", time=instant_text(feed.created_at, city)),
                gettext("last read %(time)s", time=instant_text(fetched, city))
                if fetched
                else gettext("not read yet"),
                url_for("feeds.replace", feed_id=feed.id, page=page) if may_change else None,
                url_for("feeds.end", feed_id=feed.id, page=page) if may_change else None,
            )
        )
    return shown


def organisation_offers(
    organisations: Sequence[Organisation], known: Collection[tuple[str, int | None]]
) -> list[Offer]:
    """One's own bookings first, then those of the organisations that one books for."""
    found = []
    if ("person", None) not in known:
        found.append(Offer(gettext("My bookings"), shows_text("person"), {"kind": "person"}))
    found += [
        Offer(
            organisation.name,
            shows_text("organisation"),
            {"kind": "organisation", "organisation": str(organisation.id)},
        )
        for organisation in organisations
        if ("organisation", organisation.id) not in known
    ]
    return found


def space_offers(actor: Actor, space: Space, venue: Venue, known: Collection[str]) -> list[Offer]:
    found = []
    if "space" not in known:
        found.append(
            Offer(
                gettext("Who has the space and when"),
                shows_text("space"),
                {"kind": "space", "space": str(space.id)},
            )
        )
    if "space_public" not in known and may_manage(actor, venue):
        found.append(
            Offer(
                gettext("Taken times, for everyone"),
                shows_text("space_public"),
                {"kind": "space_public", "space": str(space.id)},
            )
        )
    return found
