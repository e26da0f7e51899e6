"""Templates stand in the layout, keep scripts out of the page, and mails exist in every language."""

import ast
import re
from pathlib import Path

import pytest

from marketplace.settings import ROOT
from tests.architecture.sources import PACKAGES, python_files, relative, templates, tree_of

HTML = [path for path in templates() if path.suffix == ".html"]
# Whole documents that are no page of the layout, and why.
OWN_DOCUMENT = {
    "marketplace/templates/marketplace/layout.html": "the layout itself",
    "marketplace/templates/marketplace/mail.html": "the frame of HTML mails",
}
LANGUAGES = {"fi", "sv", "en"}
INLINE_SCRIPT = re.compile(
    r"<script\b(?![^>]*\bsrc=)(?![^>]*type=\"application/(?:json|ld\+json)\")[^>]*>", re.IGNORECASE
)
ON_ATTRIBUTE = re.compile(r"<[a-z][^<>]*?\son[a-z]+\s*=", re.IGNORECASE)
SCRIPT_ADDRESS = re.compile(r"(?:href|src|action)\s*=\s*[\"']\s*javascript:", re.IGNORECASE)
OUTSIDE = re.compile(r"<(?:script|link|img|iframe)\b[^>]*(?:src|href)=[\"'](?:https?:)?//", re.IGNORECASE)
COMMENT = re.compile(r"\{#.*?#\}", re.DOTALL)


def text_of(path: Path) -> str:
    return COMMENT.sub("", path.read_text(encoding="utf-8"))


def ids(path: Path) -> str:
    return relative(path)


@pytest.mark.parametrize("path", HTML, ids=ids)
def test_a_page_stands_in_the_layout(path: Path) -> None:
    """A file with a whole document extends the layout; anything else is a part that a page includes."""
    text = text_of(path)
    if relative(path) in OWN_DOCUMENT or "{% extends" in text:
        return
    assert "<html" not in text.lower(), "a whole document that does not extend the layout"
    assert "<body" not in text.lower()


@pytest.mark.parametrize("path", HTML, ids=ids)
def test_no_script_is_written_into_a_page(path: Path) -> None:
    """The content security policy would stop it in the browser; here it is stopped before."""
    text = text_of(path)
    assert not INLINE_SCRIPT.search(text)
    assert not ON_ATTRIBUTE.search(text)
    assert not SCRIPT_ADDRESS.search(text)


@pytest.mark.parametrize("path", HTML, ids=ids)
def test_nothing_is_fetched_from_elsewhere(path: Path) -> None:
    """No fonts, scripts or pictures of third parties: nobody learns who looks at our pages."""
    assert not OUTSIDE.search(text_of(path))


@pytest.mark.parametrize("path", HTML, ids=ids)
def test_what_is_marked_safe_says_why(path: Path) -> None:
    """Escaping is switched off for our own literals, or where a comment on the line or the one before says why."""
    lines = path.read_text(encoding="utf-8").splitlines()
    for number, line in enumerate(lines):
        if re.search(r"(?<![\"'\s])\s*\|\s*safe\b", line) or "autoescape false" in line:
            assert "{#" in line or (number and "{#" in lines[number - 1]), f"line {number + 1}"


def test_every_mail_exists_in_every_language() -> None:
    mails: dict[str, set[str]] = {}
    for path in templates():
        if path.parent.name in {"mail", "sms"} and path.suffix == ".txt":
            name, _, language = path.stem.rpartition(".")
            mails.setdefault(relative(path.parent / name), set()).add(language)
    assert {name: found for name, found in mails.items() if found != LANGUAGES} == {}


def test_every_template_that_is_named_exists() -> None:
    """`render_template("…")` with a written name leads to a file."""
    known = {
        path.relative_to(ROOT / package / "templates").as_posix()
        for package in PACKAGES
        for path in (ROOT / package / "templates").rglob("*")
        if path.is_file()
    }
    missing = [
        f"{relative(path)}:{node.lineno}: {node.args[0].value!r}"
        for path in python_files()
        for node in ast.walk(tree_of(path))
        if isinstance(node, ast.Call)
        and getattr(node.func, "id", "") == "render_template"
        and node.args
        and isinstance(node.args[0], ast.Constant)
        and node.args[0].value not in known
    ]
    assert missing == []


def test_every_template_is_used() -> None:
    """A template nobody names, extends or includes is left over. Names may be put together: f"link_{purpose}.html"."""
    named = "\n".join(path.read_text(encoding="utf-8") for path in [*python_files(), *templates()])
    patterns = [re.compile(pattern) for pattern in put_together()]
    unused = []
    for package in PACKAGES:
        for path in (ROOT / package / "templates").rglob("*"):
            if not path.is_file():
                continue
            name = path.relative_to(ROOT / package / "templates").as_posix()
            if path.parent.name in {"mail", "sms"}:  # the folder's name stands in a constant of the feature
                mail = re.escape(path.name.split(".")[0])
                used = re.search(rf"[/\"]{mail}[.\"]", named) is not None
            else:
                used = name in named or any(pattern.fullmatch(name) for pattern in patterns)
            if not used:
                unused.append(name)
    assert unused == []


def put_together() -> list[str]:
    """Patterns of the names that f-strings make, of those with a folder in them."""
    patterns = []
    for path in python_files():
        for node in ast.walk(tree_of(path)):
            if isinstance(node, ast.JoinedStr):
                parts = [
                    re.escape(str(part.value)) if isinstance(part, ast.Constant) else r"[\w-]+"
                    for part in node.values
                ]
                if any("/" in part for part in parts) and "".join(parts).startswith(PACKAGES):
                    patterns.append("".join(parts))
    return patterns
