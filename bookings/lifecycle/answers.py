"""What a space asks its booker: the answers, whether they will do, and how a booking keeps them."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from marketplace.db import Localised
from marketplace.errors import N_, FieldError
from spaces.catalog.models import SpaceQuestion
from spaces.rules.rules import option_key

LONGEST_ANSWER = 2000
MOST_FILE_BYTES = 10 * 1024 * 1024
NUMBER = re.compile(r"[-\u2212]?\d{1,13}", re.ASCII)
# What a file begins with says what it is, whatever its name says.
BEGINNINGS = (
    (b"%PDF-", "application/pdf"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"\x89PNG\r\n\x1a\n", "image/png"),
)
UNSEEN = re.compile(r"[\x00-\x1f\x7f\u200b-\u200f\u2028-\u202e\u2066-\u2069/\\]")
LONGEST_NAME = 120


@dataclass(frozen=True)
class KeptFile:
    """A file in the store; `name` is what its owner calls it."""

    key: str
    name: str
    content_type: str
    bytes: int


@dataclass(frozen=True)
class SentFile(KeptFile):
    """A file on its way to the store, with its content; it has no key yet."""

    data: bytes


Given = str | KeptFile


def field_of(question: SpaceQuestion) -> str:
    """The name of the question's field in a form."""
    return f"question_{question.id}"


def content_type_of(data: bytes) -> str | None:
    """What a file is by its content; None for a kind that is not taken."""
    for beginning, kind in BEGINNINGS:
        if data.startswith(beginning):
            return kind
    return "image/webp" if data[:4] == b"RIFF" and data[8:12] == b"WEBP" else None


def plain_name(name: str | None) -> str:
    """A file's name without folders and letters that nobody sees; the end is kept, since it tells the kind."""
    last = re.split(r"[/\\]", name or "")[-1]
    return UNSEEN.sub("", last).strip(" .")[-LONGEST_NAME:] or "file"


def read_number(text: str) -> int | None:
    """A whole number as people write it, or None."""
    plain = re.sub(r"[\s\u00a0\u202f]", "", text)
    return int(plain.replace("\u2212", "-")) if NUMBER.fullmatch(plain) else None


def is_empty(given: Given | None) -> bool:
    return given is None or (isinstance(given, str) and not given.strip())


def answer_problems(questions: Iterable[SpaceQuestion], given: Mapping[int, Given]) -> list[FieldError]:
    """What is missing or will not do, by field."""
    return [error for question in questions if (error := problem_of(question, given.get(question.id)))]


def problem_of(question: SpaceQuestion, given: Given | None) -> FieldError | None:
    field = field_of(question)
    if given is None or is_empty(given):
        if not question.required:
            return None
        text = N_("Choose a file.") if question.kind == "file" else N_("Answer this question.")
        return FieldError(field, "answer-missing", text)
    if question.kind == "file" or not isinstance(given, str):
        fits = question.kind == "file" and isinstance(given, KeptFile)
        return None if fits else FieldError(field, "answer-wrong", N_("Choose a file."))
    if question.kind == "choice":
        offered = {option_key(option) for option in question.options}
        return None if given in offered else FieldError(field, "not-offered", N_("Choose one of these."))
    if question.kind == "number":
        return number_problem(question, field, given)
    if len(given) > LONGEST_ANSWER:
        return FieldError(field, "too-long", N_("Say it in 2,000 characters."))
    return None


def number_problem(question: SpaceQuestion, field: str, given: str) -> FieldError | None:
    number = read_number(given)
    if number is None:
        return FieldError(field, "not-a-number", N_("Write a whole number, such as 12."))
    if question.least is not None and number < question.least:
        return FieldError(field, "too-small", N_("At least %(least)d."), (("least", question.least),))
    if question.most is not None and number > question.most:
        return FieldError(field, "too-large", N_("At most %(most)d."), (("most", question.most),))
    return None


def answer_rows(questions: Sequence[SpaceQuestion], given: Mapping[int, Given]) -> list[dict[str, Any]]:
    """The columns of each answer that was given, with its question as it is now."""
    rows = []
    for position, question in enumerate(questions, 1):
        answer = given.get(question.id)
        if answer is None or is_empty(answer):
            continue
        row: dict[str, Any] = {
            "position": position,
            "kind": question.kind,
            "labels": dict(question.labels),
            "words": "",
            "choice": {},
        }
        if isinstance(answer, KeptFile):
            row |= {
                "file_key": answer.key,
                "file_name": answer.name,
                "file_type": answer.content_type,
                "file_bytes": answer.bytes,
            }
        elif question.kind == "choice":
            row["choice"] = next(dict(o) for o in question.options if option_key(o) == answer)
        else:
            row["words"] = str(read_number(answer)) if question.kind == "number" else answer.strip()
        rows.append(row)
    return rows


class Answered(Protocol):
    """An answer as a booking keeps it."""

    kind: str
    labels: Localised
    words: str
    choice: Localised
    file_key: str | None
    file_name: str | None
    file_type: str | None
    file_bytes: int | None


def given_again(questions: Iterable[SpaceQuestion], kept: Iterable[Answered]) -> dict[int, Given]:
    """What was answered to those of the questions that are still asked in the same words: `answer_rows` turned round."""
    by_question = {(one.kind, tuple(sorted(one.labels.items()))): one for one in kept}
    found: dict[int, Given] = {}
    for question in questions:
        answer = by_question.get((question.kind, tuple(sorted(question.labels.items()))))
        if answer is None:
            continue
        if answer.file_key is not None:
            found[question.id] = KeptFile(
                answer.file_key, answer.file_name or "", answer.file_type or "", answer.file_bytes or 0
            )
        else:
            found[question.id] = option_key(answer.choice) if question.kind == "choice" else answer.words
    return found
