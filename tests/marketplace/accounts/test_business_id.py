"""The Finnish business id."""

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from marketplace.accounts.business_id import WEIGHTS, normalised


def with_check_digit(digits: str) -> str | None:
    """The id of these seven digits, or None where none is given out."""
    rest = sum(int(digit) * weight for digit, weight in zip(digits, WEIGHTS, strict=True)) % 11
    return None if rest == 1 else f"{digits}-{(11 - rest) % 11}"


seven_digits = st.text("0123456789", min_size=7, max_size=7)


@given(seven_digits)
def test_valid_ids_are_accepted(digits):
    valid = with_check_digit(digits)
    assume(valid)
    assert valid is not None
    assert normalised(valid) == valid
    assert normalised(f" fi{valid} ") == valid


@given(seven_digits, st.integers(0, 7), st.integers(1, 9))
def test_any_single_changed_digit_is_noticed(digits, place, step):
    valid = with_check_digit(digits)
    assume(valid)
    assert valid is not None
    characters = [*digits, valid[-1]]
    characters[place] = str((int(characters[place]) + step) % 10)
    changed = "".join(characters)
    assert normalised(f"{changed[:7]}-{changed[7]}") is None


@given(st.text(max_size=12))
def test_anything_typed_is_answered(text):
    found = normalised(text)
    assert found is None or found.count("-") == 1


@pytest.mark.parametrize("text", ["0201256-6", "201256-6", "FI0201256-6", " 0201256-6 "])
def test_the_citys_own_id_in_its_usual_forms(text):
    assert normalised(text) == "0201256-6"


@pytest.mark.parametrize(
    "text", ["", "0201256", "02012566", "0201256-7", "0201256–6", "٠٢٠١٢٥٦-٦", "12345-1"]
)
def test_other_forms_are_not_ids(text):
    assert normalised(text) is None
