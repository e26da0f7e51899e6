"""Answers that a browser keeps as a file."""

from flask import Response


def download(content: bytes | str, kind: str, name: str) -> Response:
    """The content under this plain name, kept by no cache; `kind` is its media type."""
    return Response(
        content,
        content_type=kind,
        headers={"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-store"},
    )
