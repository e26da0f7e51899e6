"""Passwords: what may be one, and how it is kept. Hashing is slow on purpose, so it never runs inside a transaction."""

import unicodedata

from argon2 import PasswordHasher, Type
from argon2.exceptions import InvalidHashError, VerificationError

from marketplace.errors import N_, FieldError
from marketplace.identity.common_passwords import COMMON, STEMS
from marketplace.ids import new_token

SHORTEST, LONGEST = 10, 256
PLAIN = str.maketrans("", "", " .,-_!?@#%&/()=+*'\"0123456789")
RUNS = ("01234567890123456789", "abcdefghijklmnopqrstuvwxyzåäö", "qwertyuiopasdfghjklzxcvbnm")

# argon2id with 46 MiB and two passes, one lane: above OWASP's least (46 MiB, one pass; Password Storage Cheat Sheet,
# read in 2025). One lane, since a web process serves several people at once.
hasher = PasswordHasher(time_cost=2, memory_cost=47104, parallelism=1, type=Type.ID)
# What a typed password is compared with when there is no account or no password, so that it takes as long.
_nobody: dict[tuple[int, int, int], str] = {}


def prepared(password: str) -> str:
    """One form for letters that keyboards compose differently (NIST SP 800-63B: NFKC)."""
    return unicodedata.normalize("NFKC", password)


def hash_password(password: str) -> str:
    """The encoded hash, parameters included."""
    return hasher.hash(prepared(password))


def matches(stored: str | None, password: str) -> bool:
    """Whether the password is the stored one. Takes the same time when there is none to compare with."""
    if len(password) > LONGEST:
        password = password[:LONGEST] + "…"
    try:
        return hasher.verify(stored or nobody(), prepared(password)) and stored is not None
    except (VerificationError, InvalidHashError):
        return False


def nobody() -> str:
    """A hash by today's parameters that no password fits."""
    key = (hasher.time_cost, hasher.memory_cost, hasher.parallelism)
    if key not in _nobody:
        _nobody[key] = hasher.hash(new_token())
    return _nobody[key]


def renewed(stored: str, password: str) -> str | None:
    """A new hash of a right password where the parameters have changed since, else None."""
    return hash_password(password) if hasher.check_needs_rehash(stored) else None


def password_problem(password: str, *, name: str, email: str) -> FieldError | None:
    """Why this cannot be a password, or None. Length and being guessable count; which characters it has does not."""
    password = prepared(password)
    if len(password) < SHORTEST:
        return FieldError("password", "short", N_("At least 10 characters. A short sentence works well."))
    if len(password) > LONGEST:
        return FieldError("password", "long", N_("At most 256 characters."))
    folded = password.casefold()
    bare = folded.translate(PLAIN)
    own = {part.casefold().translate(PLAIN) for part in (name, *name.split(), email, email.partition("@")[0])}
    own.discard("")
    if bare in own or folded == email.casefold() or bare in {word + word for word in own}:
        return FieldError(
            "password", "own", N_("This is your own name or address. Choose something others cannot guess.")
        )
    if folded in COMMON or bare in STEMS or is_monotonous(folded):
        return FieldError(
            "password", "common", N_("Many people use this password, so it is tried first. Choose another.")
        )
    return None


def is_monotonous(text: str) -> bool:
    """Few different characters, or a walk along the alphabet, the digits or the keyboard."""
    return len(set(text)) <= 3 or any(text in run or text in run[::-1] for run in RUNS)
