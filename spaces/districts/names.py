"""Names of places as registers write them, made fit to read."""

import re

WORD = re.compile(r"[^\W\d_]+", re.UNICODE)


def place_name(text: str) -> str:
    """Padding and doubled spaces go; ALL CAPS becomes Title Case, after hyphens too (ETU-TÖÖLÖ, Etu-Töölö)."""
    text = " ".join(text.split())
    if not text.isupper():
        return text
    return WORD.sub(lambda word: word[0].capitalize(), text)
