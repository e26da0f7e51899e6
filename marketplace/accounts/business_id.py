"""The Finnish business id (Y-tunnus), such as 0201256-6."""

import re

WEIGHTS = (7, 9, 10, 5, 8, 4, 2)
FORM = re.compile(r"([0-9]{6,7})-([0-9])")


def normalised(text: str) -> str | None:
    """The id in its seven-digit form, or None when the form or the check digit is wrong.

    Check digit: weighted sum modulo 11; 0 stands for itself, 1 is never given out, else 11 minus the rest
    (Finnish Tax Administration, check digit of the Business ID).
    """
    match = FORM.fullmatch(text.strip().upper().removeprefix("FI"))
    if match is None:
        return None
    digits, check = match[1].zfill(7), int(match[2])
    rest = sum(int(digit) * weight for digit, weight in zip(digits, WEIGHTS, strict=True)) % 11
    if rest == 1 or check != (0 if rest == 0 else 11 - rest):
        return None
    return f"{digits}-{check}"
