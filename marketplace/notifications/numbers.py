"""Mobile numbers as people write them and as they are kept.

Numbering plans change every month somewhere; `phonenumbers` follows them (Google's libphonenumber) and knows which numbers
are mobile ones, which ones cost their caller, and to which country one of a shared code belongs.
"""

from collections.abc import Collection

from phonenumbers import (
    NumberParseException,
    PhoneNumberFormat,
    PhoneNumberType,
    format_number,
    is_valid_number,
    number_type,
    parse,
    region_code_for_number,
)

from marketplace.errors import N_, FieldError, Invalid

LONGEST = 40
REACHED = {PhoneNumberType.MOBILE, PhoneNumberType.FIXED_LINE_OR_MOBILE}


def read_number(text: str, *, country: str, allowed: Collection[str]) -> str:
    """E.164, such as +358401234567, of what somebody typed; without a country code it is of `country`.

    `allowed` are the countries that text messages are sent to (ISO 3166 alpha-2). Raises Invalid at `number`: no number,
    no mobile one, or one of another country.
    """
    try:
        number = parse(text[:LONGEST], country)
    except NumberParseException:
        raise unreadable() from None
    if len(text) > LONGEST or number.extension or not is_valid_number(number):
        raise unreadable()
    if number_type(number) not in REACHED:
        raise Invalid(
            FieldError(
                "number", "not-mobile", N_("Text messages do not reach this number. Write a mobile number.")
            )
        )
    if region_code_for_number(number) not in allowed:
        raise Invalid(
            FieldError(
                "number",
                "country-not-served",
                N_("We do not send text messages to the country of this number."),
            )
        )
    return format_number(number, PhoneNumberFormat.E164)


def unreadable() -> Invalid:
    return Invalid(
        FieldError(
            "number",
            "no-number",
            N_("Write a mobile number such as 040 123 4567, or with its country code +46 70 123 45 67."),
        )
    )


def shown_number(number: str, *, country: str) -> str:
    """A kept number as people write it in `country`: 040 1234567, and abroad +46 70 123 45 67."""
    parsed = parse(number)
    at_home = region_code_for_number(parsed) == country
    return format_number(parsed, PhoneNumberFormat.NATIONAL if at_home else PhoneNumberFormat.INTERNATIONAL)


def masked(number: str) -> str:
    """Enough of a kept number to know one's own by, for the audit trail and mails: the country code and two digits."""
    return f"+{parse(number).country_code} … {number[-2:]}"
