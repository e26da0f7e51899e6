"""Shapes of the pages' input: a space's rule, and what somebody says of a booking."""

from flask_babel import lazy_gettext
from wtforms import (  # type: ignore[attr-defined]  # the stubs are older than SelectChoice
    HiddenField,
    IntegerField,
    RadioField,
    SelectChoice,
)
from wtforms.validators import AnyOf, NumberRange

from bookings.attendance.models import SpaceAttendance
from bookings.attendance.rules import LEAST_MINUTES, MODES, MOST_MINUTES
from marketplace.errors import N_
from marketplace.web.forms import Form

MODE_LABELS = {
    "off": N_("No check-in"),
    "wanted": N_("Wanted: people say that they have come, and nothing happens if they do not"),
    "required": N_("Required: if nobody comes, the booking is given up and others may have the time"),
}
SAYINGS = ("here", "not_here", "no_show", "came_after_all")
WHOLE = lazy_gettext("Write a whole number of minutes from 5 to 120.")


class AttendanceForm(Form):
    mode = RadioField(
        lazy_gettext("Check-in"),
        choices=[SelectChoice(mode, lazy_gettext(MODE_LABELS[mode])) for mode in MODES],
    )
    release_minutes = IntegerField(
        lazy_gettext("Given up after, minutes"),
        validators=[NumberRange(min=LEAST_MINUTES, max=MOST_MINUTES, message=WHOLE)],
    )

    def read(self) -> bool:
        """Whether the form can be acted on, with one plain sentence for what is no number."""
        valid: bool = self.validate_on_submit()
        if self.release_minutes.data is None:
            self.release_minutes.errors = [str(WHOLE)]
        return valid


def attendance_form(kept: SpaceAttendance) -> AttendanceForm:
    form = AttendanceForm(formdata=None)
    form.mode.data, form.release_minutes.data = kept.mode, kept.release_minutes
    return form


class SayingForm(Form):
    """What somebody at the door says of one booking."""

    says = HiddenField(validators=[AnyOf(SAYINGS)])


class ArrivalForm(Form):
    reference = HiddenField()
