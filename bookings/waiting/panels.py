"""What the line puts on lower pages."""

from flask import render_template, url_for

from bookings.lifecycle import pages
from bookings.waiting.queries import own_entries, place_in_line
from bookings.waiting.tokens import token_of
from marketplace.db import transaction
from marketplace.web.request import current_actor, current_city


def my_panel() -> str:
    """The `my-bookings` panel: where the person waits, offers first."""
    city, actor = current_city(), current_actor()
    with transaction() as session:
        rows = [
            (
                url_for("waiting.entry", token=token_of(city.id, found.entry.id)),
                pages.place_text(found.space, found.venue),
                pages.time_text(found.entry.window, city),
                found.entry.state == "offered",
                pages.instant_text(found.entry.offered_until, city) if found.entry.offered_until else "",
                place_in_line(session, found.entry),
            )
            for found in own_entries(session, actor)
        ]
    if not rows:
        return ""
    return render_template("bookings/waiting/_my.html", rows=sorted(rows, key=lambda row: not row[3]))
