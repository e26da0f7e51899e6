"""The address in a mail that lets its reader take an offer or leave the line, without signing in."""

from flask import current_app
from itsdangerous import BadData, URLSafeSerializer

LONGEST = 200


def signer() -> URLSafeSerializer:
    return URLSafeSerializer(str(current_app.secret_key), salt="waiting-entry")


def token_of(city_id: int, entry_id: int) -> str:
    return str(signer().dumps([city_id, entry_id]))


def entry_of_token(city_id: int, token: str) -> int | None:
    """The entry's id, or None for an address that is none of ours or of another city."""
    try:
        found = signer().loads(token[:LONGEST])
    except BadData:
        return None
    match found:
        case [int() as of_city, int() as entry_id] if of_city == city_id:
            return entry_id
    return None
