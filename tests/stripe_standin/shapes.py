"""Which parameters each call takes. What is not named here is refused, as Stripe refuses what it does not know.

The table holds what the stand-in really does and nothing more: a parameter that Stripe knows and the stand-in
would ignore is an error too, so that nothing passes here that does something else there. A test holds the names
against those of stripe-python.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit


class Bad(Exception):
    """The request cannot be done; becomes Stripe's error JSON with this HTTP status."""

    def __init__(
        self,
        message: str,
        *,
        param: str | None = None,
        code: str | None = None,
        status: int = 400,
        kind: str = "invalid_request_error",
        **more: Any,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.body = {"type": kind, "message": message, **more}
        if param:
            self.body["param"] = param
        if code:
            self.body["code"] = code


@dataclass(frozen=True)
class Text:
    """A text of 1 to `longest` characters, one of `choices` if there are any."""

    choices: tuple[str, ...] = ()
    longest: int = 5000

    def read(self, raw: Any, param: str) -> str:
        if not isinstance(raw, str):
            raise Bad(f"Invalid string: {param}", param=param)
        if not raw:
            raise Bad(
                f"You passed an empty string for '{param}'. We assume empty values are an attempt to unset a parameter; however '{param}' cannot be unset.",
                param=param,
                code="parameter_invalid_empty",
            )
        if len(raw) > self.longest:
            raise Bad(f"Invalid string: {param} must be at most {self.longest} characters", param=param)
        if self.choices and raw not in self.choices:
            raise Bad(f"Invalid {param}: must be one of {', '.join(self.choices)}", param=param)
        return raw


@dataclass(frozen=True)
class Address:
    """A web address."""

    def read(self, raw: Any, param: str) -> str:
        text = Text(longest=5000).read(raw, param)
        parts = urlsplit(text)
        if parts.scheme not in {"http", "https"} or not parts.netloc:
            raise Bad("Not a valid URL", param=param, code="url_invalid")
        return text


@dataclass(frozen=True)
class Whole:
    """A whole number from `least` to `most`."""

    least: int = 0
    most: int = 99_999_999_99

    def read(self, raw: Any, param: str) -> int:
        if not isinstance(raw, str) or not re.fullmatch(r"-?[0-9]{1,18}", raw):
            raise Bad(f"Invalid integer: {raw}", param=param, code="parameter_invalid_integer")
        value = int(raw)
        if not self.least <= value <= self.most:
            raise Bad(
                f"This value must be from {self.least} to {self.most}.",
                param=param,
                code="parameter_invalid_integer",
            )
        return value


@dataclass(frozen=True)
class Flag:
    """`true` or `false`."""

    def read(self, raw: Any, param: str) -> bool:
        if raw not in ("true", "false"):
            raise Bad(f"Invalid boolean: {raw}", param=param)
        return bool(raw == "true")


@dataclass(frozen=True)
class Words:
    """Metadata: up to 50 names of up to 40 characters with values of up to 500."""

    def read(self, raw: Any, param: str) -> dict[str, str]:
        if not isinstance(raw, dict):
            raise Bad(f"Invalid object: {param}", param=param)
        if len(raw) > 50:
            raise Bad("Metadata can have up to 50 keys.", param=param)
        for name, value in raw.items():
            if not isinstance(value, str):
                raise Bad("Metadata values must be strings.", param=f"{param}[{name}]")
            if len(name) > 40 or len(value) > 500:
                raise Bad("Metadata keys hold up to 40 characters, values up to 500.", param=param)
        return dict(raw)


@dataclass(frozen=True)
class Many:
    """A list, sent as `name[0]`, `name[1]` and so on."""

    item: "Shape"
    most: int = 100

    def read(self, raw: Any, param: str) -> list[Any]:
        if not isinstance(raw, dict) or not all(key.isdigit() or not key for key in raw):
            raise Bad("Invalid array", param=param)
        if len(raw) > self.most:
            raise Bad(f"The array {param} holds at most {self.most}.", param=param)
        return [self.item.read(value, f"{param}[{key}]") for key, value in raw.items()]


@dataclass(frozen=True)
class Fields:
    """An object with these parameters; those of `needed` must be there."""

    known: Mapping[str, "Shape"] = field(default_factory=dict)
    needed: tuple[str, ...] = ()

    def read(self, raw: Any, param: str = "") -> dict[str, Any]:
        if not isinstance(raw, dict):
            raise Bad(f"Invalid object: {param}", param=param)
        for name in raw:
            if name not in self.known:
                full = f"{param}[{name}]" if param else name
                raise Bad(f"Received unknown parameter: {full}", param=full, code="parameter_unknown")
        for name in self.needed:
            if name not in raw:
                full = f"{param}[{name}]" if param else name
                raise Bad(f"Missing required param: {full}.", param=full, code="parameter_missing")
        return {
            name: self.known[name].read(value, f"{param}[{name}]" if param else name)
            for name, value in raw.items()
        }


Shape = Text | Address | Whole | Flag | Words | Many | Fields

ID = Text(longest=100)
EXPAND = Many(Text(longest=200), most=20)
CURRENCY = Text(choices=("eur", "sek", "nok", "dkk"))
PAGE: dict[str, Shape] = {"limit": Whole(1, 100), "starting_after": ID, "expand": EXPAND}

SESSION = Fields(
    {
        "mode": Text(choices=("payment",)),
        "line_items": Many(
            Fields(
                {
                    "quantity": Whole(1, 999_999),
                    "price_data": Fields(
                        {
                            "currency": CURRENCY,
                            "unit_amount": Whole(0),
                            "product_data": Fields(
                                {"name": Text(longest=250), "description": Text(longest=5000)}, ("name",)
                            ),
                        },
                        ("currency", "unit_amount", "product_data"),
                    ),
                },
                ("quantity", "price_data"),
            )
        ),
        "discounts": Many(Fields({"coupon": ID}, ("coupon",)), most=1),
        "success_url": Address(),
        "cancel_url": Address(),
        "locale": Text(choices=("auto", "fi", "sv", "en")),
        "expires_at": Whole(),
        "client_reference_id": Text(longest=200),
        "customer_email": Text(longest=800),
        "submit_type": Text(choices=("auto", "book", "pay")),
        "metadata": Words(),
        "allowed_payment_method_types": Many(Text(choices=("card",))),
        "payment_intent_data": Fields(
            {
                "capture_method": Text(choices=("automatic", "automatic_async", "manual")),
                "application_fee_amount": Whole(1),
                "transfer_data": Fields({"destination": ID}, ("destination",)),
                "description": Text(longest=1000),
                "metadata": Words(),
            }
        ),
        "expand": EXPAND,
    },
    ("mode", "line_items", "success_url"),
)
COUPON = Fields(
    {
        "amount_off": Whole(1),
        "currency": CURRENCY,
        "duration": Text(choices=("once",)),
        "max_redemptions": Whole(1),
        "name": Text(longest=40),
        "metadata": Words(),
        "expand": EXPAND,
    },
    ("amount_off", "currency"),
)
CAPTURE = Fields({"amount_to_capture": Whole(1), "application_fee_amount": Whole(), "expand": EXPAND})
CANCEL = Fields(
    {
        "cancellation_reason": Text(
            choices=("abandoned", "duplicate", "fraudulent", "requested_by_customer")
        ),
        "expand": EXPAND,
    }
)
REFUND = Fields(
    {
        "payment_intent": ID,
        "amount": Whole(1),
        "reason": Text(choices=("duplicate", "fraudulent", "requested_by_customer")),
        "reverse_transfer": Flag(),
        "refund_application_fee": Flag(),
        "metadata": Words(),
        "expand": EXPAND,
    },
    ("payment_intent",),
)
ACCOUNT = Fields(
    {
        "country": Text(choices=("FI", "SE", "NO", "DK", "EE")),
        "email": Text(longest=800),
        "business_type": Text(choices=("company", "individual", "non_profit", "government_entity")),
        "business_profile": Fields({"name": Text(longest=200), "url": Address()}),
        "company": Fields({"name": Text(longest=200), "tax_id": Text(longest=50)}),
        "capabilities": Fields(
            {
                "transfers": Fields({"requested": Flag()}),
                "card_payments": Fields({"requested": Flag()}),
            }
        ),
        "controller": Fields(
            {
                "fees": Fields({"payer": Text(choices=("account", "application"))}),
                "losses": Fields({"payments": Text(choices=("application", "stripe"))}),
                "requirement_collection": Text(choices=("application", "stripe")),
                "stripe_dashboard": Fields({"type": Text(choices=("express", "full", "none"))}),
            }
        ),
        "metadata": Words(),
        "expand": EXPAND,
    }
)
LINK = Fields(
    {
        "account": ID,
        "type": Text(choices=("account_onboarding", "account_update")),
        "return_url": Address(),
        "refresh_url": Address(),
        "collection_options": Fields({"fields": Text(choices=("currently_due", "eventually_due"))}),
        "expand": EXPAND,
    },
    ("account", "type"),
)
ONE = Fields({"expand": EXPAND})
LIST = Fields(PAGE)
REFUNDS = Fields({**PAGE, "payment_intent": ID, "charge": ID})
DISPUTES = Fields({**PAGE, "payment_intent": ID, "charge": ID})
PAYOUTS = Fields({**PAGE, "status": Text()})
EVENTS = Fields({**PAGE, "type": Text()})


def nested(pairs: Iterable[tuple[str, str]]) -> dict[str, Any]:
    """`a[b][0][c]=v` as dictionaries in each other, the way that Stripe reads a form."""
    found: dict[str, Any] = {}
    for name, value in pairs:
        match = re.fullmatch(r"([^\[\]]+)((?:\[[^\[\]]*\])*)", name)
        if match is None:
            raise Bad(f"Invalid request (check that your POST content type is right): {name}", param=name)
        path = [match[1], *re.findall(r"\[([^\[\]]*)\]", match[2])]
        here = found
        for part in path[:-1]:
            here = here.setdefault(part, {})
            if not isinstance(here, dict):
                raise Bad(f"Invalid object: {name}", param=name)
        last = path[-1] or str(len(here))
        if last in here:
            raise Bad(f"Duplicate parameter: {name}", param=name)
        here[last] = value
    return found
