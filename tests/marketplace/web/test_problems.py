"""Refusals as pages and as problem details."""

import pytest

from marketplace.web.pages import refusals


def test_every_kind_of_problem_has_a_page_in_each_language(client):
    for code in [*refusals(), "http-404", "internal"]:
        for language in ("fi", "sv", "en"):
            answer = client.get(f"/{language}/problems/{code}")
            assert answer.status_code == 200, code
            assert code in answer.text


@pytest.mark.parametrize("code", ["no-such-code", "http-999", "http-x"])
def test_an_unknown_code_is_not_found(client, code):
    assert client.get(f"/en/problems/{code}").status_code == 404


def test_an_unknown_page_is_explained_in_the_readers_language(client):
    for language, words in (
        ("fi", "Tätä sivua"),
        ("sv", "Vi hittade inte"),
        ("en", "We did not find this page"),
    ):
        answer = client.get(f"/{language}/no-such-page", headers={"Accept-Language": language})
        assert answer.status_code == 404
        assert words in answer.text
