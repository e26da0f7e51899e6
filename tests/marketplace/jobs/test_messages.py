"""Messages become jobs with the change they follow, and only with it."""

from sqlalchemy import text
from sqlalchemy.orm import Session

from marketplace.cities.models import City
from marketplace.jobs import messages
from marketplace.jobs.messages import Message, publish

heard: list[Message] = []


def listen(session: Session, message: Message) -> None:
    heard.append(message)


def test_a_message_reaches_its_handler(session: Session, city: City, run_jobs) -> None:
    messages.register({"test.happened": [listen]})
    publish(session, "test.happened", city_id=city.id, number=7)
    session.commit()
    assert run_jobs() == 1
    assert heard[-1]["number"] == 7


def test_a_message_of_a_change_that_failed_does_not_exist(session: Session, city: City) -> None:
    messages.register({"test.happened": [listen]})
    with session.begin_nested() as savepoint:
        publish(session, "test.happened", city_id=city.id)
        savepoint.rollback()
    assert session.scalar(text("SELECT count(*) FROM procrastinate_jobs")) == 0
