"""Mail: rendered in the reader's language, kept in the delivery log, handed to the mail server by a job.

A mail's texts live with the feature that sends it: `<package>/<feature>/mail/<name>.<language>.txt`. The first line is
the subject, the rest the plain text, from which the HTML form is made.
"""

import logging
import smtplib
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from email.headerregistry import BaseHeader, HeaderRegistry, UnstructuredHeader
from email.message import EmailMessage
from email.policy import EmailPolicy, Policy
from email.utils import make_msgid
from typing import Any
from urllib.parse import unquote, urlsplit

from flask import current_app, g, render_template, url_for
from flask_babel import force_locale
from sqlalchemy import select
from sqlalchemy.orm import Session

from marketplace.accounts.models import Person
from marketplace.cities.models import City
from marketplace.clock import now
from marketplace.db import transaction
from marketplace.jobs.queue import RETRY, defer, queue
from marketplace.jobs.runner import application
from marketplace.notifications.models import Mail

log = logging.getLogger(__name__)

TIMEOUT_SECONDS = 20
LONGEST_LINE = 998  # characters, by RFC 5322
# Mails with a link that signs in: once sent, the log keeps that they were, not what they said.
LINK_MAILS = "marketplace/identity/mail/"


class AddressHeader(UnstructuredHeader, BaseHeader):
    """A web address, on one line: folded as other headers are, a long one would become an encoded word (RFC 2047), in
    which no mail program finds the address."""

    def fold(self, *, policy: Policy) -> str:
        return super().fold(policy=policy.clone(max_line_length=LONGEST_LINE))


HEADERS = HeaderRegistry()
HEADERS.map_to_type("list-unsubscribe", AddressHeader)
POLICY = EmailPolicy(header_factory=HEADERS)


def send_mail(
    session: Session,
    person: Person,
    template: str,
    *,
    key: str,
    stops_at: tuple[str, dict[str, Any]] | None = None,
    **context: Any,
) -> Mail | None:
    """Write a mail to `person` and defer its sending, in the present transaction.

    `template` is such as "bookings/lifecycle/mail/confirmed"; `key` names this very mail, so that a handler that runs
    twice writes it once (then None is returned). `stops_at` is the page (endpoint, values) where a POST without more
    ends mails of this kind: mail programs offer it beside the mail (RFC 8058). Needs an application context.
    """
    known = session.scalar(select(Mail.id).where(Mail.city_id == person.city_id, Mail.key == key))
    if known is not None:
        return None
    city = session.get_one(City, person.city_id)
    subject, body_text, body_html = render_mail(city, person.language, template, person=person, **context)
    stop_url = None
    if stops_at is not None:
        with writing_for(city, person.language):
            stop_url = url_for(stops_at[0], **stops_at[1], _external=True)
    mail = Mail(
        city_id=person.city_id,
        key=key,
        person_id=person.id,
        to_address=person.email,
        language=person.language,
        template=template,
        subject=subject,
        body_text=body_text,
        body_html=body_html,
        stop_url=stop_url,
    )
    session.add(mail)
    session.flush()
    defer(session, deliver_mail, queue_name="mail", city_id=mail.city_id, mail_id=mail.id)
    return mail


def address_of(city: City) -> str:
    """Where the city's pages are: under its own host name, if it has one."""
    public = urlsplit(current_app.config["BASE_URL"])
    port = f":{public.port}" if public.port else ""
    return f"{public.scheme}://{city.host}{port}" if city.host else public.geturl()


@contextmanager
def writing_for(city: City, language: str) -> Iterator[None]:
    """Templates and addresses inside are in `language` and of the city's pages, whatever page is being made around it."""
    before = {name: g.get(name) for name in ("lang", "city") if name in g}
    g.lang, g.city = language, city
    try:
        with current_app.test_request_context(base_url=address_of(city)), force_locale(language):
            yield
    finally:
        for name in ("lang", "city"):
            g.pop(name, None)
        for name, value in before.items():
            setattr(g, name, value)


def render_mail(city: City, language: str, template: str, **context: Any) -> tuple[str, str, str]:
    """(subject, plain text, HTML) in `language`, with addresses of the city's pages in that language."""
    with writing_for(city, language):
        text = render_template(f"{template}.{language}.txt", mail_city=city, **context)
        subject, _, body = text.strip().partition("\n")
        body = body.strip() + "\n"
        html = render_template(
            "marketplace/mail.html",
            subject=subject,
            paragraphs=body.split("\n\n"),
            mail_city=city,
            own_address=url_for("root.language", _external=True),
        )
    # One line, whatever a name in it holds: a header with another kind of line break is refused by the mail library.
    return " ".join(subject.split()), body, html


@queue.task(name="deliver_mail", queue="mail", retry=RETRY)
def deliver_mail(city_id: int, mail_id: int) -> None:
    """Hand one mail to the mail server. Runs outside any transaction while it talks to the server."""
    with application():
        with transaction() as session:
            mail = session.get(Mail, (city_id, mail_id))
        if mail is None or mail.state == "sent":
            return
        try:
            hand_over(mail, url=current_app.config["SMTP_URL"], sender=current_app.config["MAIL_FROM"])
        except (OSError, smtplib.SMTPException) as error:
            with transaction() as session:
                kept = session.get_one(Mail, (city_id, mail_id))
                kept.attempts += 1
                kept.error = str(error)[:500]
                kept.state = "failed" if kept.attempts >= (RETRY.max_attempts or 0) else "queued"
            raise
        with transaction() as session:
            kept = session.get_one(Mail, (city_id, mail_id))
            kept.attempts += 1
            kept.state, kept.sent_at, kept.error = "sent", now(), None
            if current_app.config["SMTP_URL"] and kept.template.startswith(LINK_MAILS):
                kept.body_text = kept.body_html = ""


def hand_over(mail: Mail, *, url: str, sender: str) -> None:
    """Send by SMTP; without a server's address the mailbox page is the only reader."""
    if not url:
        return
    message = EmailMessage(policy=POLICY)
    message["Subject"], message["From"], message["To"] = mail.subject, sender, mail.to_address
    message["Message-ID"] = make_msgid(
        idstring=f"{mail.city_id}.{mail.id}", domain=sender.rpartition("@")[2].strip("> ")
    )
    message["Auto-Submitted"] = "auto-generated"
    if mail.stop_url:
        message["List-Unsubscribe"] = f"<{mail.stop_url}>"
        message["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    message.set_content(mail.body_text)
    message.add_alternative(mail.body_html, subtype="html")
    parts = urlsplit(url)
    secure = parts.scheme == "smtps"
    host, port = parts.hostname or "localhost", parts.port or (465 if secure else 25)
    # Without a context of ours, smtplib would hand the password to whoever answers with any certificate.
    context = ssl.create_default_context()
    with (
        smtplib.SMTP_SSL(host, port, timeout=TIMEOUT_SECONDS, context=context)
        if secure
        else smtplib.SMTP(host, port, timeout=TIMEOUT_SECONDS)
    ) as server:
        if parts.username:
            if not secure:
                server.starttls(context=context)
            server.login(unquote(parts.username), unquote(parts.password or ""))
        server.send_message(message)
