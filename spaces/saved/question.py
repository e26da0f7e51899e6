"""A saved question: kept as the arguments of the search page's address, and read again by that page's own reader."""

from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any

from sqlalchemy.orm import Session
from werkzeug.datastructures import MultiDict

from marketplace.cities.models import City
from spaces.saved.rules import LONGEST_NAME
from spaces.search.forms import Asked, read_asked
from spaces.search.present import tags_of
from spaces.search.question import Question
from spaces.search.times import When
from spaces.search.when_text import write_when

# These alone ask for nothing.
NO_QUESTION = {"sort", "minutes"}


@dataclass(frozen=True)
class Kept:
    """A question as it is saved: its arguments, and in words."""

    params: dict[str, list[str]]
    summary: str
    question: Question

    @property
    def asks_something(self) -> bool:
        return bool(self.params.keys() - NO_QUESTION)

    @property
    def name(self) -> str:
        return self.summary[:LONGEST_NAME]


def kept_of(asked: Asked, city: City) -> Kept:
    """The question in the one form in which it is kept: every date with its year, since it is read again later."""
    args: dict[str, Any] = dict(asked.args)
    question = replace(asked.question, page=1)
    if (when := when_of(question)) is not None:
        # As seen from long ago each date is so far off that its year is written.
        args["when"] = write_when(when, date.min)
    params = {
        name: [str(v) for v in value] if isinstance(value, list) else [str(value)]
        for name, value in sorted(args.items())
        if value and name != "page"
    }
    words = [args.get("q"), args.get("where"), args.get("when"), asked.fields["people"]]
    labels = [tag.label for tag in tags_of(asked, city)]
    return Kept(params, " · ".join(str(text) for text in (*words, *labels) if text), question)


def when_of(question: Question) -> When | None:
    if question.day is None:
        return None
    return When(
        question.day,
        question.start_minute,
        question.end_minute,
        last_day=question.last_day,
        weekdays=question.weekdays,
    )


def read_params(session: Session, city: City, params: dict[str, list[str]], *, now: datetime) -> Asked:
    """The question that these arguments ask now, in the reader's language."""
    args = MultiDict([(name, value) for name, values in params.items() for value in values])
    return read_asked(session, city, args, now=now)


def is_readable(asked: Asked) -> bool:
    """Whether all that was saved is still asked: what is left out would find more than was wished for."""
    return not asked.errors and not asked.notes
