"""What may be a password, and how it is kept."""

import pytest
from argon2 import PasswordHasher

from marketplace.identity import passwords
from marketplace.identity.passwords import hash_password, matches, password_problem, renewed


def code(password: str) -> str | None:
    problem = password_problem(password, name="Aino Korhonen", email="aino.korhonen@example.org")
    return problem.code if problem else None


@pytest.mark.parametrize(
    ("password", "expected"),
    [
        ("lumisade9", "short"),
        ("x" * 257, "long"),
        ("salasana2024!", "common"),
        ("Password123", "common"),
        ("Sommar2024!", "common"),
        ("1234567890", "common"),
        ("qwertyuiop", "common"),
        ("poiuytrewq", "common"),
        ("abababababab", "common"),
        ("correct horse battery staple", "common"),
        ("aino.korhonen@example.org", "own"),
        ("Aino Korhonen", "own"),
        ("korhonen1234", "own"),
        ("aino.korhonen", "own"),
    ],
)
def test_passwords_that_others_would_guess_are_refused(password, expected):
    assert code(password) == expected


@pytest.mark.parametrize(
    "password",
    ["lumi sataa hiljaa", "ainoastaan keskiviikkoisin", "kymmenen!!", "x7Kq!mZp2w", "äöåÄÖÅäöåÄÖÅb9"],
)
def test_length_and_rarity_count_and_which_characters_do_not(password):
    assert code(password) is None


def test_the_same_letters_typed_on_another_keyboard_match():
    assert matches(hash_password("kesa\u0308 jäätelö"), "kesä jäätelö")


def test_a_wrong_password_no_password_and_no_account_all_fail():
    stored = hash_password("lumi sataa hiljaa")
    assert matches(stored, "lumi sataa hiljaa")
    assert not matches(stored, "lumi sataa hiljaa ")
    assert not matches(None, "lumi sataa hiljaa")
    assert not matches("not a hash", "lumi sataa hiljaa")
    assert not matches(stored, "x" * 100_000)


def test_a_hash_is_renewed_when_the_parameters_have_changed(monkeypatch):
    stored = hash_password("lumi sataa hiljaa")
    assert renewed(stored, "lumi sataa hiljaa") is None
    monkeypatch.setattr(passwords, "hasher", PasswordHasher(time_cost=2, memory_cost=64, parallelism=1))
    new = renewed(stored, "lumi sataa hiljaa")
    assert new is not None
    assert new != stored
    assert matches(new, "lumi sataa hiljaa")


def test_the_parameters_in_use_are_argon2id_and_not_weaker_than_owasp_asks(monkeypatch):
    monkeypatch.undo()
    assert passwords.hasher.type.name == "ID"
    assert passwords.hasher.memory_cost >= 47104
    assert hash_password("lumi sataa hiljaa").startswith("$argon2id$")
