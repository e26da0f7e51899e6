"""A place's accessibility in cells of a table, and how what a file tells meets what is stored."""

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from spaces.catalog.accessibility import MEASURES, Sentence, in_order, settled
from spaces.transfer.errors import RecordBroken
from spaces.transfer.listing import Listing, check_access
from spaces.transfer.text import LANGUAGES, plain_text

MEASURED = "accessibility_measures"
SENTENCES = "accessibility_sentences"
COLUMNS = ("accessibility", "accessibility_lacks", MEASURED, SENTENCES)
KEYS = frozenset({"group", "texts", "source", "codes", "denied", "heading"})


def measures_text(measures: Mapping[str, int]) -> str:
    """door_cm=95, threshold_cm=2"""
    return ", ".join(f"{name}={measures[name]}" for name in MEASURES if name in measures)


def read_measures(text: str) -> dict[str, int]:
    """Raises RecordBroken for the field "accessibility_measures"."""
    found: dict[str, int] = {}
    for piece in re.split(r"[;,\n]", text):
        if not piece.strip():
            continue
        name, equals, number = (part.strip() for part in piece.partition("="))
        if not equals or name not in MEASURES:
            raise RecordBroken(
                MEASURED, f"{piece.strip()!r} is not like door_cm=95; known are {', '.join(MEASURES)}"
            )
        if not re.fullmatch(r"\d{1,4}", number, re.ASCII):
            raise RecordBroken(MEASURED, f"{name}={number[:20]} is no whole number")
        if name in found:
            raise RecordBroken(MEASURED, f"{name} occurs twice")
        found[name] = int(number)
    return found


def sentences_text(sentences: Iterable[Sentence]) -> str:
    """A JSON list; nothing where there are none."""
    values = [sentence.as_json() for sentence in sentences]
    return json.dumps(values, ensure_ascii=False) if values else ""


def read_sentences(text: str) -> tuple[Sentence, ...] | None:
    """None where the cell tells nothing; [] takes all away. Raises RecordBroken for the field "accessibility_sentences"."""
    if not text.strip():
        return None
    try:
        values = json.loads(text)
    except (ValueError, RecursionError):
        raise RecordBroken(SENTENCES, f"{text[:30]!r} is no JSON list") from None
    if not isinstance(values, list):
        raise RecordBroken(SENTENCES, "should be a JSON list")
    return tuple(read_sentence(at, value) for at, value in enumerate(values, start=1))


def read_sentence(at: int, value: Any) -> Sentence:
    if not isinstance(value, dict) or not {"group", "texts", "source"} <= value.keys() <= KEYS:
        raise RecordBroken(SENTENCES, f"sentence {at} should have group, texts and source")
    codes, denied = (value.get(name, []) for name in ("codes", "denied"))
    if not all(
        isinstance(some, list) and all(isinstance(code, str) for code in some) for some in (codes, denied)
    ):
        raise RecordBroken(SENTENCES, f"sentence {at}: codes and denied should be lists of words")
    if not all(isinstance(value[name], str) and 0 < len(value[name]) <= 40 for name in ("group", "source")):
        raise RecordBroken(SENTENCES, f"sentence {at}: group and source should be words")
    heading = value.get("heading")
    return Sentence(
        value["group"],
        read_texts(at, value["texts"]),
        value["source"],
        tuple(codes),
        tuple(denied),
        read_texts(at, heading) if heading is not None else None,
    )


def read_texts(at: int, value: Any) -> dict[str, str]:
    if not isinstance(value, dict) or not all(
        language in LANGUAGES and isinstance(text, str) for language, text in value.items()
    ):
        raise RecordBroken(SENTENCES, f"sentence {at}: texts should have fi, sv and en")
    return {language: text for language in LANGUAGES if (text := plain_text(value.get(language, "")))}


def tells_access(told: Listing) -> bool:
    """A source that says nothing of accessibility leaves what is stored."""
    if told.told is not None:
        return any(name in told.told for name in COLUMNS)
    return bool(
        told.accessibility
        or told.accessibility_lacks
        or told.accessibility_measures
        or told.accessibility_sentences
    )


def with_access(told: Listing, stored: Listing | None) -> Listing:
    """The listing with all of the place's accessibility as it is to be stored. Raises RecordBroken for a contradiction
    between what the file tells and what stays."""
    if stored is None:
        return with_facts(told, told)
    if not tells_access(told):
        return replace(told, **{name: getattr(stored, name) for name in COLUMNS})
    merged = of_register(told, stored) if told.told is None else of_columns(told, stored)
    return with_facts(told, merged)


def with_facts(told: Listing, facts: Listing) -> Listing:
    check_access(facts)
    yes, no = settled(facts.accessibility, facts.accessibility_lacks, facts.accessibility_measures)
    return replace(
        told,
        accessibility=tuple(yes),
        accessibility_lacks=tuple(no),
        accessibility_measures=facts.accessibility_measures,
        accessibility_sentences=facts.accessibility_sentences,
    )


def of_columns(told: Listing, stored: Listing) -> Listing:
    """What our own columns tell; a fact told one way leaves the other list by itself."""
    speaks = frozenset(told.told or ())
    facts = replace(stored, **{name: getattr(told, name) for name in COLUMNS if name in speaks})
    if "accessibility" in speaks and "accessibility_lacks" not in speaks:
        no = [code for code in stored.accessibility_lacks if code not in told.accessibility]
        return replace(facts, accessibility_lacks=tuple(no))
    if "accessibility_lacks" in speaks and "accessibility" not in speaks:
        yes = [code for code in stored.accessibility if code not in told.accessibility_lacks]
        return replace(facts, accessibility=tuple(yes))
    return facts


def of_register(told: Listing, stored: Listing) -> Listing:
    """What a register tells beside the owner's own answers: those that its sentences of last time did not state."""
    if told.accessibility_sentences or stored.accessibility_sentences:
        stated = {code for one in stored.accessibility_sentences for code in one.codes}
        denied = {code for one in stored.accessibility_sentences for code in one.denied}
    else:
        # A register of codes alone: what it leaves out is there no more.
        stated, denied = set(stored.accessibility), set(told.accessibility)
    own_yes = set(stored.accessibility) - stated
    own_no = set(stored.accessibility_lacks) - denied
    return replace(
        told,
        accessibility=tuple(in_order((set(told.accessibility) - own_no) | own_yes)),
        accessibility_lacks=tuple(in_order((set(told.accessibility_lacks) - own_yes) | own_no)),
        accessibility_measures={**stored.accessibility_measures, **told.accessibility_measures},
    )
