"""The form by which a handler books for a customer."""

from datetime import date, datetime, time
from typing import Any

from flask_babel import lazy_gettext
from wtforms import (  # type: ignore[attr-defined]  # the stubs are older than SelectChoice
    BooleanField,
    EmailField,
    SelectChoice,
    SelectField,
    StringField,
    TelField,
    TextAreaField,
    ValidationError,
)
from wtforms.validators import DataRequired, Length

from bookings.desk.forms import read_clock
from bookings.lifecycle.forms import REASON_MAX, TEXT_MAX, plain_text, read_day, read_whole
from marketplace.accounts.forms import PHONE, OnceForm, email_address, plain_words, stripped
from marketplace.cities.models import City
from marketplace.timespan import Span, instant
from marketplace.web.i18n import LANGUAGES
from spaces.calendar.rules import DAY

MOST_DAYS = 62
SHORT = lazy_gettext("Say it in 200 characters.")


class CustomerForm(OnceForm):
    """Who phones, when they come, and what they pay. A space of whole days is booked by `days` instead of hours."""

    email = EmailField(
        lazy_gettext("Customer’s e-mail"),
        validators=[
            DataRequired(message=lazy_gettext("Write the customer’s e-mail address.")),
            email_address,
        ],
    )
    name = StringField(
        lazy_gettext("Name"),
        filters=[stripped],
        validators=[Length(max=100, message=lazy_gettext("At most 100 characters.")), plain_words],
    )
    phone = TelField(lazy_gettext("Phone"), filters=[stripped])
    language = SelectField(lazy_gettext("Language of mails"))
    organisation = StringField(
        lazy_gettext("Organisation"), filters=[stripped], validators=[Length(max=TEXT_MAX, message=SHORT)]
    )
    on = StringField(lazy_gettext("Day"), filters=[plain_text])
    clock = StringField(lazy_gettext("Begins at"), filters=[plain_text])
    ends = StringField(lazy_gettext("Ends at"), filters=[plain_text])
    days = StringField(lazy_gettext("Days"), filters=[plain_text], default="1")
    attendees = StringField(lazy_gettext("How many come?"), filters=[plain_text])
    purpose = StringField(
        lazy_gettext("What are they arranging?"),
        filters=[plain_text],
        validators=[Length(max=TEXT_MAX, message=SHORT)],
    )
    note = TextAreaField(
        lazy_gettext("Message to the customer"),
        filters=[plain_text],
        validators=[Length(max=REASON_MAX, message=lazy_gettext("Say it in 1,000 characters."))],
    )
    is_free = BooleanField(lazy_gettext("Free of charge by our decision"))
    free_reason = StringField(
        lazy_gettext("Why is it free?"),
        filters=[plain_text],
        validators=[Length(max=TEXT_MAX, message=SHORT)],
    )

    def __init__(self, *args: Any, city: City, today: date, whole_days: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.city, self.today, self.whole_days = city, today, whole_days
        self.language.choices = [SelectChoice(code, LANGUAGES[code]) for code in city.languages]

    def validate_phone(self, field: TelField) -> None:
        if field.data and not PHONE.fullmatch(field.data):
            raise ValidationError(lazy_gettext("Write a phone number such as 040 123 4567."))

    def validate_on(self, field: StringField) -> None:
        if self.day is None:
            raise ValidationError(lazy_gettext("Write a date, such as 2026-12-01."))

    def validate_clock(self, field: StringField) -> None:
        if not self.whole_days and read_clock(field.data or "") is None:
            raise ValidationError(lazy_gettext("Write a time, such as 18.00."))

    def validate_ends(self, field: StringField) -> None:
        if not self.whole_days and read_clock(field.data or "") is None:
            raise ValidationError(lazy_gettext("Write a time, such as 18.00."))

    def validate_days(self, field: StringField) -> None:
        if self.whole_days and not 1 <= (read_whole(field.data) or 0) <= MOST_DAYS:
            raise ValidationError(lazy_gettext("Write a whole number of days from 1 to 62."))

    def validate_attendees(self, field: StringField) -> None:
        if field.data and read_whole(field.data) is None:
            raise ValidationError(lazy_gettext("Write a whole number, such as 12."))

    def validate_free_reason(self, field: StringField) -> None:
        if self.is_free.data and not field.data:
            raise ValidationError(lazy_gettext("Write why. The customer reads it beside the price."))

    @property
    def day(self) -> date | None:
        return read_day(self.on.data or "", today=self.today)

    @property
    def people(self) -> int | None:
        return read_whole(self.attendees.data)

    @property
    def hours(self) -> Span | None:
        """Of a space booked by hours, the wall-clock times; an end before the beginning is the next day's. None where
        they cannot be read, or where the clocks leave nothing between them."""
        begins, ends = read_clock(self.clock.data or ""), read_clock(self.ends.data or "")
        if self.day is None or begins is None or ends is None:
            return None
        if begins == ends != time(0):  # a slip; only midnight to midnight means the whole day
            return None
        until = self.day + DAY if ends <= begins else self.day
        start, end = instant(self.day, begins, self.city.zone), instant(until, ends, self.city.zone)
        return Span(start, end) if start < end else None

    def fill(self, values: Any, *, now: datetime) -> None:
        """The day and hour that the address names, else those of the next full hour."""
        here = now.astimezone(self.city.zone)
        asked = read_day(values.get("day", ""), today=self.today)
        begins = read_clock(values.get("clock", "")) or time(min(here.hour + 1, 22))
        ends = (
            read_clock(values.get("ends", "")) or time(begins.hour + 1, begins.minute)
            if begins.hour < 23
            else time(0)
        )
        self.on.data = (asked or self.today).isoformat()
        self.clock.data, self.ends.data = f"{begins.hour}.{begins:%M}", f"{ends.hour}.{ends:%M}"
