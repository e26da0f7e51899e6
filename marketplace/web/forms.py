"""The base of HTML forms: WTForms with Flask-WTF's CSRF token and messages in the reader's language."""

from typing import Any

from flask_wtf import FlaskForm
from wtforms import Field

from marketplace.errors import Invalid
from marketplace.web.i18n import reader_language
from marketplace.web.problems import field_message


class Form(FlaskForm):  # type: ignore[misc]  # flask_wtf ships no types
    """A form whose fields can also show an action's refusal."""

    form_errors: list[str]

    class Meta(FlaskForm.Meta):  # type: ignore[misc]
        @property
        def locales(self) -> list[str]:
            return [reader_language()]

        cache_translations = False

        def get_translations(self, form: Any) -> Any:
            from wtforms.i18n import get_translations  # noqa: PLC0415 - Flask-WTF would look for Flask-Babel's own

            return get_translations(self.locales)

    def show(self, refusal: Invalid) -> None:
        """Put the refusal's messages beside the fields they are about; the rest goes above the form."""
        for error in refusal.fields:
            if error.field in self._fields:
                field: Field = self._fields[error.field]
                field.errors = [*field.errors, field_message(error)]
            else:
                self.form_errors = [*self.form_errors, field_message(error)]

    def all_errors(self) -> list[tuple[str, str]]:
        """(field id, text) of every error, in the order of the fields, for the summary above the form."""
        found = [("", str(text)) for text in self.form_errors]
        for field in self:
            found.extend((field.id, str(text)) for text in field.errors)
        return found
