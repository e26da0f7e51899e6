"""References can be read aloud; tokens cannot be guessed."""

import re

from marketplace.ids import ALPHABET, new_reference, new_token, token_hash


def test_a_reference_is_eight_letters_that_are_not_mixed_up() -> None:
    seen = {new_reference() for _ in range(2000)}
    assert len(seen) == 2000
    assert all(re.fullmatch(rf"[{ALPHABET}]{{4}}-[{ALPHABET}]{{4}}", reference) for reference in seen)
    assert not set("ILOU") & set(ALPHABET)
    assert len(ALPHABET) == len(set(ALPHABET)) == 32


def test_a_token_goes_into_an_address_as_it_is_and_is_kept_as_a_digest() -> None:
    token = new_token()
    assert re.fullmatch(r"[\w-]{43}", token)
    assert token_hash(token) == token_hash(token)
    assert len(token_hash(token)) == 32
    assert token_hash(new_token()) != token_hash(token)
