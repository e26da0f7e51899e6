"""Misspelt words put right with the city's own words, in core PostgreSQL.

A word is left alone when some published space has it, or when it stands for a purpose and is short. Otherwise it is
looked for among the words of the city's texts (`SearchWord`) by groups of three letters and the number of letters to
change, then among the words of purposes, and last as a compound of which only the end is known. A word is only put in its place when a
search for it finds something now, so the vocabulary may hold words that no text has any more.

Others use pg_trgm (not in every server), Hunspell or Voikko (a dictionary of the language, which does not know the
names of places), or the search engine's own suggester over its terms; this is the last of these over our own terms.
"""

import re
from collections.abc import Mapping, Sequence

from sqlalchemy import bindparam, text
from sqlalchemy.dialects.postgresql import ARRAY, TEXT
from sqlalchemy.orm import Session

from marketplace.cities.models import City
from spaces.districts.words import folded, near_words
from spaces.search.words import SYNONYMS, meanings

PLAIN = re.compile(r"[^\W\d_]{4,40}")
MOST_MENDED = 4
MOST_CANDIDATES = 40
MOST_TRIED = 6
CASE_ENDING = re.compile(r"(?:ss[aä]|st[aä]|ll[aä]|lt[aä]|lle|ksi|iin|n)$")
# A word of up to six letters may have one wrong, a longer one two.
LONG = 7
SHORTEST_PREFIX = 6
# A word this long that begins like a purpose may yet be a name with a letter wrong: asukaspritti.
COMPOUND = 9
SHORTEST_END = 4
PREFIXES = frozenset(prefix for prefix, _ in SYNONYMS if len(prefix) >= SHORTEST_PREFIX and " " not in prefix)

PLAIN_QUERY = " || ".join(
    f"plainto_tsquery('{language}', {{word}})" for language in ("finnish", "swedish", "english")
)


def texts_sql(table: str, word: str) -> str:
    """The condition that a row's texts have the word, an SQL expression of text: by the stemmers of the three languages,
    or as the beginning or the end of a longer word."""
    # As subqueries they are computed once, and not for each row.
    whole = f"(SELECT {PLAIN_QUERY.format(word=word)} || beginning_with({word}))"
    return f"({table}.search @@ {whole} OR {table}.ends @@ (SELECT ending_in({word})))"


def text_sql(word: str) -> str:
    """The condition that a space `s` or its venue has the word. Each table is asked by its own indexes."""
    return (
        f"s.id IN (SELECT t.id FROM space t WHERE t.city_id = :city_id AND {texts_sql('t', word)})"
        f" OR s.venue_id IN (SELECT t.id FROM venue t WHERE t.city_id = :city_id AND {texts_sql('t', word)})"
    )


# Of the given words, those that some published space or its venue has; by the indexes of one table at a time.
FOUND = text(f"""
    SELECT w.word FROM unnest(:words) AS w(word)
    WHERE EXISTS (
        SELECT FROM space s
        WHERE s.city_id = :city_id AND s.state = 'published' AND {texts_sql("s", "w.word")}
    ) OR EXISTS (
        SELECT FROM venue v
        WHERE v.city_id = :city_id AND {texts_sql("v", "w.word")}
        AND EXISTS (
            SELECT FROM space s WHERE s.city_id = v.city_id AND s.venue_id = v.id AND s.state = 'published'
        )
    )
""").bindparams(bindparam("words", type_=ARRAY(TEXT)))

ALIKE = text("""
    SELECT word, max(shared) AS shared FROM (
        SELECT word, (SELECT count(*) FROM unnest(search_word.grams) gram WHERE gram = ANY(asked.grams)) AS shared
        FROM search_word, (SELECT word_grams(:word) AS grams) asked
        WHERE city_id = :city_id AND search_word.grams && asked.grams
        AND length(word) BETWEEN :shortest AND :longest
    ) t
    GROUP BY word ORDER BY shared DESC, word LIMIT :most
""")
ENDS = text("""
    SELECT DISTINCT word FROM search_word WHERE city_id = :city_id AND word = ANY(:words)
""").bindparams(bindparam("words", type_=ARRAY(TEXT)))


def mend_words(session: Session, city: City, words: Sequence[str]) -> dict[str, str | None]:
    """What to search for instead of words that nothing has; None where there is nothing like them."""
    asked = [word for word in dict.fromkeys(words) if PLAIN.fullmatch(word) and not _is_purpose(word)]
    if not asked:
        return {}
    found = found_words(session, city, asked)
    missing = [word for word in asked if word not in found][:MOST_MENDED]
    instead = {word: mend_word(session, city, word) for word in missing}
    return {word: other for word, other in instead.items() if other is not None or not meanings(word)}


def put_right(words: Sequence[str], instead: Mapping[str, str | None]) -> tuple[str, ...]:
    """The words to search for by what `mend_words` says. One that nothing is like is left out beside others, and stays
    where it is all that is asked."""
    used = [word for word in words if instead.get(word, word) is not None]
    if not used:
        return tuple(words)
    return tuple(dict.fromkeys(instead.get(word) or word for word in used))


def _is_purpose(word: str) -> bool:
    return len(word) < COMPOUND and bool(meanings(word))


def found_words(session: Session, city: City, words: Sequence[str]) -> set[str]:
    """Those of the words that a search would find something with."""
    if not words:
        return set()
    return set(session.scalars(FOUND, {"city_id": city.id, "words": list(words)}))


def mend_word(session: Session, city: City, word: str) -> str | None:
    """The word meant by one that nothing has, or None."""
    if meanings(word):
        return _alike(session, city, word, most=1)
    most = 2 if len(word) >= LONG else 1
    return _alike(session, city, word, most=most) or mend_purpose(word) or _known_end(session, city, word)


def mend_purpose(word: str) -> str | None:
    """A word for a purpose with one letter wrong in its beginning: synttrit, kirppputori."""
    best = ""
    length = 0
    for at in range(SHORTEST_PREFIX, min(len(word), 20) + 1):
        for prefix in near_words(word[:at], PREFIXES):
            if prefix[0] == word[0] and len(prefix) > length:
                best, length = prefix + word[at:], len(prefix)
    return best or None


def _alike(session: Session, city: City, word: str, *, most: int) -> str | None:
    plain = CASE_ENDING.sub("", word)
    rows = session.execute(
        ALIKE,
        {
            "city_id": city.id,
            "word": word,
            "shortest": len(plain) - most,
            "longest": len(word) + most,
            "most": MOST_CANDIDATES,
        },
    ).all()
    ranked = sorted(
        (distance, -row.shared, row.word)
        for row in rows
        if (distance := min(letters_apart(folded(form), folded(row.word)) for form in {word, plain})) <= most
    )
    candidates = [other for _, _, other in ranked[:MOST_TRIED]]
    found = found_words(session, city, candidates)
    return next((other for other in candidates if other in found), None)


def _known_end(session: Session, city: City, word: str) -> str | None:
    """The longest end of the word that the city's texts know: of partiotalo, talo."""
    ends = [word[at:] for at in range(3, len(word) - SHORTEST_END + 1)]
    known = set(session.scalars(ENDS, {"city_id": city.id, "words": ends}))
    candidates = [end for end in ends if end in known][:MOST_TRIED]
    found = found_words(session, city, candidates)
    return next((end for end in candidates if end in found), None)


def letters_apart(one: str, other: str) -> int:
    """How many letters to change, leave out, put in or swap with a neighbour."""
    before: list[int] = []
    last = list(range(len(other) + 1))
    for at, letter in enumerate(one, 1):
        row = [at]
        for column, wanted in enumerate(other, 1):
            cost = 0 if letter == wanted else 1
            least = min(last[column] + 1, row[-1] + 1, last[column - 1] + cost)
            if at > 1 and column > 1 and letter == other[column - 2] and one[at - 2] == wanted:
                least = min(least, before[column - 2] + 1)
            row.append(least)
        before, last = last, row
    return last[-1]
