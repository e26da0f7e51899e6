"""What people write stays text in mails, and the mail server is known before it gets a password."""

import email.policy
import smtplib
import ssl
from datetime import UTC, datetime
from email import message_from_bytes
from email.message import EmailMessage

import pytest
from flask import g
from sqlalchemy import select

from marketplace.accounts.models import Person
from marketplace.notifications.mail import address_of, hand_over, render_mail, send_mail
from marketplace.notifications.models import Mail

WHO = "Win at prizes.com \u2028 https://evil.example/x"


@pytest.fixture
def invitation(app, city):
    """The parts of an invitation's mail whose names were made up by somebody unkind."""
    recipient = Person(city_id=city.id, name="", email="a@example.org", language="en")
    city.host = "tilat.example"
    with app.test_request_context(headers={"Host": "evil.example"}):
        yield render_mail(
            city,
            "en",
            "marketplace/accounts/mail/invitation",
            person=recipient,
            organisation=WHO,
            inviter="<b>Aino</b>",
            is_known=True,
            last_day=datetime(2027, 5, 11, tzinfo=UTC),
        )


def test_only_our_own_addresses_become_links(invitation):
    _, text, html = invitation
    assert "https://evil.example/x" in text
    assert html.count("<a ") == 1
    assert '<a href="http://tilat.example:8000/en/organisations">' in html


def test_names_are_text_in_the_html_form(invitation):
    assert "<b>" not in invitation[2]
    assert "&lt;b&gt;Aino" in invitation[2]


def test_a_subject_is_one_line(invitation):
    assert len(invitation[0].splitlines()) == 1


def test_writing_a_mail_leaves_the_surroundings_as_they_were(app, session, city, person):
    with app.test_request_context():
        send_mail(session, person, "marketplace/identity/mail/registered", key="x")
        assert "city" not in g
        assert "lang" not in g
        g.lang = "sv"
        send_mail(session, person, "marketplace/identity/mail/registered", key="y")
        assert g.lang == "sv"
    assert len(session.scalars(select(Mail)).all()) == 2


@pytest.mark.parametrize(
    ("host", "public", "address"),
    [
        (None, "https://tilat.example", "https://tilat.example"),
        ("turku.example", "https://tilat.example", "https://turku.example"),
        ("turku.localhost", "http://127.0.0.1:8000", "http://turku.localhost:8000"),
    ],
)
def test_mails_of_a_city_lead_to_its_own_host(app, city, monkeypatch, host, public, address):
    monkeypatch.setitem(app.config, "BASE_URL", public)
    city.host = host
    with app.app_context():
        assert address_of(city) == address


class Server:
    """Takes a mail, and remembers how the connection was made safe."""

    contexts: list[ssl.SSLContext | None]

    def __init__(self, host, port, *, timeout, context=None):
        Server.contexts = [context]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        pass

    def starttls(self, *, context=None):
        Server.contexts.append(context)

    def login(self, user, password):
        assert (user, password) == ("tilaa", "p@ss")

    def send_message(self, message):
        assert message["Subject"] == "Terve"


@pytest.mark.parametrize("scheme", ["smtp", "smtps"])
def test_a_password_is_given_only_to_a_server_with_a_good_certificate(city, monkeypatch, scheme):
    monkeypatch.setattr(smtplib, "SMTP", Server)
    monkeypatch.setattr(smtplib, "SMTP_SSL", Server)
    mail = Mail(
        city_id=city.id,
        id=1,
        subject="Terve",
        to_address="a@example.org",
        body_text="x",
        body_html="<p>x</p>",
    )
    hand_over(mail, url=f"{scheme}://tilaa:p%40ss@mail.example.org", sender="Tilaa <no-reply@example.org>")
    context = Server.contexts[-1]
    assert context is not None
    assert context.verify_mode == ssl.CERT_REQUIRED
    assert context.check_hostname


def test_a_mail_that_signs_in_is_forgotten_once_it_is_sent(app, session, city, person, run_jobs, monkeypatch):
    monkeypatch.setattr("marketplace.notifications.mail.hand_over", lambda *_, **__: None)
    monkeypatch.setitem(app.config, "SMTP_URL", "smtp://mail.example.org")
    with app.test_request_context():
        send_mail(session, person, "marketplace/identity/mail/registered", key="z")
    session.commit()
    run_jobs()
    mail = session.scalars(select(Mail)).one()
    assert (mail.state, mail.body_text, mail.body_html) == ("sent", "", "")
    assert mail.subject


@pytest.mark.parametrize("label", ["tilat", "a" * 60 + "." + "b" * 60 + "." + "c" * 60])
def test_a_mail_program_finds_the_address_that_stops_mails_however_long(monkeypatch, label):
    """As bytes on their way: what other headers and the texts hold is written as before, in short lines."""
    handed: list[EmailMessage] = []
    monkeypatch.setattr(Server, "send_message", lambda _, message: handed.append(message))
    monkeypatch.setattr(smtplib, "SMTP", Server)
    stop = f"https://{label}.example/fi/searches/{'t' * 90}/stop"
    subject = "Säästöpankin juhlasalissa vapautui aikaa ensi tiistaille, myös pääsiäiselle ja äitienpäivälle"
    text, html = "Hyvää päivää " * 60 + "\n", "<p>" + "hei äö " * 300 + "</p>\n"
    mail = Mail(
        city_id=1,
        id=1,
        subject=subject,
        to_address="a@example.org",
        body_text=text,
        body_html=html,
        stop_url=stop,
    )
    hand_over(mail, url="smtp://mail.example.org", sender="Tilaa <no-reply@example.org>")
    sent = handed[0].as_bytes()
    address = f"List-Unsubscribe: <{stop}>"
    assert address.encode() in sent.splitlines()
    assert max(len(line) for line in sent.splitlines() if line != address.encode()) <= 78
    read = message_from_bytes(sent, policy=email.policy.default)
    assert (read["Subject"], read["To"], read["List-Unsubscribe"]) == (subject, "a@example.org", f"<{stop}>")
    assert [part.get_content() for part in read.iter_parts()] == [text, html]
