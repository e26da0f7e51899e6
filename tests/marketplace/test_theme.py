"""A city's colours keep the contrasts that people need, and nothing else gets into the stylesheet."""

import pytest

from marketplace.cities.theme import TOKENS, contrast, mixed, theme_css, theme_problems


def test_the_colours_of_the_product_itself_are_readable() -> None:
    assert theme_problems({}) == []


def test_a_pale_brand_is_refused_with_the_contrast_it_lacks() -> None:
    problems = theme_problems({"brand": "#8888ff"})
    assert any("brand on white" in problem for problem in problems)


@pytest.mark.parametrize("value", ["red", "#fff", "#0000bg", "#0000BF;}body{display:none", "", "#0000bf\n"])
def test_what_is_no_colour_never_reaches_the_stylesheet(value: str) -> None:
    assert theme_css({"brand": value}) == ""
    assert theme_problems({"brand": value}) == ["brand is not a #rrggbb colour"]


def test_unknown_names_are_left_out() -> None:
    assert theme_css({"brand": "#123456", "x;}": "#123456"}) == ":root{--city-brand:#123456;}\n"
    assert theme_css({}) == ""


def test_contrast_is_that_of_wcag() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#ffffff", "#000000") == pytest.approx(21)
    assert contrast("#767676", "#ffffff") == pytest.approx(4.54, abs=0.01)
    assert contrast("#123456", "#123456") == 1


def test_mixing_all_or_none_gives_one_of_the_two() -> None:
    for colour in TOKENS.values():
        assert mixed(colour, "#ffffff", 1) == colour
        assert mixed(colour, "#ffffff", 0) == "#ffffff"
    assert mixed("#000000", "#ffffff", 0.5) == "#808080"
