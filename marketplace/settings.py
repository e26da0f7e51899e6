"""Everything that a deployment can set, read once from MARKETPLACE_* environment variables."""

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Annotated

PREFIX = "MARKETPLACE_"
DEVELOPMENT_SECRET = "development-only"  # noqa: S105 - refused in production, see `Settings.problems`
ROOT = Path(__file__).resolve().parent.parent


class SettingsError(Exception):
    """The settings cannot be used; the message says which one and why, in one sentence."""


@dataclass(frozen=True)
class Settings:
    """Settings of one process. Each field is the variable MARKETPLACE_<NAME>; the README's table is checked against these."""

    env: Annotated[str, "`development`, `test` or `production`"] = "development"
    secret: Annotated[
        str, "Key for cookies, links and sealed door codes; at least 32 characters in production"
    ] = field(default=DEVELOPMENT_SECRET, repr=False)
    former_secrets: Annotated[
        str, "Keys that MARKETPLACE_SECRET was before, with blanks between: what they sealed can be read"
    ] = field(default="", repr=False)
    database_url: Annotated[str, "PostgreSQL 15 or newer; empty means the embedded server"] = field(
        default="", repr=False
    )
    host: Annotated[str, "Address that the web server listens on"] = "127.0.0.1"
    port: Annotated[int, "Port that the web server listens on"] = 8000
    public_url: Annotated[
        str,
        "Address in mails and feeds, and the host name that production answers to; empty means http://HOST:PORT",
    ] = ""
    city: Annotated[str, "Slug of the city shown when the host name names none"] = "helsinki"
    smtp_url: Annotated[str, "smtp://user:password@host:587; empty keeps mail in the mailbox page"] = field(
        default="", repr=False
    )
    mail_from: Annotated[str, "Sender of mail"] = "Tilaa <no-reply@localhost>"
    tile_url: Annotated[
        str, "Map tiles under the district outlines, {z}/{x}/{y}; empty shows outlines only"
    ] = ""
    trusted_proxies: Annotated[int, "Number of reverse proxies whose X-Forwarded-* headers are believed"] = 0
    database_pool: Annotated[
        int, "Database connections each web process may hold, so the requests it serves at once"
    ] = 4
    log_level: Annotated[str, "`debug`, `info`, `warning` or `error`"] = "info"
    files_folder: Annotated[
        str, "Folder for photos and other files that people hand in; used while no bucket is named"
    ] = "instance/files"
    files_bucket: Annotated[
        str, "Bucket of an S3-compatible store for those files; empty means the folder"
    ] = ""
    files_endpoint: Annotated[str, "https:// address of that store; empty means Amazon's own"] = ""
    files_region: Annotated[str, "Region of that store"] = "us-east-1"
    files_access_key: Annotated[str, "Access key of that store"] = ""
    files_secret_key: Annotated[str, "Secret key of that store"] = field(default="", repr=False)
    sms_url: Annotated[str, "https:// address of the text message gateway; empty means no text messages"] = ""
    sms_token: Annotated[str, "Bearer token for that gateway"] = field(default="", repr=False)
    sms_sender: Annotated[str, "Sender of text messages: up to 11 letters and digits, or a number"] = "Tilaa"
    sms_timeout_seconds: Annotated[int, "How long the gateway may take to answer"] = 10
    sms_countries: Annotated[
        str, "Countries that text messages are sent to, ISO codes; the European Economic Area and Åland"
    ] = "AT AX BE BG CY CZ DE DK EE ES FI FR GR HR HU IE IS IT LI LT LU LV MT NL NO PL PT RO SE SI SK"
    sms_codes_per_day: Annotated[int, "Codes that each city sends at most to numbers being confirmed"] = 500
    stripe_key: Annotated[
        str,
        "Secret key of Stripe, a test key outside production; empty means no card payments through Stripe",
    ] = field(default="", repr=False)
    stripe_webhook_secret: Annotated[str, "Signing secret of Stripe's webhook of the city's own account"] = (
        field(default="", repr=False)
    )
    stripe_connect_webhook_secret: Annotated[
        str, "Signing secret of Stripe's webhook of suppliers' accounts (Connect)"
    ] = field(default="", repr=False)
    stripe_api_base: Annotated[str, "Address of Stripe's API; empty means Stripe's own"] = ""
    payment_timeout_seconds: Annotated[int, "How long the payment gateway may take to answer"] = 20
    test_bank: Annotated[
        str, "`1` or `0`: the built-in test bank, where no money moves; empty means on outside production"
    ] = ""
    rate_limits: Annotated[bool, "Limits on sign-in, mail and booking attempts; `0` turns them off"] = True

    @property
    def is_production(self) -> bool:
        return self.env == "production"

    @property
    def base_url(self) -> str:
        return self.public_url.rstrip("/") or f"http://{self.host}:{self.port}"

    @property
    def test_bank_on(self) -> bool:
        return not self.is_production and self.test_bank != "0"

    @property
    def stripe_is_live(self) -> bool:
        """Whether the key moves real money."""
        return "_live_" in self.stripe_key

    @property
    def pay_pages(self) -> str:
        """Origin of the payment service's pay pages, empty without one: a form of ours leads there by way of a redirect."""
        if not self.stripe_key:
            return ""
        return self.stripe_api_base.rstrip("/") or "https://checkout.stripe.com"

    def problems(self) -> list[str]:
        """Reasons not to start, each one sentence naming the variable."""
        found = []
        if self.env not in {"development", "test", "production"}:
            found.append("MARKETPLACE_ENV must be development, test or production.")
        if self.log_level.lower() not in {"debug", "info", "warning", "error"}:
            found.append("MARKETPLACE_LOG_LEVEL must be debug, info, warning or error.")
        if self.database_pool < 1:
            found.append("MARKETPLACE_DATABASE_POOL must be at least 1.")
        if self.trusted_proxies < 0:
            found.append("MARKETPLACE_TRUSTED_PROXIES must not be negative.")
        if self.files_bucket and not (self.files_access_key and self.files_secret_key):
            found.append(
                "MARKETPLACE_FILES_ACCESS_KEY and MARKETPLACE_FILES_SECRET_KEY must be set for MARKETPLACE_FILES_BUCKET."
            )
        found += self.sms_problems()
        found += self.payment_problems()
        if self.is_production:
            if self.files_endpoint and not self.files_endpoint.startswith("https://"):
                found.append("MARKETPLACE_FILES_ENDPOINT must be an https:// address in production.")
            if self.secret == DEVELOPMENT_SECRET or len(self.secret) < 32:
                found.append("MARKETPLACE_SECRET must be set to at least 32 random characters in production.")
            if not self.database_url:
                found.append("MARKETPLACE_DATABASE_URL must name a PostgreSQL server in production.")
            if not self.public_url.startswith("https://"):
                found.append(
                    "MARKETPLACE_PUBLIC_URL must be the https:// address of the service in production."
                )
            if not self.smtp_url:
                found.append("MARKETPLACE_SMTP_URL must name a mail server in production.")
            if self.mail_from.endswith("@localhost>"):
                found.append("MARKETPLACE_MAIL_FROM must be an address that may send mail in production.")
        return found

    def payment_problems(self) -> list[str]:
        """Reasons not to start that have to do with payments. Keys and secrets are never repeated in them."""
        found = []
        if self.test_bank not in {"", "0", "1"}:
            found.append("MARKETPLACE_TEST_BANK must be 1, 0 or empty.")
        if self.is_production and self.test_bank == "1":
            found.append("MARKETPLACE_TEST_BANK must not be on in production: there, bookings are paid for.")
        if not 1 <= self.payment_timeout_seconds <= 80:
            found.append("MARKETPLACE_PAYMENT_TIMEOUT_SECONDS must be from 1 to 80.")
        if not self.stripe_key:
            return found
        if not re.fullmatch(r"[sr]k_(?:test|live)_[A-Za-z0-9]+", self.stripe_key):
            found.append("MARKETPLACE_STRIPE_KEY must be a secret key that begins with sk_ or rk_.")
        elif self.stripe_is_live and not self.is_production:
            found.append("MARKETPLACE_STRIPE_KEY must be a test key outside production.")
        if not self.stripe_webhook_secret:
            found.append("MARKETPLACE_STRIPE_WEBHOOK_SECRET must be set for MARKETPLACE_STRIPE_KEY.")
        if self.stripe_api_base and not re.fullmatch(r"https?://[^\s/?#@]+/?", self.stripe_api_base):
            found.append("MARKETPLACE_STRIPE_API_BASE must be an https:// address without a path.")
        elif self.is_production and self.stripe_api_base.startswith("http://"):
            found.append("MARKETPLACE_STRIPE_API_BASE must be an https:// address in production.")
        return found

    def sms_problems(self) -> list[str]:
        """Reasons not to start that have to do with text messages."""
        if not self.sms_url:
            return []
        found = []
        if not re.fullmatch(r"https?://[^\s/?#@]+([/?][\x21-\x7e]*)?", self.sms_url):
            found.append("MARKETPLACE_SMS_URL must be an https:// address without a user name.")
        elif self.is_production and not self.sms_url.startswith("https://"):
            found.append("MARKETPLACE_SMS_URL must be an https:// address in production.")
        if not re.fullmatch(r"[\x21-\x7e]+", self.sms_token):
            found.append("MARKETPLACE_SMS_TOKEN must be the gateway's token, without blanks.")
        if not re.fullmatch(
            r"[A-Za-z0-9](?:[A-Za-z0-9 .-]{0,9}[A-Za-z0-9])?|\+[1-9][0-9]{6,14}", self.sms_sender
        ):
            found.append(
                "MARKETPLACE_SMS_SENDER must be 1 to 11 letters and digits, or a number such as +358401234567."
            )
        if not 1 <= self.sms_timeout_seconds <= 60:
            found.append("MARKETPLACE_SMS_TIMEOUT_SECONDS must be from 1 to 60.")
        if not self.sms_countries.split() or not all(
            re.fullmatch(r"[A-Z]{2}", code) for code in self.sms_countries.split()
        ):
            found.append(
                "MARKETPLACE_SMS_COUNTRIES must be codes of two letters such as FI SE, with blanks between."
            )
        if self.sms_codes_per_day < 1:
            found.append("MARKETPLACE_SMS_CODES_PER_DAY must be at least 1.")
        return found


def read_settings(environ: Mapping[str, str] | None = None) -> Settings:
    """Settings from the environment. Raises SettingsError on an unknown name, a bad value or a missing secret."""
    environ = os.environ if environ is None else environ
    known = {f.name: f for f in fields(Settings)}
    values: dict[str, object] = {}
    for name, field_ in known.items():
        raw = environ.get(PREFIX + name.upper())
        if raw is None:
            continue
        default = field_.default
        if isinstance(default, bool):
            values[name] = raw.strip().lower() in {"1", "true", "yes", "on"}
        elif isinstance(default, int):
            try:
                values[name] = int(raw)
            except ValueError:
                raise SettingsError(f"{PREFIX}{name.upper()} must be a whole number, not {raw!r}.") from None
        else:
            values[name] = raw
    settings = Settings(**values)  # type: ignore[arg-type]
    if problems := settings.problems():
        raise SettingsError(" ".join(problems))
    return settings
