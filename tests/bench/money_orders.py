"""Random orders with random faults, paid at a stand-in for Stripe over real HTTP: whatever happens, the money comes out even.

Cards are declined, pages left, calls lost before or after they did what was asked, events lost, doubled, forged, late and
out of order, owners say no, people cancel before and after they pay. MARKETPLACE_BENCH_ORDERS says how many.
"""

import logging
import os
import random
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import psycopg
from alembic import command
from flask import Flask
from sqlalchemy import Engine, Row, func, select, text, update
from sqlalchemy.orm import Session
from werkzeug.serving import WSGIRequestHandler, make_server

from bookings.checkout import actions as orders
from bookings.checkout.jobs import sweep_orders
from bookings.checkout.models import Order
from bookings.checkout.queries import orders_of_booking
from bookings.lifecycle.actions import approve_booking, cancel_booking, decline_booking
from bookings.lifecycle.models import Booking
from marketplace import db
from marketplace.app import create_app, job_context
from marketplace.cities.models import City
from marketplace.clock import now
from marketplace.commands import alembic_config
from marketplace.errors import Refusal
from marketplace.jobs import runner
from marketplace.jobs.queue import queue
from marketplace.launch.database import ensure_database
from marketplace.payments.asking import open_at_gateway
from marketplace.payments.gateway import GatewayDown
from marketplace.payments.models import GatewayEvent, LedgerEntry, LedgerLine, Payee, Payment, Refund
from marketplace.payments.rules import UNDECIDED
from marketplace.payments.sweeper import sweep
from marketplace.payments.verify import problems_of
from marketplace.settings import Settings
from spaces.catalog.models import Space, Venue
from spaces.pricing.models import Price
from tests.bench.measure import report
from tests.factories.bookings import book, open_space, span_on
from tests.factories.cities import make_city
from tests.factories.people import actor_of, make_organisation, make_person
from tests.factories.spaces import make_venue
from tests.stripe_standin import (
    ASKS_TO_CONFIRM,
    CONNECT_SECRET,
    DECLINED,
    GOOD,
    KEY,
    NO_FUNDS,
    REFUND_PENDS,
    SECRET,
    StandIn,
)
from tests.stripe_standin.shapes import Bad
from wsgi import PARTS

log = logging.getLogger("bench")

ORDERS = int(os.environ.get("MARKETPLACE_BENCH_ORDERS", "10000"))
BATCH = 100
SEED = 20261124
HOURS = range(8, 22)
PRICES = (("hour", 990), ("hour", 1), ("fixed", 12_345), ("hour", 3333), ("slot", 777))
CALL_FAULTS = ("down", "429", "500", "500-after", "500-kept", "drop-after", "nonsense", "409")
EVENT_FAULTS = ("lost", "twice", "held", "forged", "replayed")
# What a call may be about that is struck: opening, capture, cancelling, giving back, looking.
CALLS = (
    r"POST /v1/checkout/sessions$",
    r"POST /v1/payment_intents/.*/capture",
    r"POST /v1/.*(expire|cancel)",
    r"POST /v1/refunds",
    r"GET /v1/",
)


def run(app: Flask, engine: Engine, url: str) -> None:
    """How many orders were made, by how much the ledger is off, and how many are left undecided after the sweeper ran."""
    own_url = fresh_database(url)
    own = db.make_engine(own_url, pool=20)
    try:
        with StandIn() as stripe, serving(own_url, own, stripe) as (money_app, address):
            stripe.send_webhooks_to(address)
            Trial(money_app, own, stripe).run()
    finally:
        own.dispose()
        db.bind(engine)
        runner.run_inside(lambda: job_context(app))


def fresh_database(url: str) -> str:
    admin_url = urlsplit(url)._replace(path="/postgres").geturl()
    with psycopg.connect(admin_url, autocommit=True) as connection:
        connection.execute("DROP DATABASE IF EXISTS bench_money WITH (FORCE)")
    own_url = ensure_database(admin_url, "bench_money")
    command.upgrade(alembic_config(own_url), "head")
    return own_url


@contextmanager
def serving(url: str, engine: Engine, stripe: StandIn) -> Iterator[tuple[Flask, str]]:
    """The product with a key for the stand-in, and the address where it hears of events."""
    settings = Settings(
        env="test",
        secret="b" * 32,
        database_url=url,
        rate_limits=False,
        log_level="error",
        stripe_key=KEY,
        stripe_webhook_secret=SECRET,
        stripe_connect_webhook_secret=CONNECT_SECRET,
        stripe_api_base=stripe.url,
        payment_timeout_seconds=2,
    )
    app = create_app(settings, PARTS)
    db.bind(engine)
    runner.run_inside(lambda: job_context(app))
    server = make_server("127.0.0.1", 0, app, threaded=True, request_handler=Quiet)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield app, f"http://127.0.0.1:{server.server_port}/payments/webhooks/stripe"
    finally:
        server.shutdown()
        thread.join()


class Quiet(WSGIRequestHandler):
    """Writes no line for each event."""

    def log_request(self, *_: object) -> None:
        pass


class Trial:
    """The whole run, from one seed."""

    def __init__(self, app: Flask, engine: Engine, stripe: StandIn) -> None:
        self.app, self.engine, self.stripe = app, engine, stripe
        self.chance = random.Random(SEED)  # the same run every time
        self.made = 0

    def run(self) -> None:
        with job_context(self.app):
            self.build()
            for first in range(0, ORDERS, BATCH):
                self.batch(range(first, min(first + BATCH, ORDERS)))
            self.settle()
            self.tell()

    def build(self) -> None:
        """Spaces of the city and of a supplier with an account at the stand-in, some confirmed by their owner, some with
        a share kept of late cancellations; one time for each order."""
        account = self.stripe.world.create_account({"capabilities": {"transfers": {"requested": True}}})["id"]
        self.stripe.world.onboard(account, complete=True)
        with db.transaction() as session:
            city = make_city(session)
            supplier = make_organisation(session, city, name="Sali Oy", kind="company")
            session.add(
                Payee(
                    city_id=city.id,
                    organisation_id=supplier.id,
                    gateway="stripe",
                    external_id=account,
                    state="enabled",
                    requirements=[],
                )
            )
            venues = [make_venue(session, city), make_venue(session, city, owner=supplier)]
            first = now().astimezone(city.zone).date() + timedelta(days=40)
            self.days = [first + timedelta(days=n) for n in range(28)]
            per_space = len(self.days) * len(HOURS) // 2
            spaces = [
                self.make_space(session, city, venues[n % 2], n) for n in range(-(-ORDERS // per_space) + 10)
            ]
            session.execute(
                update(Price).where(Price.city_id == city.id).values(ways=["card"], kept_percent=50)
            )
            self.people = [actor_of(session, make_person(session, city)) for _ in range(20)]
            handler = make_person(session, city, is_staff=True)
            self.staff = actor_of(session, handler)
            self.city_id, self.space_ids = city.id, [space.id for space in spaces]

    def make_space(self, session: Session, city: City, venue: Venue, n: int) -> Space:
        per, amount = PRICES[n % len(PRICES)]
        return open_space(
            session,
            city,
            venue,
            first=self.days[0],
            last=self.days[-1],
            price=("hour" if per == "slot" else per, amount + n),
            approval="handler" if n % 3 == 0 else "instant",
            cancellation_hours=9000 if n % 2 else 24,
            min_minutes=30,
            max_minutes=240,
            interval_minutes=30,
            notice_minutes=0,
            horizon_days=180,
        )

    def batch(self, numbers: Sequence[int]) -> None:
        """Some orders through all that may happen to them, up to the end of their time to pay."""
        placed = [number for number in (self.place(n) for n in numbers) if number is not None]
        self.made += len(placed)
        for number in placed:
            self.disturb()
            self.pay(number)
        self.work()
        for number in self.chance.sample(placed, len(placed) // 4):
            self.cancel(number)
        self.work()
        if self.chance.random() < 0.5:
            # The time to pay is over for all who have not; what is told late is told after that.
            sweep_orders(now() + timedelta(minutes=31))
            self.work()
        self.stripe.webhooks.release(backwards=self.chance.random() < 0.5)
        self.stripe.webhooks.redeliver()
        self.work()
        self.answer()
        self.work()

    def place(self, n: int) -> str | None:
        """One booking of a time of its own, and its order's number."""
        chance = self.chance
        space_id = self.space_ids[n % len(self.space_ids)]
        turn = n // len(self.space_ids)
        day, hour = self.days[turn % len(self.days)], HOURS[2 * (turn // len(self.days)) % len(HOURS)]
        with db.transaction() as session:
            city = session.get_one(City, self.city_id)
            space = session.get_one(Space, (self.city_id, space_id))
            booking = book(
                session, city, space, chance.choice(self.people),
                span_on(city, hour, hour + chance.choice((0.5, 1, 1.5, 2)), day=day),
                at=now(), submission=uuid4().hex, way="card",
            )  # fmt: skip
            found = orders_of_booking(session, city.id, booking.id)
            return found[0].number if found else None

    def disturb(self) -> None:
        """Perhaps let a call or an event go wrong."""
        self.stripe.clear_faults()
        if self.chance.random() < 0.2:
            self.stripe.fault(
                self.chance.choice(CALL_FAULTS), self.chance.choice(CALLS), times=self.chance.choice((1, 2))
            )
        if self.chance.random() < 0.3:
            self.stripe.webhooks.plan(self.chance.choice(EVENT_FAULTS))

    def pay(self, number: str) -> None:
        """Go to the pay page, as often as a patient person does, and do something there."""
        for _ in range(self.chance.choice((1, 1, 2))):
            with suppress(GatewayDown, Refusal):
                self.go_and_pay(number)

    def go_and_pay(self, number: str) -> None:
        with db.transaction() as session:
            city = session.get_one(City, self.city_id)
            order = self.order(session, number)
            payer = next(one for one in self.people if one.person_id == order.person_id)
            payment = orders.begin_payment(
                session, city, order,
                actor=payer, return_path=f"/orders/{number}/back",
                lines=[("Vuokra", order.total_minor)], language="fi", at=now(),
            )  # fmt: skip
        payment = open_at_gateway(self.city_id, payment.id)
        if payment.session_external_id is None or self.chance.random() < 0.1:
            return  # left before the page
        card = self.chance.choice((GOOD, GOOD, GOOD, DECLINED, NO_FUNDS, ASKS_TO_CONFIRM, REFUND_PENDS))
        with suppress(Bad):
            said = self.stripe.world.pay(payment.session_external_id, card)
            if said == "confirm" and self.chance.random() < 0.8:
                self.stripe.world.confirm(payment.session_external_id, agreed=self.chance.random() < 0.7)

    def order(self, session: Session, number: str) -> Order:
        return session.scalars(
            select(Order).where(Order.city_id == self.city_id, Order.number == number)
        ).one()

    def cancel(self, number: str) -> None:
        with suppress(Refusal), db.transaction() as session:
            city = session.get_one(City, self.city_id)
            order = self.order(session, number)
            payer = next(one for one in self.people if one.person_id == order.person_id)
            for booking in orders.bookings_of(session, order):
                cancel_booking(session, city, booking, actor=payer, at=now())

    def answer(self) -> None:
        """The owner answers most requests; the money set aside is taken or given back."""
        with db.transaction() as session:
            ids = session.scalars(
                select(Booking.id)
                .where(Booking.city_id == self.city_id, Booking.state == "awaiting_approval")
                .order_by(Booking.id)
            ).all()
        for booking_id in ids:
            self.disturb()
            with suppress(Refusal), db.transaction() as session:
                city = session.get_one(City, self.city_id)
                booking = session.get_one(Booking, (self.city_id, booking_id))
                space = session.get_one(Space, (self.city_id, booking.space_id))
                venue = session.get_one(Venue, (self.city_id, space.venue_id))
                if self.chance.random() < 0.7:
                    approve_booking(session, city, booking, venue, actor=self.staff, at=now())
                else:
                    decline_booking(
                        session, city, booking, venue, actor=self.staff, reason="Remontti", at=now()
                    )

    def work(self) -> None:
        """Run what is due, as the worker does: a job that fails is tried again, then left to the sweeper."""
        self.stripe.webhooks.flush()
        while (job := self.next_job()) is not None:
            with suppress(GatewayDown, Refusal):
                queue.tasks[job.task_name].func(**job.args)
            self.stripe.webhooks.flush()

    def next_job(self) -> Row[Any] | None:
        with db.transaction() as session:
            return session.execute(
                text(
                    "DELETE FROM procrastinate_jobs WHERE id = (SELECT min(id) FROM procrastinate_jobs"
                    " WHERE status = 'todo' AND coalesce(scheduled_at, now()) <= now() AND queue_name <> 'mail')"
                    " RETURNING task_name, args"
                )
            ).one_or_none()

    def settle(self) -> None:
        """Nothing goes wrong any more, hours pass, and the sweeper runs."""
        self.stripe.clear_faults()
        self.stripe.webhooks.plans.clear()
        self.stripe.webhooks.endpoints = []  # and nobody tells anything: the sweeper alone has to find out
        self.answer()
        sweep_orders(now() + timedelta(minutes=31))
        self.work()
        for refund in self.stripe.world.of_kind("refund"):
            if refund["status"] == "pending":
                self.stripe.world.settle_refund(refund["id"], "succeeded")
        self.stripe.world.advance(3 * 60 * 60)
        for _ in range(200):
            before = self.undecided()
            sweep(now() + timedelta(hours=3), patient=False)
            self.work()
            sweep_orders(now() + timedelta(hours=3))
            self.work()
            if not self.undecided() or self.undecided() == before == self.left_over:
                break
            self.left_over = before

    left_over = -1

    def undecided(self) -> int:
        """Rows that still wait for something to happen."""
        with db.transaction() as session:
            waiting = [
                select(func.count()).select_from(Order).where(Order.state.in_(("open", "authorised"))),
                select(func.count()).select_from(Payment).where(Payment.state.in_(UNDECIDED)),
                select(func.count()).select_from(Refund).where(Refund.state.in_(("requested", "sent"))),
                select(func.count()).select_from(Booking).where(Booking.state == "awaiting_payment"),
                select(func.count()).select_from(Booking).where(Booking.payment == "refund_due"),
                select(func.count())
                .select_from(GatewayEvent)
                .where(GatewayEvent.processed_at.is_(None), GatewayEvent.problem.is_(None)),
            ]
            return sum(session.scalar(query) or 0 for query in waiting)

    def tell(self) -> None:
        with db.transaction() as session:
            city = session.get_one(City, self.city_id)
            by_entry = (
                select(func.abs(func.sum(LedgerLine.amount_minor)).label("off"))
                .group_by(LedgerLine.city_id, LedgerLine.entry_id)
                .subquery()
            )
            off = int(session.scalar(select(func.coalesce(func.sum(by_entry.c.off), 0))) or 0)
            # Where all is done, nobody owes anything for any order.
            by_order = (
                select(func.abs(func.sum(LedgerLine.amount_minor)).label("owed"))
                .join(
                    LedgerEntry,
                    (LedgerEntry.city_id == LedgerLine.city_id) & (LedgerEntry.id == LedgerLine.entry_id),
                )
                .where(LedgerLine.account.in_(("payer", "supplier")))
                .group_by(LedgerEntry.reference, LedgerLine.account)
                .subquery()
            )
            owed = int(session.scalar(select(func.coalesce(func.sum(by_order.c.owed), 0))) or 0)
            ends = session.execute(
                select(Order.state, func.count()).group_by(Order.state).order_by(Order.state)
            ).all()
        log.info("orders ended %s", ", ".join(f"{state} {count}" for state, count in ends))
        problems = list(problems_of(city))
        for problem in problems[:20]:
            print(f"# {problem}", flush=True)
        report("money.random_orders", self.made, "orders", floor=None, n=self.made)
        report("money.imbalance_minor", off + owed, "minor units", floor=None, n=self.made)
        report("money.undecided_orders", self.undecided(), "rows", floor=None, n=self.made)
        report("money.disagreements", len(problems), "sentences", floor=None, n=self.made)
