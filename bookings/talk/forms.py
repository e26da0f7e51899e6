"""The form of a message."""

from flask_babel import lazy_gettext
from wtforms import BooleanField, HiddenField, TextAreaField, ValidationError

from bookings.lifecycle.forms import SUBMISSION, new_submission, plain_text
from bookings.talk.rules import TEXT_MAX
from marketplace.web.forms import Form


def plain_lines(text: str | None) -> str:
    """As `plain_text`, with a browser's two characters for the end of a line as one, so that what it counts is counted."""
    return plain_text((text or "").replace("\r\n", "\n").replace("\r", "\n"))


class MessageForm(Form):
    """`question` lets the request wait for the answer; only those who handle it see that field."""

    text = TextAreaField(lazy_gettext("Message"), filters=[plain_lines])
    question = BooleanField(lazy_gettext("Let the request wait for the answer"))
    submission = HiddenField()

    def validate_text(self, field: TextAreaField) -> None:
        if not field.data:
            raise ValidationError(lazy_gettext("Write the message."))
        if len(field.data) > TEXT_MAX:
            raise ValidationError(lazy_gettext("Say it in 2,000 characters."))

    def validate_submission(self, field: HiddenField) -> None:
        if not SUBMISSION.fullmatch(field.data or ""):
            field.data = new_submission()
            raise ValidationError(lazy_gettext("The form did not arrive whole. Send it again."))


def empty_form() -> MessageForm:
    form = MessageForm(formdata=None)
    form.submission.data = new_submission()
    return form
