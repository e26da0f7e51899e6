"""Every route says who may call it. A guard test refuses a route without one of these marks."""

from collections.abc import Callable
from functools import wraps
from typing import Any, ParamSpec, TypeVar

from marketplace.errors import Forbidden, Unauthenticated
from marketplace.web.request import current_actor

P = ParamSpec("P")
R = TypeVar("R")


def _marked(view: Callable[P, R], access: str) -> Callable[P, R]:
    view.access = access  # type: ignore[attr-defined]
    return view


def public(view: Callable[P, R]) -> Callable[P, R]:
    """Anyone may call this."""
    return _marked(view, "public")


def signed_in(view: Callable[P, R]) -> Callable[P, R]:
    """A signed-in person; others are sent to sign in and back."""

    @wraps(view)
    def checked(*args: P.args, **kwargs: P.kwargs) -> R:
        if not current_actor().is_signed_in:
            raise Unauthenticated
        return view(*args, **kwargs)

    return _marked(checked, "signed_in")


def staff(view: Callable[P, R]) -> Callable[P, R]:
    """The city's own staff."""

    @wraps(view)
    def checked(*args: P.args, **kwargs: P.kwargs) -> R:
        if not current_actor().is_signed_in:
            raise Unauthenticated
        if not current_actor().is_staff:
            raise Forbidden
        return view(*args, **kwargs)

    return _marked(checked, "staff")


def access_of(view: Any) -> str | None:
    return getattr(view, "access", None)
