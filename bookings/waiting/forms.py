"""The form by which one joins the line."""

from datetime import date, datetime, time

from flask_babel import lazy_gettext
from wtforms import StringField, ValidationError
from wtforms.validators import Length

from bookings.lifecycle.forms import TEXT_MAX, plain_text, read_whole
from marketplace.cities.models import City
from marketplace.timespan import Span, instant
from marketplace.web.forms import Form


class WaitingForm(Form):
    """The window of days and hours in which the person can come, whom it is for, how many come."""

    first = StringField(lazy_gettext("From"), filters=[plain_text])
    opens = StringField(lazy_gettext("Not before"), filters=[plain_text])
    until = StringField(lazy_gettext("Until"), filters=[plain_text])
    closes = StringField(lazy_gettext("Not after"), filters=[plain_text])
    organisation = StringField(lazy_gettext("For whom?"))
    attendees = StringField(lazy_gettext("How many come?"), filters=[plain_text])
    purpose = StringField(
        lazy_gettext("What are you arranging?"),
        filters=[plain_text],
        validators=[Length(max=TEXT_MAX, message=lazy_gettext("Say it in 200 characters."))],
    )

    def fill(self, wished: Span, city: City, *, people: str) -> None:
        """The wished time itself."""
        start, end = wished.start.astimezone(city.zone), wished.end.astimezone(city.zone)
        self.first.data, self.opens.data = start.date().isoformat(), f"{start:%H:%M}"
        self.until.data, self.closes.data = end.date().isoformat(), f"{end:%H:%M}"
        self.attendees.data = people if read_whole(people) is not None else ""

    def validate_attendees(self, field: StringField) -> None:
        if field.data and read_whole(field.data) is None:
            raise ValidationError(lazy_gettext("Write a whole number, such as 12."))

    def validate_first(self, field: StringField) -> None:
        if read_moment(field.data, self.opens.data) is None:
            raise ValidationError(lazy_gettext("Choose a day and a time."))

    def validate_until(self, field: StringField) -> None:
        if read_moment(field.data, self.closes.data) is None:
            raise ValidationError(lazy_gettext("Choose a day and a time."))

    @property
    def people(self) -> int | None:
        return read_whole(self.attendees.data)

    def window(self, city: City) -> Span | None:
        """What the fields say, or None with an error beside the last of them where it is no stretch of time."""
        first, last = (
            read_moment(self.first.data, self.opens.data),
            read_moment(self.until.data, self.closes.data),
        )
        if first is None or last is None:
            return None
        start = instant(first.date(), first.time(), city.zone)
        end = instant(last.date(), last.time(), city.zone)
        if end <= start:
            self.until.errors = [lazy_gettext("The end must be after the beginning.")]
            return None
        return Span(start, end)


def read_moment(day: str | None, clock: str | None) -> datetime | None:
    """A day and a time of day as a date picker and a clock give them; years far off are mistakes."""
    try:
        found = datetime.combine(date.fromisoformat(day or ""), time.fromisoformat(clock or ""))
    except ValueError:
        return None
    return found.replace(second=0, microsecond=0) if 2020 <= found.year <= 2120 and not found.tzinfo else None
