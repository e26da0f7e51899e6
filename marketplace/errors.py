"""Refusals. Each class says what was refused by a stable code, a title to translate and public fields.
No HTTP here: `marketplace.web.problems` is the one place that maps families to answers."""

from dataclasses import dataclass
from typing import Any, ClassVar


def N_(text: str) -> str:  # noqa: N802 - the name that message extraction looks for
    """Mark a text for translation without translating it yet."""
    return text


@dataclass(frozen=True)
class FieldError:
    """What is wrong with one field; `text` is a source string with %(name)s places for `values`."""

    field: str
    code: str
    text: str
    values: tuple[tuple[str, Any], ...] = ()


class Refusal(Exception):
    """The base of all refusals. `public` holds the fields that the other side may see."""

    code: ClassVar[str] = "refused"
    title: ClassVar[str] = N_("This cannot be done.")

    def __init__(self, **public: Any) -> None:
        super().__init__(self.code)
        self.public = public


class Unauthenticated(Refusal):
    code = "sign-in-needed"
    title = N_("Sign in to go on.")


class Forbidden(Refusal):
    code = "forbidden"
    title = N_("You do not have the right to do this.")


class NotFound(Refusal):
    code = "not-found"
    title = N_("We did not find what you were looking for.")


class Invalid(Refusal):
    """The input is wrong; `fields` says where."""

    code = "invalid"
    title = N_("Check the fields below.")

    def __init__(self, *fields: FieldError, **public: Any) -> None:
        super().__init__(**public)
        self.fields = fields


class Conflict(Refusal):
    code = "conflict"
    title = N_("Something changed meanwhile. Here is how it is now.")


class PaymentRefused(Refusal):
    code = "payment-refused"
    title = N_("The payment did not go through.")


class TooMany(Refusal):
    """Too often; `retry_after` in seconds."""

    code = "too-many"
    title = N_("Too many attempts. Wait a moment and try again.")

    def __init__(self, *, retry_after: int, **public: Any) -> None:
        super().__init__(retry_after=retry_after, **public)
        self.retry_after = retry_after


class Unavailable(Refusal):
    code = "unavailable"
    title = N_("The service is not available just now.")

    def __init__(self, *, retry_after: int = 30, **public: Any) -> None:
        super().__init__(**public)
        self.retry_after = retry_after
