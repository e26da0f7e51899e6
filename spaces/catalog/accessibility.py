"""What is known of a place's accessibility, and whom it suits: pure, over the codes of the vocabulary.

A fact is told to hold, told not to hold, or not told; what nobody has told is never taken for an answer. A place suits a
viewpoint only when everything that its rule needs is told, and nothing that it excludes. The rules are open: pages and
the API's document show them as they stand here.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from marketplace.db import Localised
from marketplace.errors import N_, FieldError
from spaces.catalog.accessibility_texts import MEASURED, SENTENCES
from spaces.catalog.vocabulary import ACCESSIBILITY

# In the order in which one arrives. Imported sentences of no known group go under "other", with their own heading.
GROUPS = {
    "parking": N_("Arrival and parking"),
    "route": N_("Route to the entrance"),
    "entrance": N_("Entrance"),
    "interior": N_("Inside"),
    "toilet": N_("Toilet"),
    "changing": N_("Changing room and shower"),
    "hearing": N_("Hearing"),
    "other": N_("More"),
}
FACTS_OF_GROUP = {
    "parking": ("accessible_parking", "drop_off"),
    "route": ("accessible_route", "guide_path"),
    "entrance": ("step_free_entrance", "ramp", "wide_doors", "automatic_doors", "clear_entrance"),
    "interior": ("step_free_interior", "lift", "clear_signs", "tactile_signs", "contrast_markings"),
    "toilet": ("accessible_toilet",),
    "changing": ("accessible_changing_room", "accessible_shower"),
    "hearing": ("induction_loop",),
}
GROUP_OF_FACT = {code: group for group, codes in FACTS_OF_GROUP.items() for code in codes}
MOST_SENTENCES = 100
LONGEST_SENTENCE = 2000


@dataclass(frozen=True)
class Measure:
    """A number that goes with a fact. Up to `at_most`, or from `at_least` on, it agrees with the fact; beyond, it denies
    it. `settles` says that the number alone tells the fact."""

    fact: str
    label: str
    least: int
    most: int
    at_least: int | None = None
    at_most: int | None = None
    settles: bool = False
    clash: str = ""  # what is said where the fact and the number contradict each other

    def agrees(self, number: int) -> bool:
        return (self.at_least is None or number >= self.at_least) and (
            self.at_most is None or number <= self.at_most
        )


MEASURES = {
    "parking_places": Measure(
        "accessible_parking",
        N_("Number of accessible parking spaces"),
        1,
        1000,
        at_least=1,
        settles=True,
        clash=N_("You tell a number of spaces, and that there are none."),
    ),
    # Government Decree 241/2017 (Finland) on accessible buildings, section 2: 5 % outdoors.
    "route_slope_percent": Measure(
        "accessible_route",
        N_("Steepest slope of the route, %"),
        0,
        50,
        at_most=5,
        clash=N_("A route that is steeper than five per cent is not an accessible one."),
    ),
    # The register's own sentences part thresholds at 2 cm.
    "threshold_cm": Measure(
        "step_free_entrance",
        N_("Height of the threshold, cm"),
        0,
        50,
        at_most=2,
        clash=N_("An entrance with a threshold over 2 cm is not step-free."),
    ),
    # 80 cm was the least for doors of public buildings until Decree 241/2017 made it 85 cm for new ones.
    "door_cm": Measure(
        "wide_doors",
        N_("Clear width of the door, cm"),
        40,
        400,
        at_least=80,
        settles=True,
        clash=N_("A door is wide enough for a wheelchair from 80 cm on."),
    ),
    "toilet_turning_cm": Measure(
        "accessible_toilet",
        N_("Free space for turning in the toilet, cm"),
        50,
        500,
        clash=N_("You tell the space of an accessible toilet, and that there is none."),
    ),
}
MEASURE_OF_FACT = {measure.fact: name for name, measure in MEASURES.items()}


@dataclass(frozen=True)
class Viewpoint:
    """Whom a place suits: all of `needs`, one of each of `one_of`, and none of `never` told to be missing."""

    label: str
    rule: str  # the same in words
    needs: tuple[str, ...]
    one_of: tuple[tuple[str, ...], ...] = ()
    never: tuple[str, ...] = ()


VIEWPOINTS = {
    "wheelchair": Viewpoint(
        N_("Wheelchair user"),
        N_(
            "An accessible toilet, a step-free entrance or a ramp, no steps inside or a lift. "
            "The route and the doors are not told to be unsuitable."
        ),
        needs=("accessible_toilet",),
        one_of=(("step_free_entrance", "ramp"), ("step_free_interior", "lift")),
        never=("accessible_route", "wide_doors"),
    ),
    "rollator": Viewpoint(
        N_("Rollator or pram"),
        N_(
            "A step-free entrance or a ramp, no steps inside or a lift. The route is not told to be unsuitable."
        ),
        needs=(),
        one_of=(("step_free_entrance", "ramp"), ("step_free_interior", "lift")),
        never=("accessible_route",),
    ),
    "poor_sight": Viewpoint(
        N_("Poor sight"),
        N_(
            "An entrance that is easy to see, clear signs, and a guiding path, signs to be felt or contrast markings."
        ),
        needs=("clear_entrance", "clear_signs"),
        one_of=(("guide_path", "tactile_signs", "contrast_markings"),),
    ),
    "hearing_aid": Viewpoint(N_("Hearing aid"), N_("An induction loop."), needs=("induction_loop",)),
}


def suited(has: Collection[str], lacks: Collection[str]) -> list[str]:
    """The viewpoints that a place with these facts suits."""
    return [
        code
        for code, point in VIEWPOINTS.items()
        if all(fact in has for fact in point.needs)
        and all(any(fact in has for fact in some) for some in point.one_of)
        and not any(fact in lacks for fact in point.never)
    ]


def array(codes: Iterable[str]) -> str:
    return "ARRAY[" + ", ".join(f"'{code}'" for code in codes) + "]::text[]"


def viewpoint_sql(code: str, has: str, lacks: str) -> str:
    """The rule of a viewpoint as an SQL condition over two text arrays. Nothing but codes of this file is in it."""
    point = VIEWPOINTS[code]
    parts = [f"{has} @> {array(point.needs)}"] if point.needs else []
    parts += [f"{has} && {array(some)}" for some in point.one_of]
    parts += [f"NOT {lacks} && {array(point.never)}"] if point.never else []
    return "(" + " AND ".join(parts) + ")"


@dataclass(frozen=True)
class Sentence:
    """What a register has written, kept as it is. `codes` and `denied` are the facts that it states, where known;
    `heading` is the register's own name of a group that is not one of ours."""

    group: str
    texts: Localised
    source: str
    codes: tuple[str, ...] = ()
    denied: tuple[str, ...] = ()
    heading: Localised | None = None

    def as_json(self) -> dict[str, Any]:
        found: dict[str, Any] = {"group": self.group, "texts": dict(self.texts), "source": self.source}
        found |= {"codes": list(self.codes)} if self.codes else {}
        found |= {"denied": list(self.denied)} if self.denied else {}
        return found | ({"heading": dict(self.heading)} if self.heading else {})

    @classmethod
    def of_json(cls, value: Mapping[str, Any]) -> "Sentence":
        """As `as_json` made it."""
        return cls(
            value["group"],
            value["texts"],
            value["source"],
            tuple(value.get("codes", ())),
            tuple(value.get("denied", ())),
            value.get("heading"),
        )

    def holds(self, has: Collection[str], lacks: Collection[str]) -> bool:
        """Whether no fact that is told by now contradicts it: the owner's word is the newer one."""
        return not (set(self.codes) & set(lacks) or set(self.denied) & set(has))


@dataclass(frozen=True)
class Known:
    """All that is told of one place."""

    has: tuple[str, ...]
    lacks: tuple[str, ...]
    measures: Mapping[str, int]
    sentences: tuple[Sentence, ...]

    @property
    def suits(self) -> list[str]:
        return suited(self.has, self.lacks)

    def answer(self, code: str) -> str:
        """yes, no, or nothing where nobody has told."""
        return "yes" if code in self.has else "no" if code in self.lacks else ""


def known_of(venue: Any) -> Known:
    """What the row of a venue tells."""
    return Known(
        tuple(venue.accessibility),
        tuple(venue.accessibility_lacks),
        venue.accessibility_measures,
        tuple(Sentence.of_json(value) for value in venue.accessibility_sentences),
    )


@dataclass(frozen=True)
class Told:
    """A group of the page: its code or a register's own heading, and what is said."""

    group: str
    heading: Localised | None
    sentences: tuple[Localised, ...]


def told_groups(known: Known) -> list[Told]:
    """What the page says, in the order of arriving. A fact that a register's own sentence states is not said twice."""
    kept = [sentence for sentence in known.sentences if sentence.holds(known.has, known.lacks)]
    stated = {code for sentence in kept for code in (*sentence.codes, *sentence.denied)}
    found: list[Told] = []
    for group, codes in FACTS_OF_GROUP.items():
        texts = [sentence.texts for sentence in kept if sentence.group == group]
        for code in codes:
            texts += fact_texts(known, code, is_stated=code in stated)
        if texts:
            found.append(Told(group, None, tuple(texts)))
    headed: dict[tuple[tuple[str, str], ...], list[Localised]] = {}
    for sentence in kept:
        if sentence.group not in FACTS_OF_GROUP:
            headed.setdefault(tuple(sorted((sentence.heading or {}).items())), []).append(sentence.texts)
    found += [Told("other", dict(heading) or None, tuple(texts)) for heading, texts in headed.items()]
    return found


def fact_texts(known: Known, code: str, *, is_stated: bool) -> list[Localised]:
    """The sentence of a fact, and that of its measure."""
    answer = known.answer(code)
    texts = [SENTENCES[code][answer == "no"]] if answer and not is_stated else []
    name = MEASURE_OF_FACT.get(code)
    if name is not None and (number := known.measures.get(name)) is not None:
        texts.append({lang: text % {"number": number} for lang, text in MEASURED[name].items()})
    return texts


def untold_groups(known: Known) -> list[str]:
    """The groups of which nobody has told anything."""
    told = {told.group for told in told_groups(known)}
    return [
        group
        for group, codes in FACTS_OF_GROUP.items()
        if group not in told and not any(known.answer(code) for code in codes)
    ]


def in_order(codes: Iterable[str]) -> list[str]:
    """In the vocabulary's order, so that the same facts are the same list."""
    chosen = set(codes)
    return [code for code in ACCESSIBILITY if code in chosen]


def settled(
    has: Collection[str], lacks: Collection[str], measures: Mapping[str, int]
) -> tuple[list[str], list[str]]:
    """The facts with those that a number alone tells: a door of 70 cm is no wide one."""
    yes, no = set(has), set(lacks)
    for name, number in measures.items():
        measure = MEASURES[name]
        if measure.fact in yes | no:
            continue
        if not measure.agrees(number):
            no.add(measure.fact)
        elif measure.settles:
            yes.add(measure.fact)
    return in_order(yes), in_order(no)


def problems(has: Collection[str], lacks: Collection[str], measures: Mapping[str, int]) -> list[FieldError]:
    """What contradicts itself or is no sensible number; the field is that of the measure, or of the fact."""
    found = [
        FieldError(code, "contradiction", N_("This is told to be there and not to be there."))
        for code in in_order(set(has) & set(lacks))
    ]
    for name, number in measures.items():
        measure = MEASURES[name]
        if not measure.least <= number <= measure.most:
            found.append(
                FieldError(
                    name,
                    "out-of-range",
                    N_("Write a whole number from %(least)d to %(most)d."),
                    (("least", measure.least), ("most", measure.most)),
                )
            )
        elif is_clash(measure, number, has, lacks):
            found.append(FieldError(name, "contradiction", measure.clash))
    return found


def is_clash(measure: Measure, number: int, has: Collection[str], lacks: Collection[str]) -> bool:
    """A number against the fact it goes with. One that may not settle it (a low threshold beside steps) denies nothing."""
    if not measure.agrees(number):
        return measure.fact in has
    has_bounds = measure.at_least is not None or measure.at_most is not None
    return measure.fact in lacks and (measure.settles or not has_bounds)


def sentence_problem(sentences: Sequence[Sentence]) -> str | None:
    """Why these sentences cannot be kept, in English, or None."""
    if len(sentences) > MOST_SENTENCES:
        return f"{len(sentences)} sentences are more than {MOST_SENTENCES}"
    for sentence in sentences:
        if sentence.group not in GROUPS:
            return f"the group {sentence.group!r} is not one of {', '.join(GROUPS)}"
        if not any(sentence.texts.values()):
            return "a sentence has no text in any language"
        if any(len(text) > LONGEST_SENTENCE for text in sentence.texts.values()):
            return f"a sentence is longer than {LONGEST_SENTENCE} characters"
        for code in (*sentence.codes, *sentence.denied):
            if code not in ACCESSIBILITY:
                return f"{code!r} is not one of the city's words"
    return None
