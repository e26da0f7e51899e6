"""A running product with the demo city, and a real browser that complains about every console error."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import psycopg
import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Playwright, sync_playwright

from marketplace.launch.browser import find_chromium
from marketplace.settings import ROOT
from tests.conftest import database_name, make_database
from tests.factories.gateway import TOKEN, FakeGateway, fake_gateway
from tests.stripe_standin import CONNECT_SECRET, KEY, SECRET, StandIn

CHROMIUM_FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
AXE = ROOT / "node_modules" / "axe-core" / "axe.min.js"
PASSWORD = "demo-tilaa-2026"


@dataclass(frozen=True)
class Product:
    """A served product: its address, its database, and the further settings it was started with."""

    base: str
    database_url: str
    settings: dict[str, str] = field(default_factory=dict, repr=False)

    @property
    def environment(self) -> dict[str, str]:
        """For another process that works on the product's database."""
        return {**os.environ, **self.settings, "MARKETPLACE_DATABASE_URL": self.database_url}

    def command(self, *words: str) -> str:
        """What a `flask` command prints, run on the product's database."""
        flask = [str(Path(sys.executable).parent / "flask"), "--app", "wsgi"]
        done = subprocess.run(
            [*flask, *words], cwd=ROOT, env=self.environment, check=False, capture_output=True, text=True
        )
        assert done.returncode == 0, done.stderr
        return done.stdout


@pytest.fixture(scope="session")
def gateway() -> Iterator[FakeGateway]:
    """Where the product's text messages go."""
    with fake_gateway() as started:
        yield started


@pytest.fixture(scope="session")
def stripe() -> Iterator[StandIn]:
    """Where the product's card payments go; it tells the product of them by webhooks."""
    with StandIn() as started:
        yield started


@pytest.fixture(scope="session")
def product(
    server_url: str,
    worker_id: str,
    tmp_path_factory: pytest.TempPathFactory,
    gateway: FakeGateway,
    stripe: StandIn,
) -> Iterator[Product]:
    """The product as `make run` serves it: web and worker processes on a database of their own."""
    url = make_database(server_url, f"{database_name(worker_id)}_journeys")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    paying = {
        "MARKETPLACE_STRIPE_KEY": KEY,
        "MARKETPLACE_STRIPE_WEBHOOK_SECRET": SECRET,
        "MARKETPLACE_STRIPE_CONNECT_WEBHOOK_SECRET": CONNECT_SECRET,
        "MARKETPLACE_STRIPE_API_BASE": stripe.url,
    }
    environment = {
        **os.environ,
        **paying,
        "MARKETPLACE_ENV": "development",
        "MARKETPLACE_DATABASE_URL": url,
        "MARKETPLACE_PORT": str(port),
        "MARKETPLACE_LOG_LEVEL": "warning",
        "MARKETPLACE_RATE_LIMITS": "0",
        "MARKETPLACE_SMS_URL": gateway.url,
        "MARKETPLACE_SMS_TOKEN": TOKEN,
    }
    programs = Path(sys.executable).parent
    flask = [str(programs / "flask"), "--app", "wsgi"]
    for command in (["db", "upgrade"], ["demo", "load"]):
        subprocess.run([*flask, *command], cwd=ROOT, env=environment, check=True, capture_output=True)
    log = (tmp_path_factory.mktemp("journeys") / "product.log").open("wb")
    web = [str(programs / "granian"), "--interface", "wsgi", "--host", "127.0.0.1", "--port", str(port)]
    processes = [
        subprocess.Popen(command, cwd=ROOT, env=environment, stdout=log, stderr=log)
        for command in ([*web, "--blocking-threads", "4", "wsgi:app"], [*flask, "worker"])
    ]
    base = f"http://127.0.0.1:{port}"
    try:
        eventually(lambda: urlopen(f"{base}/health/ready", timeout=2).status == 200, seconds=30)
        stripe.send_webhooks_to(f"{base}/payments/webhooks/stripe")
        yield Product(base, url, paying)
    finally:
        for process in processes:
            process.terminate()
        for process in processes:
            process.wait(15)
        log.close()


@pytest.fixture(scope="session")
def real_venues(product: Product, shared_data: Path) -> Product:
    """The product with the city's outdoor areas and playgrounds beside its demo places."""
    for name in ("allu_fixed_locations.geojson", "servicemap_playgrounds_helsinki.geojson.gz"):
        file = shared_data / "venues" / name
        if not file.exists():
            pytest.skip(f"{name} is not beside this checkout")
        said = product.command("spaces", "import", str(file))
        assert " 0 failed" in said, said
    return product


def eventually(condition: Callable[[], object], *, seconds: float = 10) -> None:
    """Ask again until the condition holds; an assertion error when it does not in time."""
    deadline = time.monotonic() + seconds
    while True:
        try:
            if condition():
                return
        except OSError:
            pass
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.05)


@pytest.fixture(scope="session")
def playwright() -> Iterator[Playwright]:
    with sync_playwright() as started:
        yield started


@pytest.fixture(scope="session")
def browser(playwright: Playwright) -> Iterator[Browser]:
    browser = playwright.chromium.launch(executable_path=str(find_chromium()), args=CHROMIUM_FLAGS)
    yield browser
    browser.close()


@pytest.fixture
def open_browser(browser: Browser, product: Product) -> Iterator[Callable[..., Page]]:
    """Opens browsers that share nothing; a console error or an uncaught exception fails the test."""
    contexts: list[BrowserContext] = []
    complaints: list[str] = []

    def start(*, lang: str = "en", width: int = 1440, height: int = 900, javascript: bool = True) -> Page:
        context = browser.new_context(
            base_url=product.base,
            locale={"fi": "fi-FI", "sv": "sv-FI", "en": "en-GB"}[lang],
            timezone_id="Europe/Helsinki",
            viewport={"width": width, "height": height},
            java_script_enabled=javascript,
        )
        context.set_default_timeout(10_000)
        contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("console", lambda message: note(message.type, message.text))
        return page

    def note(kind: str, text: str) -> None:
        # A refused booking answers 409 on purpose, and the browser calls that an error.
        if kind == "error" and "status of 4" not in text:
            complaints.append(text)

    yield start
    for context in contexts:
        context.close()
    assert complaints == []


@contextmanager
def rows(product: Product, sql: str, *values: object) -> Iterator[list[tuple[Any, ...]]]:
    """What the database holds, read from outside."""
    with psycopg.connect(product.database_url) as connection:
        yield connection.execute(sql, values).fetchall()


def axe_violations(page: Page) -> list[str]:
    """What axe finds on the page by WCAG 2.2 AA and its best practices, one line each."""
    page.evaluate(AXE.read_text(encoding="utf-8"))
    found = page.evaluate(
        """async () => (await axe.run(document, {runOnly: {type: 'tag', values:
            ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice']}})).violations"""
    )
    return [f"{v['id']}: {node['target']} {node['failureSummary']}" for v in found for node in v["nodes"]]


def sign_in(page: Page, email: str, lang: str) -> None:
    """Sign in by password on the sign-in page."""
    page.goto(f"/{lang}/sign-in")
    page.locator("input[name=email]").first.fill(email)
    page.locator("input[name=password]").fill(PASSWORD)
    page.locator("form:has(input[name=password]) button[type=submit]").first.click()
    page.wait_for_url(lambda url: "/sign-in" not in url)
