"""Names of the built files: `asset("app.css")` gives the address with the content's hash in it."""

import json
from functools import lru_cache
from pathlib import Path

from flask import url_for

from marketplace.settings import ROOT

MANIFEST = ROOT / "marketplace" / "static" / "dist" / "manifest.json"


@lru_cache(maxsize=1)
def _manifest(changed: float) -> dict[str, str]:
    names: dict[str, str] = json.loads(MANIFEST.read_text(encoding="utf-8"))
    return names


def asset(name: str) -> str:
    """The address of a built file; of the plain name when the front end has not been built (tests of views)."""
    path: Path = MANIFEST
    names = _manifest(path.stat().st_mtime) if path.exists() else {}
    return url_for("static", filename=f"dist/{names.get(name, name)}")
