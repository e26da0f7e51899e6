"""The letters of text messages and the room they take."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from marketplace.notifications.gsm import EXTENDED, LETTERS, folded, segments, units


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("Töölön åäö ÅÄÖ é ü", "Töölön åäö ÅÄÖ é ü"),
        ("klo\u00a018.00\u2060–\u206019.30", "klo 18.00-19.30"),
        ("“Sali” ‘A’ … €5", "\"Sali\" 'A' ... €5"),
        ("Čállin Đŋŧ žš ł", "Callin Dnt zs l"),
        ("Зал 会", "??? ?"),
        ("a\u202eb\u200bc\x00", "abc"),
        ("o\u0308", "ö"),
    ],
)
def test_what_has_no_letter_is_written_with_the_nearest(text: str, written: str) -> None:
    assert folded(text) == written


@given(st.text())
@example("\ufb03")
def test_everything_can_be_written_and_once_is_enough(text: str) -> None:
    once = folded(text)
    assert set(once) <= LETTERS | EXTENDED
    assert folded(once) == once


def test_the_basic_letters_are_128_with_the_escape() -> None:
    """GSM 03.38: 128 places, of which one is the escape and one the carriage return that phones do not show."""
    assert len(LETTERS) == 127 - 1
    assert not LETTERS & EXTENDED


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("", 1),
        ("ä" * 160, 1),
        ("ä" * 161, 2),
        ("å" * 306, 2),
        ("å" * 307, 3),
        ("€" * 80, 1),
        ("€" * 81, 2),
        # 152 letters, an escape that no longer fits in the first part, and the rest.
        ("a" * 152 + "€" + "a" * 151, 2),
        ("a" * 152 + "€" + "a" * 152, 3),
    ],
)
def test_segments_are_counted_as_they_are_paid(text: str, count: int) -> None:
    assert segments(text) == count


@given(st.text(alphabet=sorted(LETTERS | EXTENDED), max_size=700))
def test_segments_lie_between_what_fits_and_what_must(text: str) -> None:
    if units(text) <= 160:
        assert segments(text) == 1
    else:
        assert -(-units(text) // 153) <= segments(text) <= -(-units(text) // 152)
