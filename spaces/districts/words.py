"""Districts in what people write: "Kalliossa", "lähellä Kalliota", "i Hagnäs", "near Töölö".

Finnish place names are inflected by rule, so the forms of each known name are made rather than guessed from the text:
a strong and a weak stem (Kamppi: Kampissa, but Kamppiin), and the endings of the singular and plural cases. Letters are
folded (ä to a, ö to o, å to a), because many people type without dots; vowel harmony then needs no care. Forms that no
one would write do no harm, since they are only looked up.
"""

import re
import unicodedata
from collections.abc import Container, Iterable, Iterator, Mapping
from dataclasses import dataclass

VOWELS = "aeiouy"
# The cases that take the weak stem, and those that take the strong one (illative apart); folded letters.
WEAK_ENDINGS = ("n", "ssa", "sta", "lla", "lta", "lle", "ksi", "tta", "t")
STRONG_ENDINGS = ("a", "ta", "na", "ne")
PLURAL_WEAK = ("ssa", "sta", "lla", "lta", "lle", "ksi", "t")
PLURAL_STRONG = ("in", "hin", "a", "ta", "en", "den", "tten", "na")
CLITICS = ("", "kin", "kaan", "han", "ko")
# Nouns that end compound names and lose or change more than a letter.
GRADATION = (
    ("kk", "k"),
    ("pp", "p"),
    ("tt", "t"),
    ("nk", "ng"),
    ("nt", "nn"),
    ("mp", "mm"),
    ("lt", "ll"),
    ("rt", "rr"),
    ("ht", "hd"),
)
SIDES = frozenset(
    "etu taka etela pohjois ita lansi keski ala yla uusi vanha meri"
    " framre bortre sodra norra ostra vastra mellersta nedre ovre gamla nya".split()
)
# A shorter name would be found in every second sentence: Ås folds to "as".
SHORTEST = 3
# A shorter word is one letter from too many others: kallis is no Kallio.
NEAR_FROM = 7
WORD = re.compile(r"[^\W\d_]+(?:[-'’][^\W\d_]+)*", re.UNICODE)


@dataclass(frozen=True)
class Found:
    """A name in a text: whose it is, and where it stands."""

    key: int
    start: int
    end: int


def folded(text: str) -> str:
    """Lower case without diacritics, so that Käpylä, KÄPYLÄ and Kapyla are one."""
    flat = unicodedata.normalize("NFD", text.casefold())
    return (
        "".join(letter for letter in flat if not unicodedata.combining(letter))
        .replace("ø", "o")
        .replace("æ", "a")
    )


LETTERS = "abcdefghijklmnopqrstuvwxyzåäö"


def near_words(word: str, known: Container[str]) -> list[str]:
    """Known words that one letter left out, put in, changed or swapped with its neighbour makes of this one, sorted."""
    splits = [(word[:at], word[at:]) for at in range(len(word) + 1)]
    edits = {head + tail[1:] for head, tail in splits if tail}
    edits |= {head + tail[1] + tail[0] + tail[2:] for head, tail in splits if len(tail) > 1}
    for letter in LETTERS:
        edits.update(head + letter + tail[1:] for head, tail in splits if tail)
        edits.update(head + letter + tail for head, tail in splits)
    return sorted(edit for edit in edits if edit != word and edit in known)


def weakened(stem: str) -> str:
    """The weak grade of a stem that ends in a vowel: kamppi, kampi; ranta, ranna; haka, haa; maki, mae."""
    head, vowel = stem[:-1], stem[-1]
    for strong, weak in GRADATION:
        if head.endswith(strong):
            return head.removesuffix(strong) + weak + vowel
    if len(head) > 1 and head[-1] in "ktp" and head[-2] in VOWELS + "lr":
        soft = {"k": "", "t": "d", "p": "v"}[head[-1]]
        return head[:-1] + soft + vowel
    return stem


def stems(name: str) -> Iterator[tuple[str, str]]:
    """Strong and weak stem of a folded Finnish name; several where the spelling does not decide."""
    if name.endswith("nen"):
        yield name[:-3] + "se", name[:-3] + "se"
    elif name.endswith("s"):
        yield name[:-1] + "kse", name[:-1] + "kse"
        yield name + "i", name + "i"
    elif name[-1] not in VOWELS:
        yield name + "i", name + "i"
    else:
        yield name, name
        yield name, weakened(name)
        if name.endswith("i"):
            # Old words turn i into e: saari, saaressa; maki, maessa; lahti, lahdessa.
            yield name[:-1] + "e", name[:-1] + "e"
            yield name[:-1] + "e", weakened(name[:-1] + "e")


def finnish_forms(name: str) -> set[str]:
    """The case forms of one folded word, the nominative among them."""
    forms = {name, f"{name}'s"}  # people mix languages: Kallio's halls
    for strong, weak in stems(name):
        forms.update(weak + ending for ending in WEAK_ENDINGS)
        forms.update(strong + ending for ending in STRONG_ENDINGS)
        # Into: Kallioon, Vuosaareen, Haagaan, Suomenlinnaan, Toolooseen (spoken), maahan.
        forms.update({strong + strong[-1] + "n", strong + "seen", strong + "h" + strong[-1] + "n"})
    if name.endswith("nen"):
        plural = name[:-3] + "si"
        forms.update(plural + ending for ending in (*PLURAL_WEAK, *PLURAL_STRONG))
        # Partitive from the consonant stem: Sornaista; genitive: Sornaisten.
        forms.update({name[:-3] + "sta", name[:-3] + "sten"})
    elif name.endswith("s"):
        forms.add(f"{name}ta")
    elif name.endswith("t"):
        forms.update(plural_forms(name[:-1]))
    elif name[-1] == "i":
        # Partitive from the consonant stem: Vuosaarta, Niemea, Lahtea.
        forms.update({name[:-1] + "ta", name[:-1] + "ea"})
    return forms


def plural_forms(stem: str) -> set[str]:
    """Ulkosaaret: Ulkosaarissa; Linjat: Linjoilla."""
    roots = {stem[:-1] + "i", stem[:-1] + "oi", stem + "i"}
    return {root + ending for root in roots for ending in (*PLURAL_WEAK, *PLURAL_STRONG)}


def forms_of(name: str, language: str) -> set[str]:
    """How a name is written in running text of a language: folded, words apart by one space."""
    words = folded(name).split()
    if not words:
        return set()
    *before, last = words
    if language == "fi":
        tails = {form + clitic for form in finnish_forms(last) for clitic in CLITICS}
        heads = [" ".join(before)] if before else [""]
        if before and before[-1][-1] in VOWELS:
            # An adjective in front agrees: Vanhassa Munkkiniemessa, Pikku Huopalahdessa.
            heads += [" ".join([*before[:-1], form]) for form in finnish_forms(before[-1])]
        return {f"{head} {tail}".strip() for head in heads for tail in tails}
    return {" ".join([*before, last]), " ".join([*before, last + "s"]), " ".join([*before, last + "'s"])}


def short_names(name: str) -> list[str]:
    """What people leave off: the side of Etu-Töölö and Norra Haga, either half of Mustikkamaa-Korkeasaari."""
    parts = re.split(r"[-\s]", name)
    if len(parts) < 2:
        return []
    if folded(parts[0]) in SIDES:
        return [" ".join(parts[1:])]
    return parts if "-" in name and len(parts[0]) > 4 else []


class Gazetteer:
    """Look-up of inflected names. `names` maps a key to its names by language; `also` adds other names of a key.

    A full name beats a short one, and the order of `names` decides what is left.
    """

    def __init__(
        self, names: Mapping[int, Mapping[str, str]], also: Mapping[int, Iterable[tuple[str, str]]] = {}
    ) -> None:
        self._forms: dict[str, int] = {}
        for key, texts in names.items():
            self._add(key, texts.items())
        for key, pairs in also.items():
            self._add(key, pairs)
        for key, texts in names.items():
            self._add(key, ((lang, short) for lang, name in texts.items() for short in short_names(name)))
        self._longest = max((form.count(" ") + 1 for form in self._forms), default=0)

    def _add(self, key: int, pairs: Iterable[tuple[str, str]]) -> None:
        for language, name in pairs:
            if len(folded(name)) < SHORTEST:
                continue
            # English has no cases of its own here, and borrows either city language's.
            for form in forms_of(name, "fi" if language == "fi" else "sv"):
                self._forms.setdefault(form, key)

    def find(self, text: str) -> Found | None:
        """The first name in the text; of names that start at the same word, the longest."""
        words = [
            (folded(match[0]).replace("’", "'"), match.start(), match.end()) for match in WORD.finditer(text)
        ]
        for at, (_, start, _) in enumerate(words):
            for length in range(min(self._longest, len(words) - at), 0, -1):
                chosen = words[at : at + length]
                key = self._forms.get(" ".join(word for word, _, _ in chosen))
                if key is None and length == 1:
                    key = self._forms.get(chosen[0][0].replace("-", ""))
                if key is not None:
                    return Found(key, start, chosen[-1][2])
        return None

    def find_near(self, text: str) -> Found | None:
        """The first long word of the text that is one letter from a name, and from no other place's name."""
        for match in WORD.finditer(text):
            word = folded(match[0])
            if len(word) < NEAR_FROM:
                continue
            keys = {self._forms[form] for form in near_words(word, self._forms) if form[0] == word[0]}
            if len(keys) == 1:
                return Found(keys.pop(), match.start(), match.end())
        return None
