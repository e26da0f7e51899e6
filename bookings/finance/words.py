"""States, ways and accounts of money as words; a label's kind is one of `ui.status_label`.

The states of orders are those of the receipt."""

from collections.abc import Mapping

from bookings.checkout.present import STATES as ORDER_STATES
from marketplace.errors import N_

__all__ = [
    "ACCOUNTS",
    "DISPUTE_STATES",
    "ORDER_STATES",
    "PAYEE_STATES",
    "PAYMENT_STATES",
    "PAYOUT_STATES",
    "REFUND_STATES",
    "WAYS",
]

WAYS: Mapping[str, str] = {
    "card": N_("Card"),
    "invoice": N_("Invoice"),
    "on_the_spot": N_("At the place"),
}
PAYMENT_STATES: Mapping[str, str] = {
    "created": N_("Not opened yet"),
    "open": N_("Waiting for payment"),
    "authorised": N_("Set aside on the card"),
    "paid": N_("Paid"),
    "failed": N_("Failed"),
    "cancelled": N_("Cancelled"),
    "expired": N_("Not paid in time"),
}
REFUND_STATES: Mapping[str, str] = {
    "requested": N_("On its way"),
    "sent": N_("On its way"),
    "succeeded": N_("Refunded"),
    "failed": N_("Failed"),
}
DISPUTE_STATES: Mapping[str, tuple[str, str]] = {
    "warning": ("alert", N_("The bank asks")),
    "open": ("error", N_("Disputed")),
    "won": ("success", N_("Decided for us")),
    "lost": ("neutral", N_("Decided for the payer")),
}
PAYOUT_STATES: Mapping[str, tuple[str, str]] = {
    "pending": ("neutral", N_("Coming")),
    "in_transit": ("info", N_("On its way to the bank")),
    "paid": ("success", N_("At the bank")),
    "failed": ("error", N_("The bank did not take it")),
    "cancelled": ("neutral", N_("Cancelled")),
}
PAYEE_STATES: Mapping[str, tuple[str, str]] = {
    "": ("neutral", N_("Not started")),
    "onboarding": ("alert", N_("Not finished")),
    "restricted": ("alert", N_("Something is missing")),
    "enabled": ("success", N_("Ready: card payments are on")),
    "disabled": ("error", N_("Closed by the payment service")),
}
ACCOUNTS: Mapping[str, str] = {
    "payer": N_("Owed by payers"),
    "gateway": N_("At the payment service"),
    "bank": N_("At the bank"),
    "supplier": N_("Owed to suppliers"),
    "income": N_("Income, without VAT"),
    "vat": N_("VAT"),
    "city_fee": N_("The city’s fee"),
    "gateway_fee": N_("The payment service’s fee"),
    "kept_fee": N_("Kept of cancellations"),
    "refunds": N_("Given back"),
    "invoices": N_("Owed on invoices"),
    "on_the_spot": N_("Paid at the place"),
    "disputed": N_("Taken back by banks"),
}
# What a payment service wants to know of a supplier, by how its own word for it begins or what stands in it; the first
# that fits is said.
MISSING: tuple[tuple[str, str], ...] = (
    ("business.address", N_("the name, address and phone number of the company")),
    ("person.identity", N_("a picture of an identity document")),
    ("account.number", N_("the bank account that the money goes to")),
    ("external_account", N_("the bank account that the money goes to")),
    ("tos_acceptance", N_("your consent to the payment service’s terms")),
    ("business_profile", N_("what you offer, and a web address or a short description")),
    ("verification.document", N_("a picture of an identity document")),
    ("verification.additional_document", N_("a second document that proves the address")),
    ("verification.proof_of_liveness", N_("a picture of an identity document")),
    ("company.tax_id", N_("the business ID")),
    ("company.vat_id", N_("the business ID")),
    ("company.registration", N_("the business ID")),
    ("owners_provided", N_("who owns the company")),
    ("directors_provided", N_("who leads the company")),
    ("executives_provided", N_("who leads the company")),
    ("ownership_declaration", N_("who owns the company")),
    ("owners.", N_("who owns the company")),
    ("directors.", N_("who leads the company")),
    ("company.", N_("the name, address and phone number of the company")),
    ("business_type", N_("whether you are a company, an association or a person")),
    ("settings.payouts", N_("how often the money is sent to your bank")),
    (".dob", N_("the date of birth of the one who represents you")),
    (".id_number", N_("the personal identity code of the one who represents you")),
    (".ssn", N_("the personal identity code of the one who represents you")),
    (".address", N_("the address of the one who represents you")),
    (".phone", N_("the phone number of the one who represents you")),
    (".email", N_("the e-mail address of the one who represents you")),
    ("representative", N_("who represents you")),
    ("individual.", N_("the name of the one who represents you")),
    ("person", N_("the name of the one who represents you")),
    ("relationship", N_("who represents you")),
    ("name", N_("the name of the one who represents you")),
)
SOMETHING_ELSE = N_("something else that the payment service’s own page tells")


def missing_text(requirement: str) -> str:
    """A payment service's word for what it wants to know, as a source text."""
    return next((text for part, text in MISSING if part in requirement), SOMETHING_ELSE)


def missing_texts(requirements: list[str]) -> list[str]:
    """What is missing, each once, in the order of the service."""
    return list(dict.fromkeys(missing_text(one) for one in requirements))


# Why an event of a payment service was not acted upon, by the inbox's own codes; anything else is a contradiction.
EVENT_PROBLEMS: Mapping[str, str] = {
    "unknown-payment": N_("It is about a payment that we do not know."),
    "unknown-account": N_("It is about an account that we do not know."),
    "foreign-account": N_("It is about a payment of somebody else’s account."),
    "other-mode": N_("It comes from the payment service’s test mode, or from live payments in a test."),
}
EVENT_CONTRADICTS = N_("It tells of another sum than our books. Nothing was changed.")
