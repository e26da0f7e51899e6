"""Where a list goes on: an opaque, signed place in the answer to one question.

A cursor holds the number of the next page and a digest of the question it belongs to. It is signed, so that nobody
builds on what is inside and it can become a place by key without breaking a client.
"""

import hashlib
import json
from typing import Any

from itsdangerous import BadSignature, URLSafeSerializer

SALT = "api-cursor"


class CursorRefused(ValueError):
    """`code` is `not-a-cursor` or `other-question`."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


def write_cursor(page: int, question: dict[str, Any], *, key: str) -> str:
    """The cursor of this page of the answer; `question` is what was asked, as plain JSON values."""
    text: str | bytes = URLSafeSerializer(key, salt=SALT).dumps([page, digest(question)])
    return text if isinstance(text, str) else text.decode()


def read_cursor(cursor: str, question: dict[str, Any], *, key: str) -> int:
    """The page that a cursor of this very question stands for. Raises CursorRefused."""
    try:
        page, asked = URLSafeSerializer(key, salt=SALT).loads(cursor)
    except (BadSignature, ValueError, TypeError):
        raise CursorRefused("not-a-cursor") from None
    if asked != digest(question):
        raise CursorRefused("other-question")
    return int(page)


def digest(question: dict[str, Any]) -> str:
    """The same for the same question, whatever the order of its parameters."""
    text = json.dumps(question, sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()[:20]
