"""Numbers written in words, in Finnish, Swedish and English, up to some hundreds.

Only a number that counts something known, or says an hour, becomes digits: "neljällekymmenelle hengelle", "två timmar",
"at five". Elsewhere "two" may be the name of a place.
"""

import re
from collections.abc import Iterator

# Finnish: the case forms of a number agree in all their parts. Nominative, genitive, allative, translative, ablative.
FINNISH_UNITS = (
    "yksi yhden yhdelle yhdeksi yhdeltä",
    "kaksi kahden kahdelle kahdeksi kahdelta",
    "kolme kolmen kolmelle kolmeksi kolmelta",
    "neljä neljän neljälle neljäksi neljältä",
    "viisi viiden viidelle viideksi viideltä",
    "kuusi kuuden kuudelle kuudeksi kuudelta",
    "seitsemän seitsemän seitsemälle seitsemäksi seitsemältä",
    "kahdeksan kahdeksan kahdeksalle kahdeksaksi kahdeksalta",
    "yhdeksän yhdeksän yhdeksälle yhdeksäksi yhdeksältä",
)
FINNISH_TEN = "kymmenen kymmenen kymmenelle kymmeneksi kymmeneltä".split()
FINNISH_TENS = "kymmentä kymmenen kymmenelle kymmeneksi kymmeneltä".split()
FINNISH_HUNDRED = "sata sadan sadalle sadaksi sadalta".split()
FINNISH_HUNDREDS = "sataa sadan sadalle sadaksi sadalta".split()
FINNISH_SPOKEN = (
    (20, "kakskyt kaksyt kakskytä parikymmentä parillekymmenelle parinkymmenen"), (30, "kolkyt kolmekyt kolmisenkymmentä"),
    (40, "nelkyt neljäkyt nelisenkymmentä"), (50, "viiskyt viitisenkymmentä"), (60, "kuuskyt kuutisenkymmentä"),
    (70, "seiskyt"), (80, "kaheksankyt kasikyt"), (90, "yheksänkyt"), (10, "kymmenkunta kymmenkunnalle"),
    (2, "pari parille parin pariksi"), (12, "tusina tusinalle"), (100, "satakunta sadoille"), (200, "parisataa"),
)  # fmt: skip
SWEDISH_UNITS = "ett två tre fyra fem sex sju åtta nio".split()
SWEDISH_TEENS = "tio elva tolv tretton fjorton femton sexton sjutton arton nitton".split()
SWEDISH_TENS = "tjugo trettio fyrtio femtio sextio sjuttio åttio nittio".split()
SWEDISH_ROUND = (
    (10, "tiotal"), (20, "tjugotal"), (30, "trettiotal"), (40, "fyrtiotal"), (50, "femtiotal"), (60, "sextiotal"),
    (100, "hundratal"), (12, "dussin"), (2, "par"), (1, "en"),
)  # fmt: skip
ENGLISH_UNITS = "one two three four five six seven eight nine".split()
ENGLISH_TEENS = "ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen".split()
ENGLISH_TENS = "twenty thirty forty fifty sixty seventy eighty ninety".split()


def _finnish() -> Iterator[tuple[str, int]]:
    units = [forms.split() for forms in FINNISH_UNITS]
    for case in range(len(FINNISH_TEN)):
        small = {number: forms[case] for number, forms in enumerate(units, 1)}
        small[10] = FINNISH_TEN[case]
        small |= {10 + number: small[number] + "toista" for number in range(1, 10)}
        for tens in range(2, 10):
            head = small[tens] + FINNISH_TENS[case]
            small[tens * 10] = head
            small |= {tens * 10 + number: head + small[number] for number in range(1, 10)}
        hundreds = {100: FINNISH_HUNDRED[case]}
        hundreds |= {number * 100: small[number] + FINNISH_HUNDREDS[case] for number in range(2, 10)}
        hundreds |= {100 + number * 10: FINNISH_HUNDRED[case] + small[number * 10] for number in range(1, 10)}
        for number, word in (small | hundreds).items():
            yield word, number
    for number, words in FINNISH_SPOKEN:
        for word in words.split():
            yield word, number


def _germanic(
    units: list[str],
    teens: list[str],
    tens: list[str],
    *,
    joins: tuple[str, ...],
    hundred: str = "",
    gap: str = "",
) -> Iterator[tuple[str, int]]:
    yield from ((word, number) for number, word in enumerate(units, 1))
    yield from ((word, number) for number, word in enumerate(teens, 10))
    for number, ten in enumerate(tens, 2):
        yield ten, number * 10
        for join in joins:
            yield from ((ten + join + unit, number * 10 + one) for one, unit in enumerate(units, 1))
    if not hundred:
        return
    yield hundred, 100
    yield from ((unit + gap + hundred, number * 100) for number, unit in enumerate(units, 1))


NUMBERS: dict[str, int] = {
    **dict(
        _germanic(ENGLISH_UNITS, ENGLISH_TEENS, ENGLISH_TENS, joins=("-", " "), hundred="hundred", gap=" ")
    ),
    **{
        f"{head}hundred and {word}": 100 + number
        for head in ("", "one ")
        for word, number in _germanic(ENGLISH_UNITS, ENGLISH_TEENS, ENGLISH_TENS, joins=("-", " "))
        if word and number < 100
    },
    **{
        f"{head}hundra{word}": 100 + number
        for head in ("", "ett")
        for word, number in _germanic(SWEDISH_UNITS, SWEDISH_TEENS, SWEDISH_TENS, joins=("",))
        if word and number < 100
    },
    "dozen": 12,
    "two dozen": 24,
    "couple": 2,
    "couple of": 2,
    "dozen of": 12,
    **dict(_germanic(SWEDISH_UNITS, SWEDISH_TEENS, SWEDISH_TENS, joins=("",), hundred="hundra")),
    **{word: number for number, word in SWEDISH_ROUND},
    **dict(_finnish()),
}
# What a number in words may count, and the words before an hour.
COUNTED = (
    "hen",
    "hlö",
    "ihmi",
    "osallistuj",
    "viera",
    "lapse",
    "lasta",
    "aikui",
    "jäsen",
    "pelaaj",
    "soittaj",
    "laulaj",
    "oppila",
    "person",
    "pers",
    "gäst",
    "deltag",
    "barn",
    "vuxna",
    "spelare",
    "medlem",
    "elever",
    "people",
    "guest",
    "participant",
    "attendee",
    "kid",
    "child",
    "adult",
    "player",
    "member",
    "student",
    "tunti",
    "tunni",
    "timm",
    "hour",
    "minuut",
    "minut",
    "viik",
    "veck",
    "week",
    "päiv",
    "dag",
    "day",
    "kuukau",
    "månad",
    "month",
    "euro",
)
HOUR_BEFORE = frozenset("kello klo kl klockan at from between puoli halv past yli vaille".split())
QUARTER_BEFORE = frozenset({("quarter", "to"), ("kvart", "i"), ("kvart", "över")})
# Numbers that are half an hour short of the next: puolitoista, en och en halv, an hour and a half.
HALVES = (
    (re.compile(r"\b(?:puolitoista|puolentoista|puoleksitoista)\s+(?=tun)", re.IGNORECASE), "1,5 "),
    (re.compile(r"\b(?:en och en halv)\s+(?=tim)", re.IGNORECASE), "1,5 "),
    (re.compile(r"\b(?:an hour and a half|one and a half hours?)\b", re.IGNORECASE), "1,5 h"),
    (re.compile(r"\b(?:puoli tuntia|puoleksi tunniksi|en halvtimme|en halv timme|half an hour)\b", re.IGNORECASE), "30 min"),
    (re.compile(r"\b(\w+) (?:ja puoli|och en halv|and a half) (?=tunti|timm|hours?)", re.IGNORECASE), r"\1,5 "),
)  # fmt: skip
# Stands behind an hour that was said in words, of which nobody says whether it is before noon.
HOUR_MARK = "′"
WORD = re.compile(r"[^\W\d_]+(?:[-’'][^\W\d_]+)*")


# One hour without its number; "20 € an hour" is a price.
AN_HOUR = re.compile(
    r"(?<![€\d] )(?<!euros )(?<!euro )(?:(?<!\d )\btunniksi|\ban hour)\b(?! and)", re.IGNORECASE
)


def with_digits(text: str) -> str:
    """The text with the numbers in words that count something, or say an hour, in digits."""
    text = _halves(text)
    words = list(WORD.finditer(text))
    parts, done, at = [], 0, 0
    while at < len(words):
        for length in (5, 4, 3, 2, 1):
            chosen = words[at : at + length]
            number = NUMBERS.get(" ".join(match[0].lower() for match in chosen))
            if number is None or len(chosen) < length:
                continue
            counts = _counts(words, at + length)
            is_hour = not counts and length == 1 and number <= 12 and _says_hour(words[:at])
            if is_hour or counts:
                start = chosen[0].start()
                if at and words[at - 1][0].lower() in {"a", "ett", "en"} and number > 1:
                    start = max(done, words[at - 1].start())
                parts += [text[done:start], f"{number}{HOUR_MARK if is_hour else ''}"]
                done = chosen[-1].end()
                at += length - 1
                break
        at += 1
    return AN_HOUR.sub("1 h", "".join(parts) + text[done:])


def _halves(text: str) -> str:
    for pattern, digits in HALVES:
        text = pattern.sub(_half_of if digits.startswith("\\") else digits, text)
    return text


def _half_of(match: re.Match[str]) -> str:
    number = NUMBERS.get(match[1].lower(), int(match[1]) if re.fullmatch(r"\d{1,2}", match[1]) else None)
    return match[0] if number is None else f"{number},5 "


def _says_hour(before: list[re.Match[str]]) -> bool:
    last = tuple(match[0].lower() for match in before[-2:])
    return bool(last) and (last[-1] in HOUR_BEFORE or last in QUARTER_BEFORE)


def _counts(words: list[re.Match[str]], after: int) -> bool:
    """Whether the word there, directly behind a number, is one of those that are counted."""
    if after >= len(words) or words[after].start() - words[after - 1].end() > 2:
        return False
    return words[after][0].lower().startswith(COUNTED)
