"""What a deployment may and may not set about payments; no sentence repeats a secret."""

import pytest

from marketplace.settings import Settings, SettingsError, read_settings

STRIPE = {"MARKETPLACE_STRIPE_KEY": "sk_test_4eC39H", "MARKETPLACE_STRIPE_WEBHOOK_SECRET": "whsec_1"}


def test_outside_production_the_test_bank_is_on_and_can_be_switched_off() -> None:
    assert read_settings({}).test_bank_on
    assert not read_settings({"MARKETPLACE_TEST_BANK": "0"}).test_bank_on
    assert not Settings(env="production").test_bank_on


def test_a_test_bank_in_production_is_refused() -> None:
    assert any("TEST_BANK" in problem for problem in Settings(env="production", test_bank="1").problems())
    assert not any("TEST_BANK" in problem for problem in Settings(env="production").problems())


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"MARKETPLACE_STRIPE_KEY": "sk_live_hidden"}, "STRIPE_KEY"),
        ({"MARKETPLACE_STRIPE_KEY": "pk_test_hidden"}, "STRIPE_KEY"),
        ({"MARKETPLACE_STRIPE_WEBHOOK_SECRET": ""}, "STRIPE_WEBHOOK_SECRET"),
        ({"MARKETPLACE_STRIPE_API_BASE": "ftp://hidden"}, "STRIPE_API_BASE"),
        ({"MARKETPLACE_STRIPE_API_BASE": "http://hidden@host"}, "STRIPE_API_BASE"),
        ({"MARKETPLACE_TEST_BANK": "maybe"}, "TEST_BANK"),
        ({"MARKETPLACE_PAYMENT_TIMEOUT_SECONDS": "0"}, "PAYMENT_TIMEOUT_SECONDS"),
        ({"MARKETPLACE_PAYMENT_TIMEOUT_SECONDS": "81"}, "PAYMENT_TIMEOUT_SECONDS"),
    ],
)
def test_what_cannot_be_used_is_named(change: dict[str, str], named: str) -> None:
    with pytest.raises(SettingsError) as refusal:
        read_settings({**STRIPE, **change})
    assert f"MARKETPLACE_{named}" in str(refusal.value)
    assert "hidden" not in str(refusal.value)


def test_a_test_key_with_its_secret_is_used() -> None:
    settings = read_settings(STRIPE)
    assert not settings.stripe_is_live
    assert "sk_test" not in repr(settings)


def test_in_production_the_api_is_asked_over_https() -> None:
    kept = Settings(
        env="production",
        stripe_key="sk_live_1",
        stripe_webhook_secret="w",
        stripe_api_base="http://127.0.0.1:1",
    )
    assert any("STRIPE_API_BASE" in problem for problem in kept.problems())
    assert kept.stripe_is_live


def test_where_the_pay_pages_are() -> None:
    """A browser blocks a form's redirect to an origin that our policy does not name."""
    assert Settings().pay_pages == ""
    assert read_settings(STRIPE).pay_pages == "https://checkout.stripe.com"
    stand_in = {**STRIPE, "MARKETPLACE_STRIPE_API_BASE": "http://127.0.0.1:12111/"}
    assert read_settings(stand_in).pay_pages == "http://127.0.0.1:12111"
