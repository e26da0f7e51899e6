"""Settings come from the environment, and a bad one is one clear sentence."""

import pytest

from marketplace.settings import DEVELOPMENT_SECRET, Settings, SettingsError, read_settings

PRODUCTION = {
    "MARKETPLACE_ENV": "production",
    "MARKETPLACE_SECRET": "s" * 32,
    "MARKETPLACE_DATABASE_URL": "postgresql://db/tilaa",
    "MARKETPLACE_PUBLIC_URL": "https://tilat.example.org",
    "MARKETPLACE_SMTP_URL": "smtp://mail.example.org:25",
    "MARKETPLACE_MAIL_FROM": "Tilaa <tilat@example.org>",
}


def test_nothing_set_is_a_development_machine() -> None:
    settings = read_settings({"PATH": "/bin", "PORT": "1"})
    assert settings == Settings()
    assert settings.secret == DEVELOPMENT_SECRET
    assert settings.base_url == "http://127.0.0.1:8000"


def test_values_have_the_type_of_their_setting() -> None:
    settings = read_settings(
        {
            "MARKETPLACE_PORT": "9000",
            "MARKETPLACE_RATE_LIMITS": "0",
            "MARKETPLACE_PUBLIC_URL": "https://x.example/",
        }
    )
    assert settings.port == 9000
    assert settings.rate_limits is False
    assert settings.base_url == "https://x.example"
    assert read_settings({"MARKETPLACE_RATE_LIMITS": "TRUE"}).rate_limits is True


def test_a_number_that_is_none_is_named() -> None:
    with pytest.raises(SettingsError, match="MARKETPLACE_PORT must be a whole number, not 'eight'"):
        read_settings({"MARKETPLACE_PORT": "eight"})


def test_production_starts_with_everything_it_needs() -> None:
    assert read_settings(PRODUCTION).is_production


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("MARKETPLACE_SECRET", None),
        ("MARKETPLACE_SECRET", DEVELOPMENT_SECRET),
        ("MARKETPLACE_SECRET", "short"),
        ("MARKETPLACE_DATABASE_URL", None),
        ("MARKETPLACE_PUBLIC_URL", None),
        ("MARKETPLACE_PUBLIC_URL", "http://tilat.example.org"),
        ("MARKETPLACE_SMTP_URL", ""),
        ("MARKETPLACE_MAIL_FROM", None),
    ],
)
def test_production_refuses_to_start_without_one_of_them(name: str, value: str | None) -> None:
    environ = {key: given for key, given in PRODUCTION.items() if key != name}
    if value is not None:
        environ[name] = value
    with pytest.raises(SettingsError, match=name):
        read_settings(environ)


def test_an_unknown_environment_is_refused() -> None:
    with pytest.raises(SettingsError, match="MARKETPLACE_ENV"):
        read_settings({"MARKETPLACE_ENV": "prod"})


def test_secrets_do_not_show_in_a_refusal() -> None:
    with pytest.raises(SettingsError) as refused:
        read_settings({**PRODUCTION, "MARKETPLACE_SECRET": "tooshortsecret"})
    assert "tooshortsecret" not in str(refused.value)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("MARKETPLACE_LOG_LEVEL", "loud"),
        ("MARKETPLACE_DATABASE_POOL", "0"),
        ("MARKETPLACE_TRUSTED_PROXIES", "-1"),
    ],
)
def test_a_value_that_cannot_work_is_refused(name: str, value: str) -> None:
    with pytest.raises(SettingsError, match=name):
        read_settings({name: value})
