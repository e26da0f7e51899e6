"""Short addresses for text messages: an address of the mail's kind takes half a message."""

import secrets
from datetime import datetime

from flask import url_for
from sqlalchemy import select
from sqlalchemy.orm import Session

from marketplace.accounts.models import Person
from marketplace.ids import token_hash
from marketplace.notifications.models import TextLink

# No letters or digits that look alike in a phone's font.
ALPHABET = "23456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
# 58 random bits: among a million live links, a thousand places guessing as fast as `link_views` lets them need seven centuries.
LENGTH = 10


def short_address(session: Session, person: Person, path: str, *, until: datetime) -> str:
    """A short address, good until `until`, that leads to the given path of our own. Needs a request context whose city is
    the person's (`mail.writing_for`)."""
    code = "".join(secrets.choice(ALPHABET) for _ in range(LENGTH))
    session.add(
        TextLink(
            city_id=person.city_id,
            person_id=person.id,
            code_hash=token_hash(code),
            path=path,
            expires_at=until,
        )
    )
    session.flush()
    return url_for("texts.follow", code=code, _external=True)


def path_of_code(session: Session, city_id: int, code: str, *, at: datetime) -> str | None:
    """Where a short address of this city leads, while it is good."""
    return session.scalar(
        select(TextLink.path).where(
            TextLink.city_id == city_id, TextLink.code_hash == token_hash(code), TextLink.expires_at > at
        )
    )
