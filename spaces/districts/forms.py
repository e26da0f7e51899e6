"""The form that asks for the home district."""

from collections.abc import Sequence
from typing import Any

from wtforms import SelectField

from marketplace.web.forms import Form
from marketplace.web.i18n import gettext, lazy_gettext, localised
from spaces.districts.models import District


class HomeDistrictForm(Form):
    """One choice; the empty one forgets the district."""

    district = SelectField(lazy_gettext("Home district"))

    def __init__(self, districts: Sequence[District], *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        named = sorted(
            ((localised(d.names), str(d.id)) for d in districts), key=lambda pair: pair[0].casefold()
        )
        self.district.choices = [("", gettext("Not told")), *((value, name) for name, value in named)]

    @property
    def chosen(self) -> int | None:
        return int(self.district.data) if self.district.data else None
