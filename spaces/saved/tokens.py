"""The address in a mail that stops one search, and the note by which a browser saves one after signing in."""

from flask import current_app
from itsdangerous import BadData, URLSafeTimedSerializer

from marketplace.web.signed import number_of, signed_number

SALT = "saved-search"
# Long enough to open an account on the way.
NOTE_SECONDS = 3600


def token_of(city_id: int, search_id: int) -> str:
    return signed_number(SALT, city_id, search_id)


def search_of_token(city_id: int, token: str) -> int | None:
    """The search's id, or None for an address that is none of ours or of another city."""
    return number_of(SALT, city_id, token)


def note_signer() -> URLSafeTimedSerializer:
    return URLSafeTimedSerializer(str(current_app.secret_key), salt="saved-search-note")


def note_of(asked: str) -> str:
    """A cookie's value: this browser has pressed Save on this very question."""
    return str(note_signer().dumps(asked))


def notes(value: str | None, asked: str) -> bool:
    """Whether a cookie says that Save was pressed on this question, lately."""
    try:
        return bool(note_signer().loads(value or "", max_age=NOTE_SECONDS) == asked)
    except BadData:
        return False
