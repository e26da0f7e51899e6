"""The Helsinki accessibility register's sentences: kept as they are, and the facts that they state outright.

The register writes its sentences from a fixed set in three languages; the English ones are looked at. A sentence that
doubts ("a lift cramped for wheelchair users") states nothing. What one sentence affirms of the whole, another may deny of
a part (a pool area without a toilet of its own): the affirmation counts.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from spaces.catalog.accessibility import LONGEST_SENTENCE, MOST_SENTENCES, Sentence, in_order
from spaces.transfer.errors import RecordBroken
from spaces.transfer.text import LANGUAGES, kind_of, text_field

FIELD = "accessibility_sentences"
# The register's groups in English, the first match decides; what matches none keeps its own heading.
GROUPS = (
    (r"parking|arrival|pick-up|drop-off", "parking"),
    (r"route", "route"),
    (r"entrance", "entrance"),
    (r"dressing|changing|shower|sauna", "changing"),
    (r"toilet|\bwc\b", "toilet"),
    (r"hearing|induction|auditor", "hearing"),
    (r"facility|interior|indoor|service", "interior"),
)
# (code, group where it is said or None, what states it, what denies it).
STATEMENTS = (
    (
        "accessible_parking",
        None,
        r"\baccessible parking (?:space|spot|place)s?\b",
        r"\bno accessible parking\b",
    ),
    ("drop_off", None, r"\b(?:drop-off|pick-up|setting down)\b.*\b(?:area|place|point)\b", None),
    (
        "accessible_route",
        "route",
        r"\broute to the entrance is (?:smooth|even)\b",
        r"\broute to the entrance is (?:rough|uneven|steep|narrow)\b",
    ),
    (
        "guide_path",
        "route",
        r"\bguid(?:ing|es?|ance)\b.*\b(?:surface|strip|path|visually)\b",
        r"\bno guid(?:ing|ance)\b",
    ),
    (
        "step_free_entrance",
        "entrance",
        r"\bno (?:differences in level|thresholds|steps)\b|\bstep-free\b|\bat street level\b",
        r"\bthresholds? over 2 cm\b|\b\d+ (?:consecutive )?steps?\b|\bhas (?:stairs|steps)\b",
    ),
    ("ramp", "entrance", r"\b(?:a|the) (?:fixed |gentle |wooden |metal )?ramp\b", r"\bno ramp\b"),
    (
        "automatic_doors",
        "entrance",
        r"\bdoors? opens? automatically\b|\bopen automatically\b|\bautomatic doors?\b",
        None,
    ),
    (
        "clear_entrance",
        "entrance",
        r"\bentrance stands out clearly\b",
        r"\bentrance (?:does not stand|is difficult|is hard)\b",
    ),
    (
        "lift",
        "interior",
        r"\bthere is an? (?:spacious |suitable |accessible )?lift\b(?! cramped)",
        r"\bno lift\b|\bnot have a lift\b",
    ),
    ("step_free_interior", "interior", r"\bno steps\b", r"\bwalkways have \d+\b.*\bsteps?\b"),
    (
        "clear_signs",
        "interior",
        r"\bhas (?:clear )?(?:directions|signs) to the different\b",
        r"\bno (?:directions|signs) to\b",
    ),
    ("tactile_signs", None, r"\b(?:raised letters|braille|tactile (?:signs?|map))\b", None),
    ("contrast_markings", None, r"\bcontrast(?:ing)? (?:marking|stripe|strip)s?\b", None),
    (
        "accessible_toilet",
        None,
        r"\bhas an accessible toilet\b|\baccessible toilet is (?:located|available)\b",
        r"\bdoes not have an accessible toilet\b|\baccessible toilet is not available\b|\bno accessible toilet\b",
    ),
    (
        "accessible_changing_room",
        None,
        r"\bhas an accessible (?:dressing|changing) room\b",
        r"\bnot have an accessible (?:dressing|changing) room\b|\bno accessible (?:dressing|changing) room\b",
    ),
    ("accessible_shower", None, r"\baccessible (?:showering spot|shower)\b", r"\bno accessible shower\b"),
    (
        "induction_loop",
        None,
        r"\binduction loop\b",
        r"\b(?:no|not have an?) induction loop\b|\binduction loop is not\b",
    ),
)
COMPILED = tuple(
    (code, group, re.compile(yes, re.IGNORECASE), re.compile(no, re.IGNORECASE) if no else None)
    for code, group, yes, no in STATEMENTS
)
DENIAL = re.compile(
    r"\b(?:not|no|without)\b.{0,30}(?:available|have|accessible|induction|automatic)", re.IGNORECASE
)


@dataclass(frozen=True)
class Facts:
    """What the sentences of one place state, and the sentences."""

    has: tuple[str, ...]
    lacks: tuple[str, ...]
    sentences: tuple[Sentence, ...]


def register_facts(value: Any, *, source: str) -> Facts:
    """Raises RecordBroken where the sentences have another shape."""
    if value is None:
        return Facts((), (), ())
    if not isinstance(value, list):
        raise RecordBroken(FIELD, f"should be a list, not {kind_of(value)}")
    sentences = [
        sentence
        for one in value[:MOST_SENTENCES]
        if isinstance(one, Mapping) and (sentence := sentence_of(one, source)) is not None
    ]
    stated = {code for one in sentences for code in one.codes}
    denied = {code for one in sentences for code in one.denied} - stated
    # A denial of a part does not deny the whole, so it is no fact that an answer could contradict.
    kept = [
        replace(one, denied=tuple(code for code in one.denied if code not in stated)) for one in sentences
    ]
    return Facts(tuple(in_order(stated)), tuple(in_order(denied)), tuple(kept))


def sentence_of(record: Mapping[str, Any], source: str) -> Sentence | None:
    texts = {
        language: text[:LONGEST_SENTENCE]
        for language in LANGUAGES
        if (text := " ".join(text_field(record, f"sentence_{language}").split()))
    }
    if not texts:
        return None
    headings = {
        language: text
        for language in LANGUAGES
        if (text := " ".join(text_field(record, f"sentence_group_{language}").split())[:200])
    }
    group = group_of(headings.get("en", ""))
    codes, denied = facts_of(texts.get("en", ""), group)
    return Sentence(group, texts, source, codes, denied, (headings or None) if group == "other" else None)


def group_of(heading: str) -> str:
    """One of our groups; "other" for a heading of which we know none."""
    if re.search(r"sport|pool|library|exercise", heading, re.IGNORECASE):
        return "other"
    return next((group for pattern, group in GROUPS if re.search(pattern, heading, re.IGNORECASE)), "other")


def facts_of(text: str, group: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """(codes that the sentence states, codes that it denies). A code with a group of its own is only said there, or where
    the register gives no heading that we know."""
    stated, denied = set(), set()
    for part in text.split(". "):
        for code, where, yes, no in COMPILED:
            if where is not None and group not in {where, "other"}:
                continue
            if no is not None and no.search(part):
                denied.add(code)
            elif yes.search(part) and not is_denial(code, part):
                stated.add(code)
    return tuple(in_order(stated)), tuple(in_order(denied - stated))


def is_denial(code: str, part: str) -> bool:
    """ "Not available" says no, "no steps" says yes."""
    return code not in {"step_free_entrance", "step_free_interior"} and DENIAL.search(part) is not None
