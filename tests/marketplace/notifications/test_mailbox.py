"""The mailbox page of a development service."""

import pytest
from sqlalchemy.orm import Session

from bookings.part import part as bookings
from marketplace.app import create_app
from marketplace.notifications.models import Mail
from marketplace.settings import Settings
from partners.part import part as partners
from spaces.part import part as spaces


@pytest.fixture
def mail(session: Session, city) -> Mail:
    mail = Mail(
        city_id=city.id,
        key="one",
        to_address="aino@example.org",
        language="fi",
        template="x",
        subject="Varaus <b>vahvistettu</b>",
        body_text="Avaa https://example.org/x <script>alert(1)</script>\n",
        body_html="<p>Avaa</p><script>alert(1)</script>",
    )
    session.add(mail)
    session.commit()
    return mail


def test_what_was_sent_is_listed_and_read(client, mail):
    page = client.get("/en/mailbox").text
    assert "aino@example.org" in page
    assert "&lt;b&gt;vahvistettu" in page
    page = client.get(f"/en/mailbox/{mail.id}").text
    assert "<script>alert" not in page
    assert '<a href="https://example.org/x"' in page
    assert "<iframe sandbox src=" in page


def test_the_html_form_stands_in_a_cage_and_the_site_stays_strict(client, mail):
    answer = client.get(f"/en/mailbox/{mail.id}/html")
    policy = answer.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert policy.endswith("sandbox")
    assert answer.headers["X-Frame-Options"] == "SAMEORIGIN"
    assert "script-src 'self'" in client.get("/en/mailbox").headers["Content-Security-Policy"]


def test_an_empty_mailbox_and_an_unknown_mail_are_explained(client):
    assert "No mail yet" in client.get("/en/mailbox").text
    assert client.get("/en/mailbox/999").status_code == 404
    assert client.get("/en/mailbox/999/html").status_code == 404


def test_production_has_no_mailbox(mail, database_url):
    settings = Settings(
        env="production",
        secret="p" * 32,
        public_url="https://localhost",
        smtp_url="smtp://localhost",
        log_level="error",
        rate_limits=False,
    )
    app = create_app(settings, [spaces, bookings, partners])
    client = app.test_client()
    for path in ("/en/mailbox", f"/en/mailbox/{mail.id}", f"/en/mailbox/{mail.id}/html"):
        assert client.get(path).status_code == 404
    page = client.get("/en/check-mail/sign_in")
    assert page.status_code == 200
    assert "mailbox" not in page.text
