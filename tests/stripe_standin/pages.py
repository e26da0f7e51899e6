"""The pages that people see at Stripe: paying, their bank's question, and a supplier's sign-up. Plain HTML, no script."""

from html import escape
from typing import Any

from tests.stripe_standin.world import ASKS_TO_CONFIRM, DECLINED, GOOD


def page(title: str, body: str, *, locale: str | None = None) -> bytes:
    said = f' data-locale="{escape(locale)}"' if locale else ""
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{escape(title)}</title>'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        "<style>body{font:16px/1.5 sans-serif;max-width:32rem;margin:2rem auto;padding:0 1rem}"
        "label{display:block;margin:1rem 0}input{font:inherit;width:100%;padding:.5rem;box-sizing:border-box}"
        "button{font:inherit;padding:.6rem 1.2rem;margin:.5rem .5rem .5rem 0}"
        "td:last-child{text-align:right;padding-left:2rem}[role=alert]{color:#b01038}</style></head>"
        f"<body{said}><main><p><strong>Stand-in for Stripe. No money moves.</strong></p>{body}</main></body></html>"
    ).encode()


def amount(minor: int, currency: str) -> str:
    sign = "-" if minor < 0 else ""
    return f"{sign}{abs(minor) // 100}.{abs(minor) % 100:02d} {currency.upper()}"


def pay_page(session: dict[str, Any], problem: str = "") -> bytes:
    currency = session["currency"]
    lines = "".join(
        f"<tr><td>{escape(line['label'])}{' × ' + str(line['quantity']) if line['quantity'] > 1 else ''}</td>"
        f"<td>{amount(line['total'], currency)}</td></tr>"
        for line in session["_lines"]
    )
    if off := session["total_details"]["amount_discount"]:
        lines += (
            f"<tr><td>{escape(session['_discount'] or 'Discount')}</td><td>{amount(-off, currency)}</td></tr>"
        )
    back = session["cancel_url"]
    return page(
        "Pay",
        f'<h1>Pay <span data-total="{session["amount_total"]}">{amount(session["amount_total"], currency)}</span></h1>'
        f'<table aria-label="What you pay for">{lines}</table>'
        + (f'<p role="alert">{escape(problem)}</p>' if problem else "")
        + f'<form method="post" action="/c/pay/{escape(session["id"])}">'
        '<label>Card number<input name="number" inputmode="numeric" autocomplete="cc-number" required></label>'
        '<label>Expiry<input name="expiry" value="12/34" autocomplete="cc-exp"></label>'
        '<label>Security code<input name="cvc" value="123" autocomplete="cc-csc"></label>'
        "<button>Pay</button></form>"
        + (f'<p><a href="{escape(back)}">Back</a></p>' if back else "")
        + f"<p>Cards: {GOOD} pays, {DECLINED} is declined, {ASKS_TO_CONFIRM} asks you to confirm.</p>",
        locale=session["locale"],
    )


def bank_page(session: dict[str, Any]) -> bytes:
    return page(
        "Confirm",
        "<h1>Your bank asks: is it you?</h1>"
        f'<form method="post" action="/c/pay/{escape(session["id"])}/bank">'
        '<button name="answer" value="yes">Confirm</button>'
        '<button name="answer" value="no">Fail</button></form>',
        locale=session["locale"],
    )


def gone_page(session: dict[str, Any]) -> bytes:
    back = session["cancel_url"]
    return page(
        "Closed",
        "<h1>This page can no longer be used</h1>"
        f"<p>It is {escape(session['status'])}.</p>"
        + (f'<p><a href="{escape(back)}">Back</a></p>' if back else ""),
    )


def setup_page(account: dict[str, Any], link: dict[str, Any]) -> bytes:
    return page(
        "Set up payouts",
        f"<h1>Set up payouts for {escape(account['business_profile']['name'] or account['id'])}</h1>"
        f'<form method="post" action="/setup/{escape(account["id"])}/{escape(link["id"])}">'
        '<label>Bank account<input name="iban" value="FI21 1234 5600 0007 85"></label>'
        '<button name="answer" value="complete">Submit</button>'
        '<button name="answer" value="incomplete">Submit without documents</button></form>'
        f'<p><a href="{escape(link["_return"] or "")}">Return later</a></p>',
    )


def missing_page(what: str) -> bytes:
    return page("Not found", f"<h1>Not found</h1><p>{escape(what)}</p>")
