"""Pure decisions about a space's rules: the digest of its terms, what a choice is called, what cannot stand together."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from marketplace.errors import N_, FieldError

LANGUAGES = ("fi", "sv", "en")
MOST_QUESTIONS = 12
MOST_FILES = 3
MOST_OPTIONS = 20
LARGEST_NUMBER = 10**12
PARTS = {"members": "member", "trusted": "trusted"}


@dataclass(frozen=True)
class AskedQuestion:
    """A question as its owner puts it; `id` is that of the question it replaces, if any."""

    kind: str
    labels: Mapping[str, str]
    helps: Mapping[str, str] = field(default_factory=dict)
    required: bool = True
    options: tuple[Mapping[str, str], ...] = ()
    least: int | None = None
    most: int | None = None
    id: int | None = None

    def told(self) -> dict[str, Any]:
        """As the audit trail keeps it."""
        values = {
            "kind": self.kind,
            "labels": dict(self.labels),
            "helps": dict(self.helps),
            "required": self.required,
            "options": [dict(option) for option in self.options],
            "least": self.least,
            "most": self.most,
        }
        return {name: value for name, value in values.items() if value not in ({}, [], None)}


def version_of(terms: Mapping[str, str]) -> str | None:
    """The digest that names these terms; None where there are none."""
    texts = {code: text for code, text in terms.items() if text}
    if not texts:
        return None
    plain = json.dumps(texts, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(plain.encode()).hexdigest()[:32]


def option_key(option: Mapping[str, str]) -> str:
    """What a form sends for a choice: its text in the first language that has one, so that a choice whose words have
    changed meanwhile is no longer the same."""
    return next((option[code] for code in (*LANGUAGES, *option) if option.get(code)), "")


def rule_problems(facts: Mapping[str, Any]) -> list[FieldError]:
    """What of the numbers cannot stand together."""
    problems = []
    if is_above(facts["min_age"], facts["max_age"]):
        problems.append(FieldError("max_age", "order", N_("The highest age is below the lowest.")))
    least, most = facts["attendees_min"], facts["attendees_max"]
    if is_above(least, most):
        problems.append(
            FieldError("attendees_max", "order", N_("The largest number of people is below the least."))
        )
    if is_above(least, facts["capacity"]):
        problems.append(
            FieldError("attendees_min", "capacity", N_("The space holds fewer people than this."))
        )
    hours = facts["quota_hours"]
    if hours is not None and hours * 60 < facts["min_minutes"]:
        text = N_("The shortest booking is longer than this, so nobody could book.")
        problems.append(FieldError("quota_hours", "order", text))
    return problems


def is_above(least: int | None, most: int | None) -> bool:
    return least is not None and most is not None and least > most


def who_problems(facts: Mapping[str, Any], *, members: int, trusted: int) -> list[FieldError]:
    """A rule that would let in nobody, or trust nobody, is a mistake."""
    problems = []
    if facts["who"] == "members" and not members:
        text = N_("Name the organisations whose members may book.")
        problems.append(FieldError("members", "missing", text))
    if facts["approval"] == "trusted" and not trusted and not facts["trusted_groups"]:
        text = N_("Name the organisations that you trust, or choose a customer group.")
        problems.append(FieldError("trusted", "missing", text))
    return problems


def question_problems(questions: Sequence[AskedQuestion]) -> list[FieldError]:
    """What is wrong with the questions; each field begins with the question's place, "question-1-labels"."""
    problems = []
    if len(questions) > MOST_QUESTIONS:
        values = (("most", MOST_QUESTIONS),)
        problems.append(FieldError("questions", "many", N_("At most %(most)d questions are asked."), values))
    if sum(question.kind == "file" for question in questions) > MOST_FILES:
        values = (("most", MOST_FILES),)
        problems.append(FieldError("questions", "files", N_("At most %(most)d files are asked for."), values))
    for n, question in enumerate(questions, 1):
        if not any(question.labels.values()):
            problems.append(FieldError(f"question-{n}-labels", "missing", N_("Write the question.")))
        problems += [
            FieldError(f"question-{n}-{name}", code, text) for name, code, text in kind_problems(question)
        ]
    return problems


def kind_problems(question: AskedQuestion) -> list[tuple[str, str, str]]:
    """(field, code, text) of what the kind of this question needs."""
    if question.kind == "choice":
        keys = [option_key(option) for option in question.options]
        if len(keys) < 2:
            return [("options", "few", N_("Write at least two choices, one on each line."))]
        if len(keys) > MOST_OPTIONS:
            return [("options", "many", N_("Write at most 20 choices."))]
        if len(set(keys)) < len(keys):
            return [("options", "twice", N_("Each choice is written once."))]
    if question.kind == "number" and is_above(question.least, question.most):
        return [("most", "order", N_("The largest number is below the least."))]
    return []
