"""Mobile numbers as people write them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from marketplace.errors import Invalid
from marketplace.notifications.numbers import masked, read_number, shown_number

ALLOWED = frozenset({"FI", "AX", "SE"})


def read(text: str) -> str:
    return read_number(text, country="FI", allowed=ALLOWED)


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("040 123 4567", "+358401234567"),
        ("(040) 123-4567", "+358401234567"),
        ("+358 40 1234567", "+358401234567"),
        ("00358 401234567", "+358401234567"),
        ("0457 123 4567", "+3584571234567"),
        ("+46 70 123 45 67", "+46701234567"),
        (" 040\u00a0123\u00a04567 ", "+358401234567"),
    ],
)
def test_local_and_foreign_forms_are_kept_as_one(typed: str, kept: str) -> None:
    assert read(typed) == kept


@pytest.mark.parametrize(
    ("typed", "code"),
    [
        ("", "no-number"),
        ("call me", "no-number"),
        ("040", "no-number"),
        ("112", "no-number"),
        ("+999 1234 567", "no-number"),
        ("040 123 4567 ext. 12", "no-number"),
        ("0" * 500, "no-number"),
        ("040 123 4567" + " " * 40, "no-number"),
        ("09 310 1691", "not-mobile"),
        ("0600 12345", "not-mobile"),
        ("+44 7400 123456", "country-not-served"),
        ("+7 912 345 67 89", "country-not-served"),
    ],
)
def test_what_no_text_message_goes_to_is_refused_with_its_reason(typed: str, code: str) -> None:
    with pytest.raises(Invalid) as refused:
        read(typed)
    assert [(field.field, field.code) for field in refused.value.fields] == [("number", code)]


@given(st.text(max_size=60))
def test_anything_typed_is_a_number_or_a_refusal(text: str) -> None:
    try:
        kept = read(text)
    except Invalid:
        return
    assert read(kept) == kept
    assert read(shown_number(kept, country="FI")) == kept


def test_a_number_is_shown_as_people_write_it_and_told_by_its_end() -> None:
    assert shown_number("+358401234567", country="FI") == "040 1234567"
    assert shown_number("+46701234567", country="FI") == "+46 70 123 45 67"
    assert masked("+358401234567") == "+358 … 67"
