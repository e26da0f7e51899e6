"""The owner's desk: which pages there are about one listing. Features of higher rooms add theirs here by endpoint."""

from flask import current_app

from marketplace.errors import N_
from marketplace.web.i18n import gettext
from marketplace.web.request import page_blueprint

# The pages of `desk_views`, `listing_views` and `venue_views`.
blueprint = page_blueprint("desk", __name__)

# Endpoint and name of each page, in the order of the menu; every one takes `space_id`.
DESK_PAGES = (
    ("desk.space", N_("Facts")),
    ("hours.week", N_("Opening hours")),
    ("prices.list", N_("Prices")),
    ("rules.page", N_("Rules")),
    ("photos.album", N_("Photos")),
    ("doors.page", N_("Door")),
    ("attendance.settings", N_("Check-in")),
    ("timeline.customer", N_("Book for a customer")),
    ("feeds.space", N_("Calendars")),
    ("desk.history", N_("History")),
)


def desk_pages() -> list[tuple[str, str]]:
    """The menu in the reader's language."""
    return [
        (endpoint, str(gettext(label)))
        for endpoint, label in DESK_PAGES
        if endpoint in current_app.view_functions
    ]
