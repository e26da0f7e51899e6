"""Every mail of this floor, whole, in each language. New texts: run with TILAA_STORE_MAILS=1 and read what changed."""

import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from marketplace.app import job_context
from marketplace.notifications.mail import render_mail

STORED = Path(__file__).parent / "mails"
AT = datetime(2026, 11, 24, 10, 5, tzinfo=UTC)
IDENTITY = "marketplace/identity/mail/"
INVITATION: dict[str, Any] = {"organisation": "Kallion Juniorit ry", "inviter": "Mira Laine", "last_day": AT}
MAILS: dict[str, tuple[str, dict[str, Any]]] = {
    **{
        name: (IDENTITY + name, {"token": "TOKEN"})
        for name in ("verify", "sign_in", "reset", "unfinished", "change")
    },
    "registered": (IDENTITY + "registered", {}),
    "password_changed": (IDENTITY + "password_changed", {"at": AT}),
    "address_changed": (IDENTITY + "address_changed", {"at": AT}),
    "number_confirmed": (IDENTITY + "number_confirmed", {"at": AT, "number": "+358 … 67"}),
    "invitation_known": ("marketplace/accounts/mail/invitation", INVITATION | {"is_known": True}),
    "invitation_unknown": ("marketplace/accounts/mail/invitation", INVITATION | {"is_known": False}),
}


@pytest.mark.parametrize("language", ["fi", "sv", "en"])
@pytest.mark.parametrize("name", MAILS)
def test_the_mail_reads_as_stored(app, city, person, name, language):
    template, context = MAILS[name]
    with job_context(app):
        subject, text, html = render_mail(city, language, template, person=person, **context)
    whole = f"{subject}\n\n{text}"
    path = STORED / f"{name}.{language}.txt"
    if os.environ.get("TILAA_STORE_MAILS"):
        path.write_text(whole, encoding="utf-8")
    assert whole == path.read_text(encoding="utf-8")
    assert f'lang="{language}"' in html
    assert "<a href=" in html or name == "address_changed"
    assert f"/{language}/" in text or name == "address_changed"
