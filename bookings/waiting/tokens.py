"""The address in a mail that lets its reader take an offer or leave the line, without signing in."""

from marketplace.web.signed import number_of, signed_number

SALT = "waiting-entry"


def token_of(city_id: int, entry_id: int) -> str:
    return signed_number(SALT, city_id, entry_id)


def entry_of_token(city_id: int, token: str) -> int | None:
    """The entry's id, or None for an address that is none of ours or of another city."""
    return number_of(SALT, city_id, token)
