"""The one place where refusals become answers: a page for people, RFC 9457 problem details for machines."""

import logging
from typing import Any
from uuid import uuid4

from flask import Flask, Response, current_app, g, jsonify, redirect, render_template, request, url_for
from flask_babel import gettext
from flask_wtf.csrf import CSRFError
from sqlalchemy.exc import OperationalError
from sqlalchemy.exc import TimeoutError as NoConnection
from werkzeug.exceptions import HTTPException

from marketplace.errors import (
    Conflict,
    FieldError,
    Forbidden,
    Invalid,
    NotFound,
    PaymentRefused,
    Refusal,
    TooMany,
    Unauthenticated,
    Unavailable,
)
from marketplace.web.context import without_corner
from marketplace.web.i18n import N_
from marketplace.web.request import is_api
from marketplace.web.uploads import too_large_text

log = logging.getLogger(__name__)

STATUS: tuple[tuple[type[Refusal], int], ...] = (
    (Unauthenticated, 401),
    (Forbidden, 403),
    (NotFound, 404),
    (Conflict, 409),
    (Invalid, 422),
    (PaymentRefused, 402),
    (TooMany, 429),
    (Unavailable, 503),
)

HTTP_TITLES = {
    400: N_("The request could not be understood."),
    404: N_("We did not find this page."),
    405: N_("This address does not take that kind of request."),
    413: N_("What you sent is too large."),
    415: N_("That kind of content is not accepted here."),
    503: N_("The service is not available just now."),
}


def status_of(kind: type[Refusal]) -> int:
    return next((status for family, status in STATUS if issubclass(kind, family)), 400)


def field_message(error: FieldError) -> str:
    """The error's text in the reader's language."""
    return str(gettext(error.text, **dict(error.values)) if error.values else gettext(error.text))


def problem(status: int, code: str, title: str, **fields: Any) -> Response:
    """An RFC 9457 answer; `type` is our own page about this kind of problem."""
    body = {
        "type": url_for("problems.page", code=code, lang=g.get("lang") or "en", _external=True),
        "title": title,
        "status": status,
        "instance": request.path,
        **{key: value for key, value in fields.items() if value is not None},
    }
    answer = jsonify(body)
    answer.status_code = status
    answer.content_type = "application/problem+json"
    return answer


def error_page(status: int, title: str, *, text: str = "", reference: str | None = None) -> tuple[str, int]:
    """The page for people. Where the database may be what failed, it must ask for nothing: see `without_corner`."""
    return (
        render_template("marketplace/error.html", code=status, title=title, text=text, reference=reference),
        status,
    )


def install(app: Flask) -> None:
    """Register the handlers."""

    @app.errorhandler(Refusal)
    def refused(refusal: Refusal) -> Any:
        status = status_of(type(refusal))
        title = gettext(refusal.title)
        if is_api():
            fields = None
            if isinstance(refusal, Invalid):
                fields = [
                    {"pointer": f"/{e.field}", "code": e.code, "detail": field_message(e)}
                    for e in refusal.fields
                ]
            answer = problem(status, refusal.code, title, errors=fields, **refusal.public)
            if isinstance(refusal, TooMany | Unavailable):
                answer.headers["Retry-After"] = str(refusal.retry_after)
            return answer
        if isinstance(refusal, Unauthenticated):
            there = request.full_path.rstrip("?") if request.method == "GET" else (request.referrer or "/")
            return redirect(url_for("identity.sign_in", next=there))
        details = " ".join(field_message(e) for e in refusal.fields) if isinstance(refusal, Invalid) else ""
        response = current_app.make_response(error_page(status, title, text=details))
        if isinstance(refusal, TooMany | Unavailable):
            response.headers["Retry-After"] = str(refusal.retry_after)
        return response

    @app.errorhandler(CSRFError)
    def forged(error: CSRFError) -> Any:
        text = gettext(
            "The form was open for too long. Go back, reload the page and send it again; nothing was changed."
        )
        return error_page(400, gettext("We could not check where the form came from."), text=text)

    @app.errorhandler(HTTPException)
    def http_error(error: HTTPException) -> Any:
        status = error.code or 500
        if status < 400:
            return error
        title = gettext(HTTP_TITLES.get(status, N_("The request could not be understood.")))
        if is_api():
            return problem(status, f"http-{status}", title)
        text = too_large_text() if status == 413 else ""
        return error_page(status, title, text=gettext(text) if text else "")

    @app.errorhandler(OperationalError)
    @app.errorhandler(NoConnection)
    def database_away(error: Exception) -> Any:
        """No connection, a statement that took too long, two that waited for each other: nothing the person did."""
        log.error("database unavailable", exc_info=error)
        without_corner()
        return refused(Unavailable())

    @app.errorhandler(Exception)
    def failed(error: Exception) -> Any:
        reference = uuid4().hex[:8].upper()
        log.exception("unexpected error", extra={"reference": reference})
        without_corner()
        title = gettext("Something went wrong at our end.")
        if is_api():
            return problem(500, "internal", title, reference=reference)
        return error_page(500, title, reference=reference)
