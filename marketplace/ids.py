"""References and tokens that people and machines see."""

import hashlib
import secrets

# Crockford's base 32: no I, L, O, U, so that a reference can be read aloud and typed.
ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


def new_reference() -> str:
    """A booking reference such as K7M2-9QXT: 40 random bits, unique by a database constraint."""
    letters = "".join(secrets.choice(ALPHABET) for _ in range(8))
    return f"{letters[:4]}-{letters[4:]}"


def new_token() -> str:
    """A secret for a link or a cookie: 256 random bits, URL-safe."""
    return secrets.token_urlsafe(32)


def token_hash(token: str) -> bytes:
    """What the database keeps of a token. A plain digest is enough: tokens are random, not chosen by people."""
    return hashlib.sha256(token.encode()).digest()
