"""Secrets that the database keeps for a while, encrypted: whoever reads a copy of it cannot open a door.

The key is derived from the application's secret. After a change of that, what former ones have sealed can still be read
while they are told, and is sealed anew bit by bit; with a key that is lost nothing can be read, and the secret has to be
made again by whoever gave it. Each sealed value begins with the name of its key, so that a query finds those.
"""

from base64 import urlsafe_b64encode
from collections.abc import Sequence
from dataclasses import dataclass

from cryptography.fernet import Fernet, InvalidToken
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

NAME_BYTES = 8
KEY_BYTES = 32


@dataclass(frozen=True)
class Key:
    """What seals; `name` tells it from others and gives nothing of it away."""

    name: bytes
    fernet: Fernet


_keys: list[Key] = []


def derive(secret: str) -> Key:
    made = HKDF(SHA256(), KEY_BYTES + NAME_BYTES, salt=None, info=b"tilaa: sealed secrets, 1").derive(
        secret.encode()
    )
    return Key(made[KEY_BYTES:], Fernet(urlsafe_b64encode(made[:KEY_BYTES])))


def bind(secret: str, former: Sequence[str] = ()) -> None:
    """Seal with the key of `secret` from now on, and open what it or a former one has sealed."""
    _keys[:] = [derive(one) for one in (secret, *former)]


def key_names() -> list[bytes]:
    """The names of the keys that can be opened with, that of the present one first."""
    if not _keys:
        raise RuntimeError("no key is bound")
    return [key.name for key in _keys]


def seal(text: str) -> bytes:
    key_names()
    return _keys[0].name + _keys[0].fernet.encrypt(text.encode())


def unseal(sealed: bytes) -> str | None:
    """What was sealed, or None where no known key opens it."""
    name, token = sealed[:NAME_BYTES], sealed[NAME_BYTES:]
    for key in _keys:
        if key.name == name:
            try:
                return key.fernet.decrypt(token).decode()
            except InvalidToken:
                return None
    return None
