"""Every page for people is walked in a real browser, or left out for a reason that is written down."""

import re

from flask import Flask

from tests.journeys.test_every_page import DESK, PERSONAL, PUBLIC, STAFF, WALKED_ELSEWHERE

# Addresses that answer a GET with something else than a page.
NO_PAGES = {
    "invoices.books": "a CSV file",
    "invoices.pay": "leads back to the invoice",
    "invoices.pdf": "a PDF file",
    "invoices.xml": "a Finvoice file",
    "checkout.back": "leads from the payment service to the booking or its receipt",
    "districts.outlines": "GeoJSON for the map",
    "hours.close": "leads back to the page of the hours",
    "lifecycle.answer_file": "a file that a booker has sent",
    "lifecycle.calendar_file": "a calendar file",
    "talk.write": "leads back to the booking",
    "finance.income_file": "a file for a supplier's bookkeeping",
    "finance.books_file": "a file for the city's bookkeeping",
    "finance.service": "leads to the payment service",
    "finance.came_back": "leads back to the page of getting paid",
    "texts.follow": "leads from a text message to the page it tells of",
    "search.map_data": "JSON for the map",
    "mailbox.html": "the inside of a frame, as a mail program shows it",
}


def plain(path: str) -> str:
    """With 1 for everything that is looked up."""
    return "/en/" + re.sub(r"\{\w+\}", "1", path.partition("?")[0])


def walked(app: Flask) -> set[str]:
    """The endpoints behind the paths of the walk; a path that leads nowhere is left out."""
    address = app.url_map.bind("localhost")
    found = set()
    for path in (*PUBLIC, *PERSONAL, *DESK, *STAFF):
        filled = plain(path)
        if address.test(filled, "GET"):
            found.add(address.match(filled, "GET")[0])
    return found


def test_no_page_is_without_a_walk(app: Flask) -> None:
    pages = {
        rule.endpoint
        for rule in app.url_map.iter_rules()
        if "<lang:lang>" in rule.rule and "GET" in (rule.methods or ())
    }
    missing = pages - walked(app) - set(WALKED_ELSEWHERE) - set(NO_PAGES)
    assert missing == set(), "add its path to tests/journeys/test_every_page.py, or a reason"
    assert not set(WALKED_ELSEWHERE) & walked(app), "it is walked: take its reason off the list"
    assert (set(WALKED_ELSEWHERE) | set(NO_PAGES)) <= pages, "a reason for a page that is no longer there"


def test_every_path_of_the_walk_leads_somewhere(app: Flask) -> None:
    address = app.url_map.bind("localhost")
    nowhere = {path for path in (*PUBLIC, *PERSONAL, *DESK, *STAFF) if not address.test(plain(path), "GET")}
    assert nowhere == {"no-such-page"}
