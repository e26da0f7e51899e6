"""Where the short address of a text message leads."""

from datetime import timedelta

from flask import Blueprint, redirect
from werkzeug.wrappers import Response

from marketplace.clock import now
from marketplace.db import transaction
from marketplace.errors import NotFound
from marketplace.notifications.links import path_of_code
from marketplace.web.access import public
from marketplace.web.limits import limit
from marketplace.web.request import client_ip, current_city, page_blueprint

blueprint: Blueprint = page_blueprint("texts", __name__)

GUESSES_PER_HOUR = 60


@blueprint.get("/t/<code>")
@public
def follow(code: str) -> Response:
    """Leads to the page and does nothing by itself: phones look at addresses in messages before people do."""
    with transaction() as session:
        path = path_of_code(session, current_city().id, code, at=now())
    if path is None:
        limit(f"text-link-guess:{client_ip()}", times=GUESSES_PER_HOUR, per=timedelta(hours=1))
        raise NotFound
    return redirect(path, 303)
