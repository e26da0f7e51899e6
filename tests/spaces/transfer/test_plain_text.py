"""Texts of other systems, as a reader of their page would see them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spaces.transfer.text import line_of, plain_text


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("eri\u00adlaisia tapahtu\u00admia", "erilaisia tapahtumia"),
        (
            "<p>Tilaan mahtuu 60 henkil&ouml;&auml;.</p>\r\n<p>Toinen</p>",
            "Tilaan mahtuu 60 henkilöä.\n\nToinen",
        ),
        ("<ul>\r\n<li>Ma 9-13.30</li>\r\n<li>Ti 18-21</li>\r\n</ul>", "– Ma 9-13.30\n– Ti 18-21"),
        ("a<br>b<br/>c", "a\nb\nc"),
        ("1 &lt; 2 &amp; 3", "1 < 2 & 3"),
        ("Kauppa & torit < 100 m", "Kauppa & torit < 100 m"),
        ("a<script>alert('x')</script>b<style>p{}</style>", "ab"),
        ("rivi\r\ntoinen\r\n\r\n\r\n\r\nkolmas", "rivi\ntoinen\n\nkolmas"),
        ("  a\u00a0\t b  ", "a b"),
        ("2021&ndash;2022", "2021–2022"),
        ("", ""),
    ],
)
def test_markup_is_taken_away(written: str, read: str) -> None:
    assert plain_text(written) == read


def test_a_name_stays_on_one_line_and_short() -> None:
    assert line_of("a\n b\r\nc") == "a b c"
    assert len(line_of("x" * 1000)) == 300


def test_long_texts_are_cut_at_a_word() -> None:
    text = plain_text("sana " * 5000)
    assert len(text) <= 10_000
    assert text.endswith("sana…")


@given(st.text())
def test_any_text_becomes_plain(text: str) -> None:
    plain = plain_text(text)
    assert "\x00" not in plain
    assert "\u00ad" not in plain
    assert plain == plain.strip()
