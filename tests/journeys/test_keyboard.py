"""The owner's desk without a mouse: every control is reached by Tab, shows that it has the focus and lets it go again;
what is done keeps the focus where the result is."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from marketplace.clock import now
from tests.journeys.conftest import Product, rows, sign_in
from tests.journeys.test_every_page import DESK, THINGS

pytestmark = pytest.mark.journey

# What Tab should come to, as far as it can be seen: of a group of radios one, of a closed <details> its summary.
REACHABLE = """() => {
  const seen = (node) => node.checkVisibility({visibilityProperty: true}) && node.getClientRects().length > 0;
  const groups = new Set();
  return [...document.querySelectorAll(
      'a[href], button, input:not([type=hidden]), select, textarea, summary, [tabindex]')]
    .filter((node) => seen(node) && node.tabIndex >= 0 && !node.closest('[inert]'))
    .filter((node) => {
      if (node.type !== 'radio') return true;
      const group = document.getElementsByName(node.name);
      const chosen = [...group].some((other) => other.checked);
      if (chosen) return node.checked;
      if (groups.has(node.name)) return false;
      groups.add(node.name);
      return true;
    })
    .map((node, n) => { node.dataset.walk = n; return n; }).length;
}"""
# Where the focus is, and whether anything shows it: an outline or a shadow, on it or on the label drawn for it.
FOCUSED = """() => {
  const node = document.activeElement;
  if (!node || node === document.body) return null;
  const shows = (one) => {
    if (!one) return false;
    for (const part of [undefined, '::before', '::after']) {
      const style = getComputedStyle(one, part);
      if ((style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) >= 2) || style.boxShadow !== 'none') return true;
    }
    return false;
  };
  const box = node.getBoundingClientRect();
  const label = node.labels?.[0];
  const top = document.elementFromPoint(
    Math.min(Math.max(box.left + box.width / 2, 0), innerWidth - 1), Math.min(Math.max(box.top + 8, 0), innerHeight - 1));
  const covered = box.width > 2 && top && !node.contains(top) && !top.contains(node) && !label?.contains(top)
    && getComputedStyle(top.closest('.drop, .sbar, header, .deskbar') ?? document.body).position === 'sticky';
  return {
    walk: node.dataset.walk ?? null,
    what: node.outerHTML.slice(0, 120),
    shown: shows(node) || shows(label) || shows(node.parentElement),
    covered: Boolean(covered),
  };
}"""
# Everything with a handler of its own must be something Tab comes to.
ONLY_BY_MOUSE = """() => [...document.querySelectorAll('[onclick], [role=button]:not([tabindex]):not(button):not(a[href]), a:not([href])')]
  .filter((node) => node.checkVisibility()).map((node) => node.outerHTML.slice(0, 120))"""


@pytest.fixture
def things(product: Product) -> dict[str, Any]:
    names = ("space", "day_space", "booking", "organisation", "own_space", "venue", "owner", "hosted")
    with rows(product, THINGS) as found:
        return dict(zip(names, found[0], strict=True))


def walk(page: Page) -> None:
    """Tab from the first control to the last, and back by one."""
    count = page.evaluate(REACHABLE)
    assert page.evaluate(ONLY_BY_MOUSE) == [], page.url
    visited: set[str] = set()
    for _ in range(4 * count + 40):  # a date has a stop for each of its parts
        page.keyboard.press("Tab")
        at = page.evaluate(FOCUSED)
        if at is None:  # past the last one, to the browser's own controls
            break
        assert at["shown"], f"no focus is seen on {at['what']} of {page.url}"
        assert not at["covered"], f"{at['what']} of {page.url} is under something"
        if at["walk"] is not None:
            visited.add(at["walk"])
    missing = [n for n in range(count) if str(n) not in visited]
    left_out = [
        page.locator(f"[data-walk='{n}']").first.evaluate("n => n.outerHTML.slice(0, 120)") for n in missing
    ]
    assert left_out == [], page.url
    page.keyboard.press("Shift+Tab")
    assert page.evaluate(FOCUSED) is not None, f"the focus is trapped at the end of {page.url}"


@pytest.mark.parametrize("path", DESK)
def test_every_control_of_the_desk_is_reached_by_tab(
    open_browser: Callable[..., Page], things: dict[str, Any], path: str
) -> None:
    page = open_browser(lang="en")
    sign_in(page, "elina@example.org", "en")
    page.goto("/en/" + path.format(**things))
    page.wait_for_load_state("networkidle")
    walk(page)


def tab_to(page: Page, selector: str, *, most: int = 200) -> None:
    """Press Tab until the control has the focus."""
    for _ in range(most):
        page.keyboard.press("Tab")
        if page.evaluate("(selector) => document.activeElement.matches(selector)", selector):
            return
    raise AssertionError(f"Tab does not come to {selector}")


def request_for(product: Product, things: dict[str, Any], number: int) -> str:
    """A request that waits at Elina's venue; returns its reference."""
    with rows(
        product,
        "SELECT b.reference FROM booking b JOIN space s ON s.id = b.space_id JOIN venue v ON v.id = s.venue_id"
        " WHERE v.owner_id = %s AND b.state = 'awaiting_approval' AND lower(b.during) > now() ORDER BY b.created_at",
        things["owner"],
    ) as found:
        assert len(found) > number
        return str(found[number][0])


def state_of(product: Product, reference: str) -> str:
    with rows(product, "SELECT state FROM booking WHERE reference = %s", reference) as found:
        return str(found[0][0])


def test_a_request_is_declined_undone_and_approved_by_keys(
    open_browser: Callable[..., Page], product: Product, things: dict[str, Any]
) -> None:
    reference = request_for(product, things, 0)
    page = open_browser(lang="fi")
    sign_in(page, "elina@example.org", "fi")
    page.goto("/fi/desk/timeline")
    page.wait_for_load_state("networkidle")
    row = page.locator(f"#q-{reference}")
    tab_to(page, f"#q-{reference} summary")
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    expect(row.locator("select")).to_be_focused()
    page.keyboard.press("Tab")
    expect(row.locator("textarea")).to_be_focused()
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")  # without a reason
    expect(row.locator("textarea[aria-invalid=true]")).to_be_focused()
    page.keyboard.type("Lattia vahataan")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    said = row.locator("[data-just]")
    expect(said).to_be_focused()  # the result, and from there on to what undoes it
    assert state_of(product, reference) == "declined"
    page.keyboard.press("Tab")
    expect(row.locator("form[data-undo] button")).to_be_focused()
    page.keyboard.press("Enter")
    expect(row.locator("form[data-undo]")).to_have_count(0)
    expect(said).to_be_focused()
    assert state_of(product, reference) == "awaiting_approval"
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(row.locator("form[data-undo]")).to_have_count(1)
    expect(said).to_be_focused()
    assert state_of(product, reference) == "confirmed"
    # When the time to undo is over, the offer goes and the focus is not lost with it.
    page.keyboard.press("Tab")
    expect(row.locator("form[data-undo] button")).to_be_focused()
    expect(row.locator("form[data-undo]")).to_have_count(0, timeout=14_000)
    expect(row.locator(".q__r").first).to_be_focused()
    with rows(
        product,
        "SELECT 1 FROM mail WHERE template LIKE '%%mail/declined' AND body_text LIKE %s",
        f"%{reference}%",
    ) as sent:
        assert sent == []


def test_a_booking_is_moved_by_its_form(
    open_browser: Callable[..., Page], product: Product, things: dict[str, Any]
) -> None:
    """What a drag on the timeline does, by the link in the table below it."""
    with rows(
        product,
        "SELECT (lower(during) AT TIME ZONE 'Europe/Helsinki')::date FROM booking WHERE reference = %s",
        things["hosted"],
    ) as found:
        day = found[0][0]
    page = open_browser(lang="sv")
    sign_in(page, "elina@example.org", "sv")
    page.goto(f"/sv/desk/timeline?day={day}")
    tab_to(page, f"#twin a[href*='{things['hosted']}/time']")
    page.keyboard.press("Enter")
    page.wait_for_url(lambda url: url.partition("?")[0].endswith("/time"))
    tab_to(page, "input[name=clock]")
    page.keyboard.press("Control+A")
    page.keyboard.type("25.00")
    page.keyboard.press("Enter")
    expect(page.locator("[data-focus-first]")).to_be_focused()
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")  # the summary's link leads to the field
    expect(page.locator("input[name=clock]")).to_be_focused()


def test_a_time_is_closed_by_its_form(
    open_browser: Callable[..., Page], product: Product, things: dict[str, Any]
) -> None:
    """What a drag over free time does, by the link in the table; the focus is at what is to be decided or mended."""
    page = open_browser(lang="en")
    sign_in(page, "elina@example.org", "en")
    page.goto("/en/desk/timeline")
    tab_to(page, f"#twin a[href$='/desk/spaces/{things['own_space']}/hours']")
    page.keyboard.press("Enter")
    page.wait_for_url(lambda url: url.endswith("/hours"))
    tab_to(page, "form[action$='/closures'] button[type=submit]")
    page.keyboard.press("Enter")
    page.wait_for_url(lambda url: url.endswith("/closures"))
    expect(page.locator("form[action$='/closures'] [data-focus-first]")).to_be_focused()
    day = now().date() + timedelta(days=120)
    page.locator("form[action$='/closures'] input[name=first_day]").fill(day.isoformat())
    page.locator("form[action$='/closures'] input[name=last_day]").fill(day.isoformat())
    page.locator("form[action$='/closures'] input[name=last_day]").focus()
    tab_to(page, "form[action$='/closures'] input[name=reason_en]")
    page.keyboard.type("Key test")
    page.keyboard.press("Enter")
    page.wait_for_url(lambda url: "/hours" in url)
    tab_to(page, "form[action*='/closures/'][action$='/end'] button")
    page.keyboard.press("Enter")
    page.wait_for_url(lambda url: "/hours" in url)
    expect(page.locator("form[action*='/closures/'][action$='/end']")).to_have_count(0)


def test_a_menu_closes_by_escape_and_gives_the_focus_back(open_browser: Callable[..., Page]) -> None:
    page = open_browser(lang="en")
    sign_in(page, "elina@example.org", "en")
    page.goto("/en/desk")
    tab_to(page, "details.acct summary")
    page.keyboard.press("Enter")
    expect(page.locator("details.acct")).to_have_attribute("open", "")
    page.keyboard.press("Tab")
    page.keyboard.press("Escape")
    expect(page.locator("details.acct")).not_to_have_attribute("open", "")
    expect(page.locator("details.acct summary")).to_be_focused()
