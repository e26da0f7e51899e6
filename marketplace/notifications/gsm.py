"""What a text message can hold: the letters of GSM 03.38, and how many segments they take.

Finnish and Swedish are written with it whole (å, ä, ö, é, ü). A single letter outside of it would make the message
twice as dear, since all of it is then sent in UCS-2; so what is outside is written with its nearest letters.
"""

import unicodedata

LETTERS = frozenset(
    "@£$¥èéùìòÇ\nØøÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
# Written with an escape before them, so they take the room of two.
EXTENDED = frozenset("^{}\\[~]|€")
# Units of seven bits: in a message of its own, and in each part of a longer one, whose head takes seven.
ALONE, PART = 160, 153
NEAREST = {
    **dict.fromkeys("\u2010\u2011\u2012\u2013\u2014\u2015\u2212", "-"),
    **dict.fromkeys("\u2018\u2019\u201a\u02bc\u2032\u00b4`", "'"),
    **dict.fromkeys("\u201c\u201d\u201e\u2033\u00ab\u00bb", '"'),
    **dict.fromkeys("\u00b7\u2022", "-"),
    "\t": " ",
    # Letters of Sámi and of the neighbours' languages that do not come apart into a letter and a mark.
    **dict(zip("ĐđŊŋŦŧŁłÞþÐıŒœŽžŠš", "D d N n T t L l Th th D i Oe oe Z z S s".split(), strict=True)),
    "\u00f0": "d",
}


def folded(text: str) -> str:
    """`text` in the letters of a text message: the nearest ones, no invisible ones, and ? for what has none."""
    return "".join(_nearest(letter) for letter in unicodedata.normalize("NFC", text))


def _nearest(letter: str) -> str:
    if letter in LETTERS or letter in EXTENDED:
        return letter
    if letter in NEAREST:
        return NEAREST[letter]
    if unicodedata.category(letter) == "Zs":
        return " "
    if unicodedata.category(letter).startswith(("C", "M", "Z")):
        return ""
    plain = "".join(part for part in unicodedata.normalize("NFKD", letter) if not unicodedata.combining(part))
    return plain if plain and all(part in LETTERS or part in EXTENDED for part in plain) else "?"


def units(text: str) -> int:
    """How much room a folded text takes, in septets."""
    return sum(2 if letter in EXTENDED else 1 for letter in text)


def segments(text: str) -> int:
    """How many messages a folded text is sent as and paid for. An escape is never parted from its letter."""
    if units(text) <= ALONE:
        return 1
    parts, room = 1, PART
    for letter in text:
        needed = 2 if letter in EXTENDED else 1
        if needed > room:
            parts, room = parts + 1, PART
        room -= needed
    return parts
