"""The address in a mail that stops one search, and the note by which a browser saves one after signing in."""

from flask import current_app
from itsdangerous import BadData, URLSafeSerializer, URLSafeTimedSerializer

LONGEST = 200
# Long enough to open an account on the way.
NOTE_SECONDS = 3600


def signer() -> URLSafeSerializer:
    return URLSafeSerializer(str(current_app.secret_key), salt="saved-search")


def token_of(city_id: int, search_id: int) -> str:
    return str(signer().dumps([city_id, search_id]))


def search_of_token(city_id: int, token: str) -> int | None:
    """The search's id, or None for an address that is none of ours or of another city."""
    try:
        found = signer().loads(token[:LONGEST])
    except BadData:
        return None
    match found:
        case [int() as of_city, int() as search_id] if of_city == city_id:
            return search_id
    return None


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
