"""The form of a place's accessibility: three answers for each fact, and a few numbers."""

from typing import Any

from wtforms import IntegerField, RadioField, SelectChoice  # type: ignore[attr-defined]  # older stubs
from wtforms.validators import NumberRange, Optional

from marketplace.accounts.forms import OnceForm
from marketplace.web.i18n import gettext, lazy_gettext
from spaces.catalog.accessibility import FACTS_OF_GROUP, MEASURE_OF_FACT, MEASURES, Known
from spaces.catalog.vocabulary import ACCESSIBILITY

ANSWERS = ("yes", "no", "")


class AccessForm(OnceForm):
    """A radio group named after each fact, a number named after each measure."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        texts = {"yes": gettext("Yes"), "no": gettext("No"), "": gettext("Not told")}
        for code in ACCESSIBILITY:
            self[code].choices = [SelectChoice(answer, texts[answer]) for answer in ANSWERS]

    def fill(self, known: Known) -> None:
        for code in ACCESSIBILITY:
            self[code].data = known.answer(code)
        for name in MEASURES:
            self[name].data = known.measures.get(name)

    def groups(self) -> list[tuple[str, list[tuple[Any, Any]]]]:
        """(group, fields of each fact and of its measure), in the order of arriving."""
        return [
            (
                group,
                [(self[code], self[name] if (name := MEASURE_OF_FACT.get(code)) else None) for code in codes],
            )
            for group, codes in FACTS_OF_GROUP.items()
        ]

    def answered(self, answer: str) -> list[str]:
        return [code for code in ACCESSIBILITY if self[code].data == answer]

    def measured(self) -> dict[str, int]:
        return {name: self[name].data for name in MEASURES if self[name].data is not None}


for _code, _label in ACCESSIBILITY.items():
    setattr(AccessForm, _code, RadioField(lazy_gettext(_label), default=""))
for _name, _measure in MEASURES.items():
    setattr(
        AccessForm,
        _name,
        IntegerField(
            lazy_gettext(_measure.label), validators=[Optional(), NumberRange(_measure.least, _measure.most)]
        ),
    )
