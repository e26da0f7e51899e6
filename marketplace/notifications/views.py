"""The mailbox: in development, a page that shows what was sent."""

from flask import Blueprint, Response, render_template
from sqlalchemy import select

from marketplace.db import transaction
from marketplace.errors import NotFound
from marketplace.notifications.models import Mail
from marketplace.web.access import public
from marketplace.web.i18n import LANGUAGES, N_
from marketplace.web.request import current_city, page_blueprint

blueprint: Blueprint = page_blueprint("mailbox", __name__)

STATES = {"queued": N_("Waiting to be sent"), "sent": N_("Sent"), "failed": N_("Failed")}
# The HTML form of a mail is shown in a frame of ours, without scripts, forms or anything from elsewhere.
MAIL_CSP = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'self'; sandbox"


def newest(limit: int = 100) -> list[Mail]:
    with transaction() as session:
        return list(
            session.scalars(
                select(Mail)
                .where(Mail.city_id == current_city().id)
                .order_by(Mail.created_at.desc(), Mail.id.desc())
                .limit(limit)
            )
        )


def mail_of_id(mail_id: int) -> Mail:
    with transaction() as session:
        mail = session.get(Mail, (current_city().id, mail_id))
    if mail is None:
        raise NotFound
    return mail


@blueprint.get("/mailbox")
@public
def messages() -> str:
    """The newest mails, for a developer. The blueprint is not registered in production."""
    return render_template("marketplace/notifications/mailbox.html", mails=newest(), **words())


@blueprint.get("/mailbox/<int:mail_id>")
@public
def message(mail_id: int) -> str:
    mail = mail_of_id(mail_id)
    return render_template("marketplace/notifications/mail.html", mail=mail, mails=newest(20), **words())


@blueprint.get("/mailbox/<int:mail_id>/html")
@public
def html(mail_id: int) -> Response:
    """The HTML form alone, for the frame on its page."""
    response = Response(mail_of_id(mail_id).body_html, mimetype="text/html")
    response.headers["Content-Security-Policy"] = MAIL_CSP
    response.headers["X-Frame-Options"] = "SAMEORIGIN"
    return response


def words() -> dict[str, object]:
    return {"page_id": "mailbox", "states": STATES, "language_names": LANGUAGES, "zone": current_city().zone}
