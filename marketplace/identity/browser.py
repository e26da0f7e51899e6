"""The cookie of a signed-in browser, and where people go after signing in."""

from flask import current_app, redirect, request, url_for
from flask import session as form_session
from werkzeug.wrappers import Response

from marketplace.identity.actions import Browser
from marketplace.identity.queries import COOKIE
from marketplace.identity.rules import SESSION_LIFE, own_path
from marketplace.web.request import client_ip

LANGUAGE_COOKIE = "tilaa_language"
ONE_YEAR = 365 * 24 * 3600


def this_browser() -> Browser:
    return Browser(
        user_agent=request.user_agent.string or None,
        ip=client_ip(),
        token=request.cookies.get(COOKIE),
    )


def asked_path() -> str | None:
    """The `next` of this address, if it is a path of our own."""
    return own_path(request.args.get("next"), host=request.host)


def home_path() -> str:
    endpoint = current_app.config["HOME_ENDPOINT"]
    return url_for(endpoint if endpoint in current_app.view_functions else "identity.profile")


def signed_in_browser(token: str, *, language: str, go_to: str | None) -> Response:
    """Onwards, with the new session's cookie. The form session starts anew, its CSRF secret with it."""
    form_session.clear()
    response = redirect(go_to or home_path(), 303)
    response.set_cookie(
        COOKIE,
        token,
        max_age=int(SESSION_LIFE.total_seconds()),
        httponly=True,
        samesite="Lax",
        secure=current_app.config["PRODUCTION"],
    )
    remember_language(response, language)
    return response


def remember_language(response: Response, language: str) -> None:
    response.set_cookie(
        LANGUAGE_COOKIE,
        language,
        max_age=ONE_YEAR,
        httponly=True,
        samesite="Lax",
        secure=current_app.config["PRODUCTION"],
    )


def signed_out_browser() -> Response:
    form_session.clear()
    response = redirect(home_path(), 303)
    response.delete_cookie(COOKIE, httponly=True, samesite="Lax", secure=current_app.config["PRODUCTION"])
    return response
