"""The six digits that show that a number reaches somebody.

They are made anew from the service's secret and the name of the message that carries them, whenever they are needed: to write
them into the message as it leaves, and to compare what was typed. So they stand nowhere at rest; a digest of six digits
would be no better than the digits themselves.
"""

import hashlib
import hmac

from flask import current_app

DIGITS = 6
# Stands in a kept text where the code will be; GSM letters that no other text has.
PLACE = "{code}"


def number_key(code_id: int) -> str:
    """The key of the message that carries the code of this `NumberCode`."""
    return f"number:{code_id}"


def code_of(city_id: int, key: str) -> str:
    """The code that the message of this key carries."""
    secret = str(current_app.secret_key).encode()
    digest = hmac.digest(secret, f"text-message-code:{city_id}:{key}".encode(), hashlib.sha256)
    return f"{int.from_bytes(digest[:8]) % 10**DIGITS:0{DIGITS}d}"


def is_code(typed: str, *, city_id: int, key: str) -> bool:
    """Whether these are the digits, in a time that does not tell how many are right."""
    return hmac.compare_digest(code_of(city_id, key).encode(), typed.encode())


def number_digest(number: str) -> str:
    """A number as a name for counters: nobody without the secret finds the number, though there are few of them."""
    secret = str(current_app.secret_key).encode()
    return hmac.digest(secret, f"number:{number}".encode(), hashlib.sha256).hex()[:32]
