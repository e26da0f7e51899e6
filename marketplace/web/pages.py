"""The few pages that belong to no feature: the root, health, the theme, problem types."""

from flask import Blueprint, Response, current_app, redirect, render_template, url_for
from flask_babel import gettext
from sqlalchemy import text
from werkzeug.wrappers import Response as AnyResponse

from marketplace.cities.theme import theme_css
from marketplace.db import transaction
from marketplace.errors import NotFound, Refusal
from marketplace.web.access import public
from marketplace.web.i18n import N_
from marketplace.web.problems import HTTP_TITLES, status_of
from marketplace.web.request import best_language, current_city, page_blueprint

health = Blueprint("health", __name__)
problems = page_blueprint("problems", __name__)
root = Blueprint("root", __name__)


@health.get("/health/live")
@public
def live() -> Response:
    """The process answers."""
    return Response("ok\n", mimetype="text/plain")


@health.get("/health/ready")
@public
def ready() -> tuple[Response, int]:
    """The process can serve: the database answers and its schema is there."""
    try:
        with transaction() as session:
            session.execute(text("SELECT 1 FROM city LIMIT 1"))
    except Exception:
        current_app.logger.exception("not ready")
        return Response("database unavailable\n", mimetype="text/plain"), 503
    return Response("ready\n", mimetype="text/plain"), 200


@root.get("/")
@public
def language() -> AnyResponse:
    """Greet in the reader's language."""
    return redirect(url_for(current_app.config["HOME_ENDPOINT"], lang=best_language(current_city())))


@root.get("/theme.css")
@public
def theme() -> Response:
    """The city's colours."""
    response = Response(theme_css(current_city().theme), mimetype="text/css")
    response.cache_control.max_age = 300
    response.cache_control.public = True
    return response


def refusals() -> dict[str, type[Refusal]]:
    """Every kind of refusal by its code."""
    found: dict[str, type[Refusal]] = {}
    waiting: list[type[Refusal]] = [Refusal]
    while waiting:
        kind = waiting.pop()
        found[kind.code] = kind
        waiting.extend(kind.__subclasses__())
    return found


@problems.get("/problems/<code>")
@public
def page(code: str) -> str:
    """What a problem's `type` address leads to: its meaning in words."""
    if code.startswith("http-") and code[5:].isdigit():
        status = int(code[5:])
        title = HTTP_TITLES.get(status)
    elif kind := refusals().get(code):
        status, title = status_of(kind), kind.title
    else:
        status, title = 500, N_("Something went wrong at our end.") if code == "internal" else None
    if title is None:
        raise NotFound
    return render_template("marketplace/problem.html", code=code, status=status, title=gettext(title))
