"""Numbers in addresses that work without signing in: signed, so that nobody finds another one's by counting."""

from flask import current_app
from itsdangerous import BadData, URLSafeSerializer

LONGEST = 200


def signer(salt: str) -> URLSafeSerializer:
    """`salt` says what the number is of, so that one kind of address opens no other."""
    return URLSafeSerializer(str(current_app.secret_key), salt=salt)


def signed_number(salt: str, city_id: int, number: int) -> str:
    return str(signer(salt).dumps([city_id, number]))


def number_of(salt: str, city_id: int, token: str) -> int | None:
    """The number, or None for a text that is none of ours, of another kind or of another city."""
    try:
        found = signer(salt).loads(token[:LONGEST])
    except BadData:
        return None
    match found:
        case [int() as of_city, int() as number] if of_city == city_id:
            return number
    return None
