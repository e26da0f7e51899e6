"""The port to whoever moves money, and which one stands behind it.

A gateway is asked outside any transaction. Every call that changes something there carries a key: the same key is the
same act, however often it is asked for. Payments and refunds carry their key in what the gateway keeps of them, and it
comes back in what the gateway tells (`PaymentSeen.key`), so that news can be matched before our own row knows the
gateway's id.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Protocol, cast

from flask import current_app

from marketplace.errors import N_, Unavailable
from marketplace.settings import Settings


class GatewayDown(Exception):
    """The gateway cannot be asked just now, or we do not know what it did: ask again with the same key."""


class GatewayRefused(Exception):
    """The gateway will not do this, however often it is asked. `code` is its own short word for why."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class ForgedEvent(Exception):
    """This was not told by the gateway, or too long ago to be believed."""


class NoCardPayments(Unavailable):
    code = "no-card-payments"
    title = N_("Card payments are not available just now.")


@dataclass(frozen=True)
class CheckoutLine:
    """A line as the payer reads it: `total_minor` with tax for all of `quantity`."""

    label: str
    quantity: int
    total_minor: int


@dataclass(frozen=True)
class CheckoutAsk:
    """A pay page to be opened. `payee_external_id` None: the city itself is paid. URLs are absolute.

    The same payment always asks the same, so that whoever is asked twice finds no difference: what has to be later than
    now is counted from `asked_at`.
    """

    key: str
    asked_at: datetime
    reference: str
    amount_minor: int
    currency: str
    fee_minor: int
    payee_external_id: str | None
    capture: str  # automatic or manual
    lines: Sequence[CheckoutLine]
    email: str | None
    language: str
    return_url: str
    expires_at: datetime


@dataclass(frozen=True)
class CheckoutSession:
    """A pay page at `url`; the intent may only be known once somebody pays."""

    external_id: str
    intent_external_id: str | None
    url: str
    expires_at: datetime


@dataclass(frozen=True)
class PaymentRef:
    """A payment as the gateway knows it. `fee_minor` and `amount_minor` are of the whole; a part captured takes its share
    of the fee (`rules.share`)."""

    key: str
    session_external_id: str | None
    intent_external_id: str | None
    amount_minor: int
    currency: str
    fee_minor: int
    payee_external_id: str | None
    capture: str


@dataclass(frozen=True)
class Outcome:
    """How a payment stands: `state` is one of rules.PAYMENT_STATES but created.

    A declined card leaves it `open` with a `failure_code` where the page lets people try again. `gateway_fee_minor` and
    `refunded_minor` (all refunds that have not failed) are None where the gateway did not say.
    """

    state: str
    captured_minor: int = 0
    intent_external_id: str | None = None
    gateway_fee_minor: int | None = None
    failure_code: str | None = None
    refunded_minor: int | None = None


@dataclass(frozen=True)
class RefundOutcome:
    """How a refund stands: sent, succeeded or failed. `fee_minor` is what came back of the city's fee, None if unsaid."""

    external_id: str
    state: str
    amount_minor: int
    fee_minor: int | None = None
    failure_code: str | None = None


@dataclass(frozen=True)
class AccountAsk:
    """A supplier's account to be opened. `country` is ISO 3166 alpha-2."""

    key: str
    country: str
    name: str
    email: str | None
    business_id: str | None


@dataclass(frozen=True)
class AccountStatus:
    """`state` is one of rules.PAYEE_STATES; `requirements` are the gateway's own words for what it still wants."""

    state: str
    requirements: Sequence[str] = ()


@dataclass(frozen=True)
class PaymentSeen:
    """News of a payment, to be matched by any of the three."""

    outcome: Outcome
    session_external_id: str | None = None
    intent_external_id: str | None = None
    key: str | None = None


@dataclass(frozen=True)
class RefundSeen:
    """News of a refund; without a key of ours it was made at the gateway itself."""

    outcome: RefundOutcome
    intent_external_id: str | None = None
    key: str | None = None


@dataclass(frozen=True)
class AccountSeen:
    external_id: str
    status: AccountStatus


@dataclass(frozen=True)
class DisputeSeen:
    """`state` is one of rules.DISPUTE_STATES; a question that went away without money taken is `won`."""

    external_id: str
    intent_external_id: str
    amount_minor: int
    state: str
    reason: str
    opened_at: datetime
    closed_at: datetime | None = None


@dataclass(frozen=True)
class PayoutSeen:
    """`state` is one of rules.PAYOUT_STATES; `account` is the payee's."""

    external_id: str
    account: str
    amount_minor: int
    currency: str
    state: str
    arrives_on: date


SeenChange = PaymentSeen | RefundSeen | AccountSeen | DisputeSeen | PayoutSeen


@dataclass(frozen=True)
class SeenEvent:
    """What a gateway told, believed but not yet understood. `account` is the connected account it is of, or ""."""

    external_id: str
    kind: str
    account: str
    is_live: bool
    payload: Mapping[str, Any]


class Gateway(Protocol):
    """Whoever moves money. Each method but the last two may raise GatewayDown or GatewayRefused."""

    @property
    def name(self) -> str:
        """`stripe` or `testbank`, as kept in the rows."""
        ...

    @property
    def is_live(self) -> bool:
        """Whether real money moves; events of the other mode are not acted upon."""
        ...

    def create_checkout(self, ask: CheckoutAsk) -> CheckoutSession: ...

    def look_up(self, payment: PaymentRef) -> Outcome:
        """How it stands, with the gateway's fee where known."""
        ...

    def capture(self, payment: PaymentRef, amount_minor: int, *, key: str) -> Outcome:
        """Take what was authorised, or a part. One that was captured or cancelled meanwhile is told as it stands."""
        ...

    def cancel(self, payment: PaymentRef, *, key: str) -> Outcome:
        """Close the pay page, give an authorisation back. One that was paid meanwhile is told as it stands: paid."""
        ...

    def refund(self, payment: PaymentRef, amount_minor: int, *, reverse_fee: bool, key: str) -> RefundOutcome:
        """Give back, with the same share of what went to the supplier; `reverse_fee`: and of the city's fee."""
        ...

    def find_refund(self, payment: PaymentRef, key: str) -> RefundOutcome | None:
        """The refund once asked for with this key, if any: gateways forget keys after a day, but not what they did."""
        ...

    def look_up_refund(self, external_id: str) -> RefundOutcome: ...

    def create_account(self, ask: AccountAsk) -> str:
        """Open a supplier's account; its id."""
        ...

    def account_link(self, external_id: str, *, return_url: str, refresh_url: str) -> str:
        """An address, good for minutes, where the supplier tells the gateway about themselves."""
        ...

    def look_up_account(self, external_id: str) -> AccountStatus: ...

    def payouts_of(self, external_id: str) -> list[PayoutSeen]:
        """The newest payouts of a supplier's account."""
        ...

    def read_event(self, payload: bytes, signature: str, at: datetime) -> SeenEvent:
        """What was told, if it was the gateway that told it. Pure. Raises ForgedEvent."""
        ...

    def interpret(self, payload: Mapping[str, Any]) -> list[SeenChange]:
        """What an event means for us; nothing for kinds we do not need. Pure."""
        ...


def open_gateways(settings: Settings) -> dict[str, Gateway]:
    """The gateways of this installation by name, the one for new payments first. Opens no connection."""
    found: dict[str, Gateway] = {}
    if settings.stripe_key:
        # The vendor's library takes a while to load; who takes no cards with it does not pay for that.
        from marketplace.payments.stripe_gateway import StripeGateway  # noqa: PLC0415

        found["stripe"] = StripeGateway(settings)
    if settings.test_bank_on:
        from marketplace.payments.test_bank import TestBank  # noqa: PLC0415

        found["testbank"] = TestBank(settings.secret)
    return found


def gateways() -> dict[str, Gateway]:
    return cast(dict[str, Gateway], current_app.extensions["payment_gateways"])


def gateway_for(name: str | None = None) -> Gateway:
    """The gateway of this name (as a row keeps it), or the one for new payments. Raises NoCardPayments."""
    known = gateways()
    found = known.get(name) if name is not None else next(iter(known.values()), None)
    if found is None:
        raise NoCardPayments
    return found


def card_payments_on() -> bool:
    """Whether anybody can pay by card at all."""
    return bool(gateways())
