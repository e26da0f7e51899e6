"""The shape of what the pages of saved searches send."""

from wtforms import StringField

from marketplace.web.forms import Form


class PlainForm(Form):
    """Only the token against forged requests."""


class NameForm(Form):
    name = StringField()


class NoticesForm(Form):
    notify = StringField()
