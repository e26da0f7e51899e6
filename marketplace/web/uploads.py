"""Views that take files: they may be sent more than the few forms of text that other views take.

The larger body is let in for signed-in people only, before anything of it is read.
"""

from collections.abc import Callable
from typing import ParamSpec, TypeVar

from flask import Flask, current_app, request

from marketplace.web.request import current_actor

P = ParamSpec("P")
R = TypeVar("R")


def takes_uploads(*, megabytes: int, too_large: str) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Let the view's requests be so large; `too_large` (English source) is what a person reads who sends more."""

    def mark(view: Callable[P, R]) -> Callable[P, R]:
        view.upload_bytes = megabytes * 1024 * 1024  # type: ignore[attr-defined]
        view.upload_too_large = too_large  # type: ignore[attr-defined]
        return view

    return mark


def too_large_text() -> str:
    """What the asked view says about a body that is too large, in English; "" where it says nothing."""
    view = current_app.view_functions.get(request.endpoint or "")
    return str(getattr(view, "upload_too_large", ""))


def install(app: Flask) -> None:
    """Must stand behind who asks is known, and before anything reads a form."""

    @app.before_request
    def let_in() -> None:
        view = app.view_functions.get(request.endpoint or "")
        size = getattr(view, "upload_bytes", None)
        if size is not None and current_actor().is_signed_in:
            request.max_content_length = size
