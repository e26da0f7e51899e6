"""Forms of signing in and of one's own password and address."""

from flask_babel import lazy_gettext
from wtforms import BooleanField, PasswordField, StringField, TelField
from wtforms.validators import DataRequired, InputRequired, Regexp

from marketplace.accounts.forms import OnceForm, email_field, name_field
from marketplace.errors import Invalid
from marketplace.identity.passwords import password_problem
from marketplace.web.forms import Form

MISSING_PASSWORD = lazy_gettext("Write your password.")
MISSING_NEW_PASSWORD = lazy_gettext("Choose a password.")


class SignInForm(Form):
    email = email_field()
    password = PasswordField(lazy_gettext("Password"), validators=[InputRequired(message=MISSING_PASSWORD)])


class LinkForm(OnceForm):
    """An address to mail a link to."""

    email = email_field()


class NewPasswordForm(Form):
    """`password` is checked against the rules with whose it is."""

    password = PasswordField(
        lazy_gettext("New password"), validators=[InputRequired(message=MISSING_NEW_PASSWORD)]
    )

    def accepts(self, *, name: str, email: str) -> bool:
        """Whether the typed password may be this person's; else the reason stands at the field."""
        problem = password_problem(self.password.data or "", name=name, email=email)
        if problem is not None:
            self.show(Invalid(problem))
        return problem is None


class RegisterForm(NewPasswordForm, OnceForm):
    name = name_field(lazy_gettext("Name"), lazy_gettext("Write your name."))
    email = email_field()
    password = PasswordField(
        lazy_gettext("Password"), validators=[InputRequired(message=MISSING_NEW_PASSWORD)]
    )


class ChangePasswordForm(NewPasswordForm):
    """With the present password, where there is one."""

    current = PasswordField(lazy_gettext("Present password"))


class ChangeAddressForm(OnceForm):
    email = email_field(lazy_gettext("New e-mail"))
    current = PasswordField(lazy_gettext("Present password"))


class NumberForm(OnceForm):
    """A mobile number to send a code to."""

    number = TelField(
        lazy_gettext("Mobile number"),
        validators=[DataRequired(message=lazy_gettext("Write your mobile number."))],
    )


class CodeForm(Form):
    """The code of a text message, as people type it: with blanks or without."""

    code = StringField(
        lazy_gettext("Code"),
        filters=[lambda text: "".join((text or "").split())],
        validators=[Regexp(r"[0-9]{6}\Z", message=lazy_gettext("Write the six digits of the message."))],
    )


class OffersForm(Form):
    wants_offers = BooleanField(
        lazy_gettext("Send me the offers of waiting lists by text message as well as by mail")
    )


class PlainForm(OnceForm):
    """A button alone."""
