"""Forms about people and organisations, and the fields that forms of `identity` share with them."""

import re
from typing import Any

from flask_babel import lazy_gettext
from wtforms import (  # type: ignore[attr-defined]  # the stubs are older than SelectChoice
    DateField,
    EmailField,
    Field,
    HiddenField,
    SelectChoice,
    SelectField,
    StringField,
    TelField,
    ValidationError,
)
from wtforms.validators import DataRequired, Length, Optional

from marketplace.accounts.emails import normalised_email
from marketplace.accounts.models import ORGANISATION_KINDS, ROLES
from marketplace.accounts.policy import FOUNDED_BY_STAFF
from marketplace.ids import new_token
from marketplace.web.forms import Form
from marketplace.web.i18n import LANGUAGES

UNSEEN = re.compile(r"[\x00-\x1f\x7f\u200b-\u200f\u2028-\u202e\u2060-\u2069]")
TOKEN = re.compile(r"[A-Za-z0-9_-]{1,64}")
PHONE = re.compile(r"\+?[0-9][0-9 ()-]{4,23}")
KIND_LABELS = {
    "association": lazy_gettext("Association"),
    "company": lazy_gettext("Company"),
    "public_body": lazy_gettext("Public body"),
    "city_division": lazy_gettext("City division"),
}
ROLE_LABELS = {
    "member": lazy_gettext("Member"),
    "booker": lazy_gettext("Booker"),
    "manager": lazy_gettext("Manager"),
}
ROLE_CHOICES = [SelectChoice(role, ROLE_LABELS[role]) for role in ROLES]


def stripped(text: str | None) -> str | None:
    """Without the blanks around it, and with single blanks inside."""
    return " ".join(text.split()) if text else text


def plain_words(form: Form, field: StringField) -> None:
    """A name is words: no invisible letters, no web addresses, which would turn our mails into someone's advertising."""
    text = field.data or ""
    if UNSEEN.search(text) or "://" in text or "www." in text.casefold():
        raise ValidationError(
            lazy_gettext("Write only the name, without web addresses or special characters.")
        )


def email_address(form: Form, field: EmailField) -> None:
    """Puts the address in the form that is kept."""
    found = normalised_email(field.data or "")
    if found is None:
        raise ValidationError(lazy_gettext("Write an e-mail address such as name@example.org."))
    field.data = found


def name_field(label: Any, missing: Any) -> StringField:
    return StringField(
        label,
        filters=[stripped],
        validators=[
            DataRequired(message=missing),
            Length(max=100, message=lazy_gettext("At most 100 characters.")),
            plain_words,
        ],
    )


def typed(field: Field) -> str:
    """What stands in a field of text, "" when nothing does."""
    return field.data or ""


def email_field(label: Any = None) -> EmailField:
    return EmailField(
        label or lazy_gettext("E-mail"),
        validators=[DataRequired(message=lazy_gettext("Write your e-mail address.")), email_address],
    )


def plain_token(text: str | None) -> str:
    """A name for one sending: what the page gave, else (a program's request, or nonsense) a new one."""
    return text if text and TOKEN.fullmatch(text) else new_token()


class OnceForm(Form):
    """A form whose one sending is known by `submission`, so that a second press of its button changes nothing."""

    submission = HiddenField(default=new_token, filters=[plain_token])


class ProfileForm(Form):
    """A person's own facts."""

    name = name_field(lazy_gettext("Name"), lazy_gettext("Write your name."))
    phone = TelField(lazy_gettext("Phone"), filters=[stripped])
    birth_date = DateField(lazy_gettext("Date of birth"), validators=[Optional()])
    language = SelectField(lazy_gettext("Language of mails"))

    def __init__(self, *args: Any, languages: list[str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.language.choices = [SelectChoice(code, LANGUAGES[code]) for code in languages]

    def validate_phone(self, field: TelField) -> None:
        if field.data and not PHONE.fullmatch(field.data):
            raise ValidationError(lazy_gettext("Write a phone number such as 040 123 4567."))


class IdentityForm(OnceForm):
    """What a document says of a person."""

    email = email_field(lazy_gettext("E-mail of the account"))
    name = name_field(lazy_gettext("Name in the document"), lazy_gettext("Write the name."))
    birth_date = DateField(
        lazy_gettext("Date of birth in the document"),
        validators=[DataRequired(message=lazy_gettext("Write the date of birth."))],
    )


class OrganisationForm(Form):
    """A new organisation."""

    kind = SelectField(lazy_gettext("Kind of organisation"))
    name = name_field(
        lazy_gettext("Name of the organisation"), lazy_gettext("Write the organisation's name.")
    )
    business_id = StringField(lazy_gettext("Business ID"), filters=[stripped])

    def __init__(self, *args: Any, is_staff: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        kinds = [kind for kind in ORGANISATION_KINDS if is_staff or kind not in FOUNDED_BY_STAFF]
        self.kind.choices = [SelectChoice(kind, KIND_LABELS[kind]) for kind in kinds]


class InvitationForm(OnceForm):
    """Whom to invite, and to what."""

    email = EmailField(
        lazy_gettext("E-mail of the person"),
        validators=[DataRequired(message=lazy_gettext("Write the person's e-mail address.")), email_address],
    )
    role = SelectField(lazy_gettext("Role"), choices=ROLE_CHOICES, default="booker")


class RoleForm(Form):
    """A member's new role."""

    role = SelectField(lazy_gettext("Role"), choices=ROLE_CHOICES)
