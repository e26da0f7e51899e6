"""Every refusal can be told to people: its own code, a title in each language, and a page."""

import pytest
from flask import Flask
from flask.testing import FlaskClient

from marketplace.errors import Refusal
from marketplace.translate import LOCALES, PACKAGES, read_catalogue
from marketplace.web.pages import refusals
from marketplace.web.problems import HTTP_TITLES, STATUS

HIDDEN = {"test"}


def kinds() -> list[type[Refusal]]:
    found: list[type[Refusal]] = []
    waiting: list[type[Refusal]] = [Refusal]
    while waiting:
        kind = waiting.pop()
        if not kind.__module__.startswith("tests."):
            found.append(kind)
        waiting.extend(kind.__subclasses__())
    return found


def package_of(kind: type[Refusal]) -> str:
    return kind.__module__.partition(".")[0]


def test_every_refusal_has_a_code_and_title_of_its_own(app: Flask) -> None:
    by_code: dict[str, type[Refusal]] = {}
    for kind in kinds():
        assert kind.code not in by_code, f"{kind} and {by_code[kind.code]} share {kind.code}"
        by_code[kind.code] = kind
        assert "code" in vars(kind), f"{kind} has no code of its own"
        assert "title" in vars(kind), f"{kind} has no title of its own"
        assert kind.code == kind.code.lower().replace("_", "-").replace(" ", "-")


def test_every_refusal_belongs_to_a_family(app: Flask) -> None:
    """So that it has a status; only the base itself stands outside."""
    families = tuple(family for family, _ in STATUS)
    assert {kind for kind in kinds() if not issubclass(kind, families)} == {Refusal}


@pytest.mark.parametrize("locale", LOCALES)
def test_every_title_is_translated(app: Flask, locale: str) -> None:
    catalogues = {package: read_catalogue(package, locale) for package in PACKAGES}
    missing = {
        kind.title
        for kind in kinds()
        if not (message := catalogues[package_of(kind)].get(kind.title)) or not message.string
    }
    assert missing == set()


@pytest.mark.parametrize("language", ["fi", "sv", "en"])
def test_every_code_has_a_page(app: Flask, client: FlaskClient, language: str) -> None:
    codes = {kind.code for kind in kinds()} | {f"http-{status}" for status in HTTP_TITLES} | {"internal"}
    assert codes - {"internal"} - {f"http-{s}" for s in HTTP_TITLES} <= set(refusals())
    answers = {code: client.get(f"/{language}/problems/{code}").status_code for code in codes}
    assert {code: status for code, status in answers.items() if status != 200} == {}


def test_an_unknown_code_is_a_404(client: FlaskClient) -> None:
    assert client.get("/en/problems/no-such-code").status_code == 404
    assert client.get("/en/problems/http-999").status_code == 404
