"""One's own mobile number: asked for, confirmed by the code of a message, used for what one chose, and removed."""

import re
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import Engine, select, text
from sqlalchemy.orm import Session

from marketplace.accounts.models import AuditEntry, Person
from marketplace.cities.models import City
from marketplace.clock import now
from marketplace.db import transaction
from marketplace.identity.errors import CodeOver
from marketplace.identity.number_actions import ask_for_code, confirm_number
from marketplace.notifications.codes import code_of, number_key
from marketplace.notifications.gateway import HttpGateway
from marketplace.notifications.models import Mail, NumberCode, TextMessage, TextNumber
from tests.factories.cities import make_city
from tests.factories.gateway import TOKEN, FakeGateway, fake_gateway
from tests.factories.people import actor_of, make_person, sign_in

NUMBER = "+358401234567"


@pytest.fixture
def gateway(app: Flask, monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeGateway]:
    """The application sends text messages, by the gateway of the test."""
    with fake_gateway() as gateway:
        sender = HttpGateway(gateway.url, token=TOKEN, sender="Tilaa", seconds=2)
        monkeypatch.setitem(app.extensions, "sms", sender)
        yield gateway


def ask(client: FlaskClient, number: str = "040 123 4567", submission: str | None = None, **more: object):
    data = {"number": number, **({"submission": submission} if submission else {})}
    return client.post("/en/profile/number", data=data, **more)


def sent_code(gateway: FakeGateway, run_jobs: Callable[[], int]) -> str:
    run_jobs()
    found = re.search(r"\b\d{6}\b", gateway.taken[-1].text)
    assert found is not None
    return found[0]


def type_code(client: FlaskClient, code: str):
    return client.post("/en/profile/number/code", data={"code": code})


def other_than(code: str) -> str:
    return f"{(int(code) + 1) % 10**6:06d}"


def own(session: Session) -> TextNumber | None:
    session.expire_all()
    return session.scalar(select(TextNumber))


def trail(session: Session, action: str) -> list[dict[str, object]]:
    return list(
        session.scalars(select(AuditEntry.details).where(AuditEntry.action == action).order_by(AuditEntry.id))
    )


def test_a_number_is_confirmed_by_the_code_of_its_message(
    signed_in_client: FlaskClient,
    session: Session,
    person: Person,
    gateway: FakeGateway,
    run_jobs: Callable[[], int],
) -> None:
    client = signed_in_client
    assert 'href="/en/profile/number"' in client.get("/en/profile").text
    assert ask(client).location == "/en/profile/number/code"
    assert "040 1234567" in client.get("/en/profile/number/code").text
    code = sent_code(gateway, run_jobs)
    assert gateway.taken[0].to == NUMBER
    assert type_code(client, other_than(code)).status_code == 422
    assert own(session) is None
    # With blanks, as phones copy it.
    assert type_code(client, f" {code[:3]} {code[3:]} ").location == "/en/profile#texts"
    kept = own(session)
    assert kept is not None
    assert (kept.number, kept.person_id, kept.wants_offers) == (NUMBER, person.id, False)
    assert type_code(client, code).location == "/en/profile/number", "once is all"
    assert "040 1234567" in client.get("/en/profile").text
    run_jobs()
    mail = session.scalars(select(Mail)).one()
    assert mail.template.endswith("number_confirmed")
    assert "+358 … 67" in mail.body_text
    assert trail(session, "person.number-confirmed") == [{"before": None, "after": "+358 … 67"}]


def test_the_code_stands_nowhere(
    app: Flask,
    signed_in_client: FlaskClient,
    session: Session,
    gateway: FakeGateway,
    run_jobs: Callable[[], int],
) -> None:
    ask(signed_in_client)
    asked = session.scalars(select(NumberCode)).one()
    with app.app_context():
        code = code_of(asked.city_id, number_key(asked.id))
    tables = ("number_code", "text_message", "procrastinate_jobs", "audit_entry", "mail")

    def everything() -> str:
        return "".join(
            str(row) for table in tables for row in session.execute(text(f"SELECT * FROM {table}"))
        )

    assert code not in everything()
    # The message is written by one job and sent by the next.
    gateway.answers = [500, 200]
    with pytest.raises(Exception, match="HTTP 500"):
        run_jobs()
    session.expire_all()
    assert session.scalars(select(TextMessage.state)).one() == "queued"
    assert code not in everything()
    assert code in gateway.taken[0].text


def test_five_tries_and_ten_minutes_are_all(
    signed_in_client: FlaskClient, session: Session, gateway: FakeGateway, run_jobs: Callable[[], int]
) -> None:
    client = signed_in_client
    ask(client, submission="one")
    code = sent_code(gateway, run_jobs)
    for _ in range(5):
        assert type_code(client, other_than(code)).status_code == 422
    answer = type_code(client, code)
    assert answer.status_code == 409
    assert "Send a new code" in answer.text
    assert own(session) is None
    ask(client, submission="two")
    code = sent_code(gateway, run_jobs)
    session.execute(text("UPDATE number_code SET expires_at = now() - interval '1 second'"))
    session.commit()
    assert type_code(client, code).status_code == 409
    assert "no longer works" in client.get("/en/profile/number/code").text
    assert own(session) is None


def test_a_new_code_ends_the_old_one_and_a_second_press_asks_nothing(
    signed_in_client: FlaskClient, session: Session, gateway: FakeGateway, run_jobs: Callable[[], int]
) -> None:
    client = signed_in_client
    ask(client, submission="one")
    first = sent_code(gateway, run_jobs)
    ask(client, submission="one")
    run_jobs()
    assert len(gateway.taken) == 1
    ask(client, submission="two")
    second = sent_code(gateway, run_jobs)
    if first != second:
        assert type_code(client, first).status_code == 422
    assert type_code(client, second).status_code == 303


def test_a_late_code_message_is_not_sent(
    signed_in_client: FlaskClient, session: Session, gateway: FakeGateway, run_jobs: Callable[[], int]
) -> None:
    ask(signed_in_client)
    session.execute(text("UPDATE number_code SET expires_at = now() - interval '1 second'"))
    session.commit()
    run_jobs()
    assert gateway.taken == []


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ("", "Write your mobile number."),
        ("call me", "Write a mobile number such as"),
        ("09 310 1691", "Text messages do not reach this number."),
        ("+44 7400 123456", "We do not send text messages to the country"),
        ("040 123 4567" * 50, "Write a mobile number such as"),
        ("\x00", "Write a mobile number such as"),
    ],
)
def test_a_bad_number_is_told_beside_the_field(
    signed_in_client: FlaskClient, session: Session, gateway: FakeGateway, typed: str, words: str
) -> None:
    answer = ask(signed_in_client, typed)
    assert answer.status_code == 422
    assert words in answer.text
    assert session.scalars(select(NumberCode)).all() == []


@pytest.mark.parametrize("typed", ["", "12345", "1234567", "12345a", "١٢٣٤٥٦", "123456\n1", "\x00" * 6])
def test_what_is_no_code_costs_no_try(
    signed_in_client: FlaskClient, session: Session, gateway: FakeGateway, typed: str
) -> None:
    ask(signed_in_client)
    assert type_code(signed_in_client, typed).status_code == 422
    assert session.scalars(select(NumberCode.tries)).one() == 0


def test_a_change_keeps_the_old_number_until_the_new_one_is_shown(
    signed_in_client: FlaskClient, session: Session, gateway: FakeGateway, run_jobs: Callable[[], int]
) -> None:
    client = signed_in_client
    ask(client)
    type_code(client, sent_code(gateway, run_jobs))
    client.post("/en/profile/number/offers", data={"wants_offers": "y"})
    ask(client, "+46 70 123 45 67")
    kept = own(session)
    assert kept is not None
    assert kept.number == NUMBER
    type_code(client, sent_code(gateway, run_jobs))
    kept = own(session)
    assert kept is not None
    assert (kept.number, kept.wants_offers) == ("+46701234567", True)
    assert trail(session, "person.number-confirmed")[-1] == {"before": "+358 … 67", "after": "+46 … 67"}
    assert NUMBER not in set(session.scalars(select(TextMessage.to_number)))


def test_offers_are_chosen_and_unchosen(
    signed_in_client: FlaskClient, session: Session, gateway: FakeGateway, run_jobs: Callable[[], int]
) -> None:
    client = signed_in_client
    assert (
        "Confirm a mobile number first."
        in client.post("/en/profile/number/offers", data={"wants_offers": "y"}, follow_redirects=True).text
    )
    ask(client)
    type_code(client, sent_code(gateway, run_jobs))
    for data, wanted in (({"wants_offers": "y"}, True), ({"wants_offers": "y"}, True), ({}, False)):
        assert client.post("/en/profile/number/offers", data=data).status_code == 303
        kept = own(session)
        assert kept is not None
        assert kept.wants_offers is wanted
    assert trail(session, "person.offers-by-text") == [
        {"before": False, "after": True},
        {"before": True, "after": False},
    ]


def test_a_removed_number_is_forgotten_and_twice_does_no_harm(
    app: Flask,
    signed_in_client: FlaskClient,
    session: Session,
    gateway: FakeGateway,
    run_jobs: Callable[[], int],
) -> None:
    client = signed_in_client
    ask(client)
    type_code(client, sent_code(gateway, run_jobs))
    ask(client, "050 765 4321", submission="more")
    for _ in range(2):
        assert client.post("/en/profile/number/removal").status_code == 303
    assert own(session) is None
    assert session.scalars(select(NumberCode)).all() == []
    assert set(session.scalars(select(TextMessage.to_number))) == {""}
    assert trail(session, "person.number-removed") == [{"before": "+358 … 67", "after": None}]
    whole = "".join(str(row) for row in session.execute(text("SELECT * FROM audit_entry")))
    assert NUMBER[4:] not in whole


def test_without_a_gateway_there_are_no_such_pages_but_a_number_can_be_removed(
    signed_in_client: FlaskClient, session: Session, person: Person
) -> None:
    client = signed_in_client
    assert 'id="texts"' not in client.get("/en/profile").text
    for path in ("number", "number/code"):
        assert client.get(f"/en/profile/{path}").status_code == 404
        assert client.post(f"/en/profile/{path}", data={"number": "0401234567"}).status_code == 404
    session.add(
        TextNumber(
            city_id=person.city_id, person_id=person.id, number=NUMBER, verified_at=now(), wants_offers=True
        )
    )
    session.commit()
    page = client.get("/en/profile").text
    assert "Remove the number" in page
    assert "wants_offers" not in page
    assert client.post("/en/profile/number/removal").status_code == 303
    assert own(session) is None


def test_strangers_are_sent_to_sign_in_and_the_unconfirmed_send_nothing(
    app: Flask, client: FlaskClient, session: Session, city: City, gateway: FakeGateway
) -> None:
    for path in ("number", "number/code", "number/removal", "number/offers"):
        assert client.post(f"/fi/profile/{path}").location.startswith("/fi/sign-in")
    newcomer = make_person(session, city, email_verified_at=None)
    browser = app.test_client()
    sign_in(session, browser, newcomer)
    session.commit()
    assert "Confirm your e-mail address" in browser.get("/en/profile/number").text
    assert ask(browser).status_code == 403
    assert session.scalars(select(NumberCode)).all() == []


def test_one_persons_code_does_not_confirm_anothers_number(
    app: Flask,
    signed_in_client: FlaskClient,
    session: Session,
    city: City,
    gateway: FakeGateway,
    run_jobs: Callable[[], int],
) -> None:
    """And nobody learns that somebody else has the number: both get a code, and both may have it."""
    neighbour = app.test_client()
    sign_in(session, neighbour, make_person(session, city))
    session.commit()
    ask(signed_in_client)
    first = sent_code(gateway, run_jobs)
    assert ask(neighbour).status_code == 303
    second = sent_code(gateway, run_jobs)
    if first != second:
        assert type_code(neighbour, first).status_code == 422
    assert type_code(signed_in_client, first).status_code == 303
    assert type_code(neighbour, second).status_code == 303
    assert session.scalars(select(TextNumber.number)).all() == [NUMBER, NUMBER]


def test_many_guesses_at_once_are_five(committing: Engine, committing_app: Flask) -> None:
    """Two tabs, or a program, have no more tries than one."""
    with transaction() as session:
        city = make_city(session)
        guesser = make_person(session, city)
        actor = actor_of(session, guesser)
        asked = ask_for_code(session, guesser, number=NUMBER, submission="s", actor=actor, at=now())
    with committing_app.app_context():
        right = int(code_of(city.id, number_key(asked.id)))

    def guess(number: int) -> bool | None:
        with committing_app.app_context():
            try:
                with transaction() as session:
                    person = session.get_one(Person, (city.id, guesser.id))
                    typed = f"{(right + number) % 10**6:06d}"
                    return confirm_number(session, person, typed, actor=actor, at=now())
            except CodeOver:
                return None

    with ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(guess, range(1, 25)))
    assert (answers.count(False), answers.count(None)) == (5, 19)


class TestLimits:
    """What one could do to other people's phones and to the city's purse."""

    @pytest.fixture(autouse=True)
    def _limited(self, limited: None, gateway: FakeGateway) -> None:
        """Rate limits on, and a gateway."""

    def test_a_person_asks_three_times_a_quarter(self, signed_in_client: FlaskClient) -> None:
        for number in range(3):
            assert ask(signed_in_client, f"040 123 456{number}").status_code == 303
        refused = ask(signed_in_client, "040 123 4569")
        assert refused.status_code == 429
        assert 0 < int(refused.headers["Retry-After"]) <= 900
        assert "Too many attempts. Try again in 15 minutes." in refused.text

    def people(self, app: Flask, session: Session, city: City, count: int) -> list[FlaskClient]:
        browsers = [app.test_client() for _ in range(count)]
        for browser in browsers:
            sign_in(session, browser, make_person(session, city))
        session.commit()
        return browsers

    def test_a_number_is_not_rung_by_many(self, app: Flask, session: Session, city: City) -> None:
        answers = [
            ask(browser, environ_overrides={"REMOTE_ADDR": f"192.0.2.{place}"}).status_code
            for place, browser in enumerate(self.people(app, session, city, 4))
        ]
        assert answers == [303, 303, 303, 429]

    def test_a_place_sends_so_many_a_day(self, app: Flask, session: Session, city: City) -> None:
        browsers = self.people(app, session, city, 21)
        answers = [ask(b, f"040 123 45{n:02d}").status_code for n, b in enumerate(browsers)]
        assert answers == [303] * 20 + [429]
        elsewhere = ask(
            browsers[-1], "040 123 4599", submission="e", environ_overrides={"REMOTE_ADDR": "192.0.2.9"}
        )
        assert elsewhere.status_code == 303

    def test_a_city_pays_for_so_many_a_day(
        self, app: Flask, session: Session, city: City, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setitem(app.config, "SMS_CODES_PER_DAY", 4)
        answers = [
            ask(browser, f"040 123 45{n:02d}", environ_overrides={"REMOTE_ADDR": f"192.0.2.{n}"})
            for n, browser in enumerate(self.people(app, session, city, 6))
        ]
        assert [answer.status_code for answer in answers] == [303] * 4 + [429] * 2
        assert "Try again in 24 hours." in answers[-1].text

    def test_a_second_press_counts_once_and_no_counter_names_a_number(
        self, signed_in_client: FlaskClient, session: Session
    ) -> None:
        for _ in range(10):
            assert ask(signed_in_client, submission="same").status_code == 303
        keys = " ".join(session.scalars(text("SELECT key FROM rate_counter")))
        assert "text-code" in keys
        assert NUMBER[4:] not in keys

    def test_a_day_is_longer_than_a_quarter(self, signed_in_client: FlaskClient, session: Session) -> None:
        answers = []
        for number in range(8):
            answers.append(ask(signed_in_client, f"040 123 456{number}").status_code)
            session.execute(
                text("UPDATE rate_counter SET window_start = window_start - :quarter WHERE key ~ 'by:'"),
                {"quarter": timedelta(minutes=16)},
            )
            session.commit()
        assert answers == [303] * 6 + [429] * 2
