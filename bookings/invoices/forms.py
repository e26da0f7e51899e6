"""Shape of the forms of invoices: an organisation's terms, the seller's details, a payment, a credit note, cost objects."""

import re
from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any

from flask_babel import lazy_gettext
from stdnum import bic, iban
from stdnum.exceptions import ValidationError as WrongNumber
from stdnum.fi import alv
from wtforms import (  # type: ignore[attr-defined]  # the stubs are older than SelectChoice
    DateField,
    Field,
    HiddenField,
    IntegerField,
    RadioField,
    SelectChoice,
    SelectField,
    StringField,
    TextAreaField,
    ValidationError,
)
from wtforms.validators import DataRequired, InputRequired, Length, NumberRange, Optional

from bookings.invoices.queries import ListFilter
from bookings.invoices.rules import STATES
from marketplace.accounts.business_id import normalised
from marketplace.accounts.emails import normalised_email
from marketplace.accounts.forms import UNSEEN, OnceForm, stripped
from marketplace.web.forms import Form
from marketplace.web.i18n import LANGUAGES
from spaces.pricing.forms import NOT_AN_AMOUNT, read_amount, read_date

E_ADDRESS = re.compile(r"[0-9A-Z:._-]{8,35}")
OPERATOR = re.compile(r"[0-9A-Z]{6,20}")
CODE = re.compile(r"[0-9A-Za-z._/-]{0,24}")
POSTCODE = re.compile(r"[0-9A-Za-z -]{3,10}")
LONGEST = 35  # characters of a line of an address, in Finvoice too


def plain(form: Form, field: Field) -> None:
    if UNSEEN.search(field.data or ""):
        raise ValidationError(lazy_gettext("Write it without special characters."))


def line(label: Any, *, most: int = LONGEST, missing: Any = None) -> StringField:
    """One line of text, needed where `missing` says what is missing."""
    validators: list[Any] = [DataRequired(message=missing)] if missing else [Optional()]
    validators += [Length(max=most, message=lazy_gettext("At most %(num)s characters.", num=most)), plain]
    return StringField(label, filters=[stripped], validators=validators)


def pressed(text: str | None) -> str | None:
    """Without blanks, in capitals: how numbers of accounts and addresses are kept."""
    return "".join(text.split()).upper() if text else text


def some_email(form: Form, field: Field) -> None:
    if field.data:
        found = normalised_email(field.data)
        if found is None:
            raise ValidationError(lazy_gettext("Write an e-mail address such as name@example.org."))
        field.data = found


def e_address_field() -> StringField:
    return StringField(lazy_gettext("E-invoice address (OVT)"), filters=[pressed])


def e_operator_field() -> StringField:
    return StringField(lazy_gettext("E-invoice operator"), filters=[pressed])


class EInvoiceForm(Form):
    """Where an e-invoice goes: both the address and the operator, or neither."""

    e_address = e_address_field()
    e_operator = e_operator_field()

    def validate_e_address(self, field: Field) -> None:
        if field.data and not E_ADDRESS.fullmatch(field.data):
            raise ValidationError(lazy_gettext("Write an e-invoice address such as 003712345678."))
        if self.e_operator.data and not field.data:
            raise ValidationError(lazy_gettext("Write the address too, or leave the operator empty."))

    def validate_e_operator(self, field: Field) -> None:
        if field.data and not OPERATOR.fullmatch(field.data):
            raise ValidationError(lazy_gettext("Write the operator’s code, such as 003721291126."))
        if self.e_address.data and not field.data:
            raise ValidationError(lazy_gettext("Write the operator too, or leave the address empty."))


class TermsForm(EInvoiceForm):
    """How an organisation wishes its invoices."""

    recipient = line(lazy_gettext("Person or office"))
    street = line(
        lazy_gettext("Street address or PO box"), missing=lazy_gettext("Write the billing address.")
    )
    postcode = line(lazy_gettext("Postcode"), most=10, missing=lazy_gettext("Write the postcode."))
    locality = line(lazy_gettext("Town"), missing=lazy_gettext("Write the town."))
    email = StringField(lazy_gettext("E-mail for invoices"), filters=[stripped], validators=[some_email])
    buyer_reference = line(lazy_gettext("Your own reference"), most=70)
    rhythm = RadioField(
        lazy_gettext("How often"),
        choices=[
            SelectChoice("at_once", lazy_gettext("An invoice for each booking, at once")),
            SelectChoice("monthly", lazy_gettext("One invoice a month, for the month before")),
        ],
        default="at_once",
    )
    language = SelectField(lazy_gettext("Language of invoices"))

    def __init__(self, *args: Any, languages: list[str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.language.choices = [SelectChoice(code, LANGUAGES[code]) for code in languages]

    def validate_postcode(self, field: Field) -> None:
        if not POSTCODE.fullmatch(field.data or ""):
            raise ValidationError(lazy_gettext("Write a postcode such as 00530."))

    def values(self) -> dict[str, Any]:
        names = (
            "recipient",
            "street",
            "postcode",
            "locality",
            "e_address",
            "e_operator",
            "email",
            "buyer_reference",
            "rhythm",
            "language",
        )
        return {name: self[name].data or "" for name in names}


class SellerForm(EInvoiceForm):
    """In whose name invoices are and to which account they are paid."""

    name = line(lazy_gettext("Name on invoices"), most=70, missing=lazy_gettext("Write the name."))
    business_id = StringField(lazy_gettext("Business ID"), filters=[stripped])
    vat_number = StringField(lazy_gettext("VAT number"), filters=[pressed])
    street = line(lazy_gettext("Street address or PO box"), missing=lazy_gettext("Write the address."))
    postcode = line(lazy_gettext("Postcode"), most=10, missing=lazy_gettext("Write the postcode."))
    locality = line(lazy_gettext("Town"), missing=lazy_gettext("Write the town."))
    email = StringField(lazy_gettext("E-mail"), filters=[stripped], validators=[some_email])
    phone = line(lazy_gettext("Phone"))
    iban = StringField(lazy_gettext("Account number (IBAN)"), filters=[pressed])
    bic = StringField(lazy_gettext("Bank’s BIC"), filters=[pressed])
    payment_days = IntegerField(
        lazy_gettext("Days to pay"),
        default=14,
        validators=[
            InputRequired(message=lazy_gettext("Write a number of days from 0 to 90.")),
            NumberRange(min=0, max=90, message=lazy_gettext("Write a number of days from 0 to 90.")),
        ],
    )
    late_fi = line(lazy_gettext("When paid late, in Finnish"), most=70)
    late_sv = line(lazy_gettext("When paid late, in Swedish"), most=70)
    late_en = line(lazy_gettext("When paid late, in English"), most=70)

    def validate_postcode(self, field: Field) -> None:
        if not POSTCODE.fullmatch(field.data or ""):
            raise ValidationError(lazy_gettext("Write a postcode such as 00530."))

    def validate_business_id(self, field: Field) -> None:
        found = normalised(field.data or "")
        if found is None:
            raise ValidationError(lazy_gettext("Write a business ID such as 0201256-6."))
        field.data = found

    def validate_vat_number(self, field: Field) -> None:
        if field.data and not (field.data.startswith("FI") and alv.is_valid(field.data)):
            raise ValidationError(lazy_gettext("Write a VAT number such as FI02012566."))

    def validate_iban(self, field: Field) -> None:
        try:
            field.data = iban.validate(field.data or "")
        except WrongNumber as error:
            raise ValidationError(
                lazy_gettext("Write an account number such as FI21 1234 5600 0007 85.")
            ) from error

    def validate_bic(self, field: Field) -> None:
        try:
            field.data = bic.validate(field.data or "")
        except WrongNumber as error:
            raise ValidationError(lazy_gettext("Write a BIC such as NDEAFIHH.")) from error

    def values(self) -> dict[str, Any]:
        names = (
            "name",
            "business_id",
            "vat_number",
            "street",
            "postcode",
            "locality",
            "email",
            "phone",
            "iban",
            "bic",
            "e_address",
            "e_operator",
        )
        return {
            **{name: self[name].data or "" for name in names},
            "payment_days": self.payment_days.data,
            "late_texts": {
                code: self[f"late_{code}"].data for code in LANGUAGES if self[f"late_{code}"].data
            },
        }


class PaymentForm(OnceForm):
    """Money that came for an invoice; with a minus what went back."""

    amount = StringField(lazy_gettext("Amount"), filters=[stripped])
    paid_on = DateField(
        lazy_gettext("Day"), validators=[DataRequired(message=lazy_gettext("Choose the day."))]
    )
    bank_reference = line(lazy_gettext("The bank’s archive reference"), most=35)

    def validate_amount(self, field: Field) -> None:
        if self.amount_minor is None:
            raise ValidationError(lazy_gettext(NOT_AN_AMOUNT))

    @property
    def amount_minor(self) -> int | None:
        """Minor units; None for what is no amount."""
        text = (self.amount.data or "").replace("\u2212", "-")
        found = read_amount(text.removeprefix("-"))
        return -found if found is not None and text.startswith("-") else found


class CreditForm(Form):
    """Why something is credited; the parts are read by `read_parts`. `seen` is what was credited when the form was made."""

    reason = TextAreaField(
        lazy_gettext("Reason, shown on the credit note"),
        filters=[stripped],
        validators=[
            DataRequired(message=lazy_gettext("Write the reason.")),
            Length(max=200, message=lazy_gettext("At most %(num)s characters.", num=200)),
            plain,
        ],
    )
    seen = HiddenField()


def read_parts(given: Mapping[str, str], positions: Iterable[int]) -> dict[int, int | None]:
    """What is to be credited of each line, in minor units; None where it is no amount, 0 where nothing is written."""
    texts = {n: str(given.get(f"part_{n}", "")).strip() for n in positions}
    return {n: read_amount(text) if text else 0 for n, text in texts.items()}


class CostForm(Form):
    """Cost object of an owner's places, or of one of them."""

    place = SelectField(lazy_gettext("For which places"))
    cost_centre = StringField(lazy_gettext("Cost centre"), filters=[stripped])
    internal_order = StringField(lazy_gettext("Internal order"), filters=[stripped])
    gl_account = StringField(lazy_gettext("G/L account"), filters=[stripped])

    def validate_cost_centre(self, field: Field) -> None:
        if not CODE.fullmatch(field.data or ""):
            raise ValidationError(lazy_gettext("Write a code of at most 24 letters and digits."))

    validate_internal_order = validate_cost_centre
    validate_gl_account = validate_cost_centre

    @property
    def owner_and_venue(self) -> tuple[int, int | None]:
        owner, _, venue = str(self.place.data).partition(":")
        return int(owner), int(venue) if venue else None

    def values(self) -> dict[str, str]:
        return {name: self[name].data or "" for name in ("cost_centre", "internal_order", "gl_account")}


def read_filter(given: Mapping[str, str]) -> ListFilter:
    """What the address of the list asks for; what makes no sense asks for nothing."""
    state = given.get("state", "")
    return ListFilter(
        q=" ".join(given.get("q", "")[:100].replace("\x00", "").split()),
        state=state if state in {*STATES, "credit_note"} else "",
        first=day(given.get("first", "")),
        last=day(given.get("last", "")),
    )


def day(text: str) -> date | None:
    return read_date(text[:20])
