"""Mails about accounts, written by jobs: the only place that knows whether an address has an account.

`identity` stands above `notifications` here, and above `accounts`, whose invitations it therefore also mails: an
invitation is one more thing that proves an address.
"""

from datetime import datetime
from hashlib import sha256
from urllib.parse import urlsplit

from sqlalchemy import delete
from sqlalchemy.orm import Session

from marketplace.accounts.models import Invitation, Organisation, Person
from marketplace.accounts.queries import person_of_email, person_of_id
from marketplace.cities.models import City
from marketplace.clock import now
from marketplace.db import transaction
from marketplace.identity.models import MailLink, SignedInSession
from marketplace.identity.rules import KEPT, LINK_LIFE
from marketplace.ids import new_token, token_hash
from marketplace.jobs.messages import Message
from marketplace.notifications.codes import PLACE, number_key
from marketplace.notifications.mail import address_of, send_mail
from marketplace.notifications.models import NumberCode
from marketplace.notifications.numbers import masked
from marketplace.notifications.sms import number_of, send_text

TEMPLATES = "marketplace/identity/mail/"


def mail_key(kind: str, submission: str, email: str) -> str:
    """One mail for one sent form and address, however often the form or the job comes."""
    return f"{kind}:{sha256(f'{submission}|{email}'.encode()).hexdigest()[:32]}"


def send_link(
    session: Session,
    person: Person,
    purpose: str,
    *,
    template: str,
    key: str,
    email: str | None = None,
    next_path: str | None = None,
) -> None:
    """Mail a new link; nothing happens when this very one has been mailed."""
    at, token, address = now(), new_token(), email or person.email
    mail = send_mail(
        session,
        addressed(person, address),
        TEMPLATES + template,
        key=key,
        token=token,
    )
    if mail is None:
        return
    session.add(
        MailLink(
            city_id=person.city_id,
            person_id=person.id,
            purpose=purpose,
            email=address,
            token_hash=token_hash(token),
            next_path=next_path,
            created_at=at,
            expires_at=at + LINK_LIFE[purpose],
        )
    )


def addressed(person: Person, email: str) -> Person:
    """The person as a recipient at another address; never saved."""
    if email == person.email:
        return person
    return Person(
        city_id=person.city_id, id=person.id, name=person.name, email=email, language=person.language
    )


def mail_registration(session: Session, message: Message) -> None:
    """To a new account its first link; to a known address word that it has one already."""
    person = person_of_email(session, message.city_id, message["email"])
    if person is None:
        return
    key, next_path = mail_key("registration", message["submission"], person.email), message["next_path"]
    if message["is_new"]:
        send_link(session, person, "verify", template="verify", key=key, next_path=next_path)
    elif person.email_verified_at is None:
        # Who opened the account has not proved the address, so the password may be a stranger's: choose it anew.
        send_link(session, person, "reset", template="unfinished", key=key, next_path=next_path)
    else:
        send_mail(session, person, TEMPLATES + "registered", key=key)


def mail_asked_link(session: Session, message: Message) -> None:
    """A link to sign in, to choose a new password or to confirm the address, if it has an account."""
    email, purpose = message["email"], message["purpose"]
    person = person_of_email(session, message.city_id, email)
    if person is None or (purpose == "verify" and person.email_verified_at is not None):
        return
    key = mail_key(purpose, message["submission"], email)
    send_link(session, person, purpose, template=purpose, key=key, next_path=message["next_path"])


def mail_address_asked(session: Session, message: Message) -> None:
    """A link to the new address; where it has an account already, its owner is told instead."""
    email = message["email"]
    person = person_of_id(session, message.city_id, message["person_id"])
    known = person_of_email(session, message.city_id, email)
    key = mail_key("change", message["submission"], email)
    if known is not None:
        send_mail(session, known, TEMPLATES + "registered", key=key)
    elif person is not None:
        send_link(session, person, "change", template="change", key=key, email=email)


def mail_password_changed(session: Session, message: Message) -> None:
    person = person_of_id(session, message.city_id, message["person_id"])
    if person is not None:
        send_mail(
            session,
            person,
            TEMPLATES + "password_changed",
            key=f"password-changed:{person.id}:{message['at']}",
            at=datetime.fromisoformat(message["at"]),
        )


def mail_address_changed(session: Session, message: Message) -> None:
    """To the old address, so that a change by someone else does not go unseen."""
    person = person_of_id(session, message.city_id, message["person_id"])
    if person is not None:
        send_mail(
            session,
            addressed(person, message["old"]),
            TEMPLATES + "address_changed",
            key=f"address-changed:{person.id}:{message['at']}",
            at=datetime.fromisoformat(message["at"]),
        )


def text_code(session: Session, message: Message) -> None:
    """The code to a number that somebody says is theirs."""
    code = session.get(NumberCode, (message.city_id, message["code_id"]))
    person = person_of_id(session, message.city_id, code.person_id) if code is not None else None
    if code is not None and person is not None:
        host = urlsplit(address_of(session.get_one(City, message.city_id))).hostname
        send_text(
            session,
            person,
            "marketplace/identity/sms/code",
            key=number_key(code.id),
            number=code.number,
            before=code.expires_at,
            code=PLACE,
            host=host,
        )


def mail_number_confirmed(session: Session, message: Message) -> None:
    """So that a number that someone else has added does not go unseen: the offers that it gets can be taken by it."""
    person = person_of_id(session, message.city_id, message["person_id"])
    own = number_of(session, message.city_id, message["person_id"])
    if person is not None and own is not None:
        send_mail(
            session,
            person,
            TEMPLATES + "number_confirmed",
            key=f"number-confirmed:{person.id}:{message['at']}",
            at=datetime.fromisoformat(message["at"]),
            number=masked(own.number),
        )


def mail_invitation(session: Session, message: Message) -> None:
    """To the invited address, in its person's language, else in the inviter's."""
    invitation = session.get(Invitation, (message.city_id, message["invitation_id"]))
    if invitation is None:
        return
    organisation = session.get_one(Organisation, (message.city_id, invitation.organisation_id))
    inviter = session.get_one(Person, (message.city_id, invitation.invited_by))
    person = person_of_email(session, message.city_id, invitation.email)
    recipient = person or Person(
        city_id=message.city_id, name="", email=invitation.email, language=message["language"]
    )
    send_mail(
        session,
        recipient,
        "marketplace/accounts/mail/invitation",
        key=mail_key("invitation", message["submission"], invitation.email),
        organisation=organisation.name,
        inviter=inviter.name,
        is_known=person is not None,
        last_day=invitation.expires_at,
    )


def forget_old_links() -> None:
    """Drop links and sessions that ended a month ago, and invitations nobody answered (nightly)."""
    long_ago = now() - KEPT
    with transaction() as session:
        session.execute(delete(MailLink).where(MailLink.expires_at < long_ago))
        session.execute(
            delete(SignedInSession).where(
                (SignedInSession.expires_at < long_ago) | (SignedInSession.ended_at < long_ago)
            )
        )
        session.execute(delete(Invitation).where(Invitation.expires_at < long_ago))


HANDLERS = {
    "registration.asked": [mail_registration],
    "link.asked": [mail_asked_link],
    "address.asked": [mail_address_asked],
    "password.changed": [mail_password_changed],
    "address.changed": [mail_address_changed],
    "invitation.made": [mail_invitation],
    "number.asked": [text_code],
    "number.confirmed": [mail_number_confirmed],
}
