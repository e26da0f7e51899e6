"""The form by which somebody is added to a booking."""

from flask_babel import lazy_gettext
from wtforms import EmailField, StringField, ValidationError

from bookings.lifecycle.forms import plain_text, read_whole
from marketplace.accounts.emails import normalised_email
from marketplace.web.forms import Form


class PersonForm(Form):
    """A member from the list, or an address; an address that is written counts first."""

    member = StringField(lazy_gettext("Member of the organisation"), filters=[plain_text])
    email = EmailField(lazy_gettext("E-mail address"), filters=[plain_text])

    def validate_email(self, field: EmailField) -> None:
        if field.data and normalised_email(field.data) is None:
            raise ValidationError(lazy_gettext("Write an address such as name@example.org."))

    @property
    def address(self) -> str | None:
        return normalised_email(self.email.data) if self.email.data else None

    @property
    def member_id(self) -> int | None:
        return read_whole(self.member.data)
