"""A saved search tells if and only if something that fits it has become free, once, and not too often."""

from collections.abc import Callable, Sequence
from datetime import time, timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select, text, update
from sqlalchemy.orm import Session

from bookings.lifecycle.models import Booking
from marketplace.accounts.models import Organisation, Person
from marketplace.cities.models import City
from spaces.calendar.actions import compile_spaces
from spaces.calendar.closing_actions import close_space, reopen_space
from spaces.calendar.models import FreedClaim, OpeningRule
from spaces.calendar.queries import Held
from spaces.calendar.rules import SpaceCalendar
from spaces.catalog.models import Space, Venue
from spaces.districts.models import District
from spaces.saved import jobs, look_actions, looking
from spaces.saved.look_actions import take_up_news
from spaces.saved.models import SavedSearch
from spaces.saved.queries import to_tell
from spaces.saved.rules import TELL_EVERY, key_of, space_of
from tests.factories.bookings import DAY, NOW, book, open_space, span_on
from tests.factories.cities import make_city
from tests.factories.districts import make_district
from tests.factories.people import actor_of, join, make_organisation, make_person
from tests.factories.spaces import make_unit, make_venue
from tests.spaces.saved.conftest import EVENING, LATER, give_up, mails, save

Follow = Callable[..., None]


def test_a_cancellation_is_told(
    session: Session, app: Flask, city: City, person: Person, taken: Booking, follow: Follow
) -> None:
    saved = save(session, app, city, person, when=EVENING, people=20)
    follow(NOW + timedelta(minutes=5))
    assert mails(session, person) == []
    give_up(session, city, taken)
    follow()
    (mail,) = mails(session, person)
    assert mail.language == person.language
    assert f"/spaces/{taken.space_id}?" in mail.body_text
    assert "17.00" in mail.body_text
    assert "people=20" in mail.body_text
    assert mail.stop_url is not None
    assert mail.stop_url in mail.body_text
    session.refresh(saved)
    assert saved.told_at == [LATER]
    assert key_of(taken.space_id, DAY) in saved.known
    assert session.scalar(select(FreedClaim.id)) is None, "news that everybody has read is dropped"


def test_it_is_told_once(
    session: Session, app: Flask, city: City, person: Person, taken: Booking, follow: Follow
) -> None:
    save(session, app, city, person, when=EVENING)
    give_up(session, city, taken)
    for hours in range(2, 30, 2):
        follow(NOW + timedelta(hours=hours))
    assert len(mails(session, person)) == 1


@pytest.mark.parametrize(
    "args",
    [
        {"when": "2.12.2026 klo 17–21"},
        {"when": "1.12.2026 klo 9–12"},
        {"when": EVENING, "people": 41},
        {"when": EVENING, "kind": "sauna"},
        {"when": EVENING, "price": 0},
        {"when": EVENING, "minutes": 240, "people": 20, "access": "lift"},
        {"when": EVENING, "bbox": "24.0,60.0,24.1,60.1"},
        {"when": EVENING, "q": "jalkapallo"},
    ],
)
def test_what_does_not_fit_is_not_told(
    session: Session,
    app: Flask,
    city: City,
    person: Person,
    taken: Booking,
    follow: Follow,
    args: dict[str, Any],
) -> None:
    save(session, app, city, person, **args)
    give_up(session, city, taken)
    follow()
    follow(LATER + timedelta(hours=2))
    assert mails(session, person) == []


def test_a_day_that_was_free_enough_already_is_no_news(
    session: Session, app: Flask, city: City, person: Person, hall: Space, follow: Follow
) -> None:
    somebody = actor_of(session, make_person(session, city))
    booking = book(session, city, hall, somebody, span_on(city, 19, 21))
    save(session, app, city, person, when=EVENING, minutes=60)
    give_up(session, city, booking)
    follow()
    assert mails(session, person) == []


def test_a_time_that_was_taken_since_it_was_known_and_is_free_again_is_news(
    session: Session, app: Flask, city: City, person: Person, hall: Space, follow: Follow
) -> None:
    saved = save(session, app, city, person, when=EVENING)
    assert saved.known == [key_of(hall.id, DAY)]
    booking = book(session, city, hall, actor_of(session, make_person(session, city)), span_on(city, 17, 21))
    give_up(session, city, booking)
    follow()
    assert len(mails(session, person)) == 1


def test_a_checkout_that_was_not_finished_is_no_news(
    session: Session, app: Flask, city: City, person: Person, hall: Space, follow: Follow
) -> None:
    save(session, app, city, person, when=EVENING)
    booking = book(session, city, hall, actor_of(session, make_person(session, city)), span_on(city, 17, 21))
    give_up(session, city, booking)
    session.execute(update(FreedClaim).values(freed_at=booking.created_at + timedelta(minutes=10)))
    session.commit()
    follow()
    assert mails(session, person) == []


def test_nobody_is_told_of_what_they_gave_up_themselves(
    session: Session, app: Flask, city: City, person: Person, hall: Space, follow: Follow
) -> None:
    booking = book(session, city, hall, actor_of(session, person), span_on(city, 17, 21))
    save(session, app, city, person, when=EVENING)
    other = make_person(session, city)
    save(session, app, city, other, when=EVENING)
    give_up(session, city, booking)
    follow()
    follow(LATER + timedelta(hours=3))
    assert mails(session, person) == []
    assert len(mails(session, other)) == 1


def test_nor_of_what_their_association_gave_up(
    session: Session, app: Flask, city: City, person: Person, hall: Space, follow: Follow
) -> None:
    club, colleague = make_organisation(session, city), make_person(session, city)
    for member in (person, colleague):
        join(session, member, club)
    booking = book(
        session, city, hall, actor_of(session, colleague), span_on(city, 17, 21), organisation_id=club.id
    )
    save(session, app, city, person, when=EVENING, acting_for=club.id)
    give_up(session, city, booking)
    follow()
    follow(LATER + timedelta(hours=3))
    assert mails(session, person) == []


def test_what_is_taken_again_before_the_mail_is_not_told(
    session: Session, app: Flask, city: City, person: Person, taken: Booking, hall: Space, follow: Follow
) -> None:
    save(session, app, city, person, when=EVENING)
    give_up(session, city, taken)
    book(session, city, hall, actor_of(session, make_person(session, city)), span_on(city, 17, 21))
    session.commit()
    follow()
    assert mails(session, person) == []


def test_what_waits_for_its_hour_is_looked_at_before_it_is_told(
    session: Session, app: Flask, city: City, person: Person, taken: Booking, hall: Space, follow: Follow
) -> None:
    saved = save(session, app, city, person, when=EVENING)
    session.execute(update(SavedSearch).values(tell_after=LATER + timedelta(minutes=50)))
    session.commit()
    give_up(session, city, taken)
    follow()
    session.refresh(saved)
    assert saved.found == [key_of(hall.id, DAY)]
    again = book(session, city, hall, actor_of(session, make_person(session, city)), span_on(city, 17, 21))
    session.commit()
    follow(LATER + timedelta(hours=1))
    session.refresh(saved)
    assert mails(session, person) == []
    assert saved.found == []
    give_up(session, city, again)
    follow(LATER + timedelta(hours=2))
    assert len(mails(session, person)) == 1


def test_at_most_one_mail_an_hour_and_three_a_day_and_the_rest_together(
    session: Session, app: Flask, city: City, person: Person, follow: Follow
) -> None:
    somebody = actor_of(session, make_person(session, city))
    halls = [open_space(session, city, cancellation_hours=0) for _ in range(10)]
    bookings = [book(session, city, space, somebody, span_on(city, 17, 21)) for space in halls]
    save(session, app, city, person, when=EVENING)
    at = LATER
    for booking in bookings:
        give_up(session, city, booking)
        follow(at)
        at += timedelta(minutes=30)
    told = mails(session, person)
    assert len(told) == 3
    follow(LATER + timedelta(days=1))
    told = mails(session, person)
    assert len(told) == 4
    spaces = [{i for i in (s.id for s in halls) if f"/spaces/{i}?" in mail.body_text} for mail in told]
    assert set.union(*spaces) == {space.id for space in halls}
    assert sum(len(some) for some in spaces) == len(halls), "each is told once"


def test_longer_hours_and_new_spaces_are_found_by_the_sweep(
    session: Session, app: Flask, city: City, person: Person, hall: Space, follow: Follow
) -> None:
    save(session, app, city, person, when="1.12.2026 klo 5–8")
    follow()
    assert mails(session, person) == []
    session.execute(update(OpeningRule).values(opens=time(6)))
    compile_spaces(session, city, [hall.id], first=DAY, last=DAY.replace(day=28))
    new = open_space(session, city, hours=(time(5), time(9)))
    session.commit()
    follow(LATER + timedelta(hours=1, minutes=1))
    (mail,) = mails(session, person)
    assert f"/spaces/{hall.id}?" in mail.body_text
    assert f"/spaces/{new.id}?" in mail.body_text


def test_a_lower_price_is_found_by_the_sweep(
    session: Session, app: Flask, city: City, person: Person, hall: Space, follow: Follow
) -> None:
    save(session, app, city, person, when=EVENING, price=1000)
    session.execute(text("UPDATE price SET amount_minor = 900"))
    session.commit()
    follow(NOW + timedelta(hours=1, minutes=1))
    assert len(mails(session, person)) == 1


def test_a_closing_that_is_lifted_is_told(
    session: Session, app: Flask, city: City, person: Person, hall: Space, follow: Follow
) -> None:
    venue = session.get_one(Venue, (city.id, hall.venue_id))
    manager = make_person(session, city)
    join(session, manager, session.get_one(Organisation, (city.id, venue.owner_id)), "manager")
    actor = actor_of(session, manager)
    (closed, *_) = close_space(
        session,
        city,
        hall,
        span_on(city, 8, 22),
        reasons={"fi": "Remontti"},
        actor=actor,
        keep=(),
        cancel=(),
        at=NOW,
    )
    save(session, app, city, person, when=EVENING)
    session.commit()
    reopen_space(session, city, hall, closed.closing_id or closed.id, actor=actor)
    session.commit()
    follow()
    assert len(mails(session, person)) == 1


def test_a_time_offered_to_the_line_is_told_when_nobody_took_it(
    session: Session, app: Flask, city: City, person: Person, taken: Booking, hall: Space, follow: Follow
) -> None:
    save(session, app, city, person, when=EVENING)
    give_up(session, city, taken)
    hold = book(session, city, hall, actor_of(session, make_person(session, city)), span_on(city, 17, 21))
    session.commit()
    follow()
    give_up(session, city, hold)
    session.execute(update(FreedClaim).values(freed_at=hold.created_at + timedelta(minutes=10)))
    session.commit()
    follow(LATER + timedelta(minutes=2))
    assert len(mails(session, person)) == 1, (
        "it has never been free for this search, however briefly it was held"
    )


def test_half_of_a_hall_frees_the_whole(
    session: Session, app: Flask, city: City, person: Person, follow: Follow
) -> None:
    venue = make_venue(session, city)
    units = [make_unit(session, venue), make_unit(session, venue)]
    whole = open_space(session, city, venue, units=units, capacity=100, cancellation_hours=0)
    half = open_space(session, city, venue, units=units[:1], capacity=30, cancellation_hours=0)
    booking = book(session, city, half, actor_of(session, make_person(session, city)), span_on(city, 17, 21))
    save(session, app, city, person, when=EVENING, people=80)
    give_up(session, city, booking)
    follow()
    (mail,) = mails(session, person)
    assert f"/spaces/{whole.id}?" in mail.body_text
    assert f"/spaces/{half.id}?" not in mail.body_text


def test_a_lane_that_was_not_the_last_is_no_news(
    session: Session, app: Flask, city: City, person: Person, follow: Follow
) -> None:
    venue = make_venue(session, city)
    lawn = open_space(session, city, venue, units=[make_unit(session, venue, lanes=2)], cancellation_hours=0)
    somebody = actor_of(session, make_person(session, city))
    first = book(session, city, lawn, somebody, span_on(city, 17, 21))
    save(session, app, city, person, when=EVENING)
    give_up(session, city, first)
    follow()
    assert mails(session, person) == []


def test_a_search_without_days_is_told_when_a_full_space_has_room_again(
    session: Session, app: Flask, city: City, person: Person, follow: Follow
) -> None:
    first = open_space(session, city, hours=(time(17), time(21)), cancellation_hours=0, kind="sauna")
    session.execute(text("DELETE FROM opening_rule"))
    session.add(
        OpeningRule(
            city_id=city.id, space_id=first.id, days=[2], opens=time(17), closes=time(21),
            valid_from=DAY, valid_to=DAY,
        )
    )  # fmt: skip
    session.flush()
    compile_spaces(session, city, [first.id], first=DAY.replace(day=1, month=11), last=DAY.replace(day=28))
    booking = book(session, city, first, actor_of(session, make_person(session, city)), span_on(city, 17, 21))
    saved = save(session, app, city, person, kind="sauna")
    assert saved.known == []
    give_up(session, city, booking)
    follow()
    assert len(mails(session, person)) == 1


def test_where_too_much_is_free_nothing_is_told_until_it_is_less(
    session: Session,
    app: Flask,
    city: City,
    person: Person,
    taken: Booking,
    follow: Follow,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(looking, "MOST_SPACES", 2)
    others = [open_space(session, city, cancellation_hours=0) for _ in range(3)]
    saved = save(session, app, city, person, when=EVENING)
    assert [saved.is_wide] == [True]
    give_up(session, city, taken)
    follow()
    follow(LATER + timedelta(hours=2))
    assert mails(session, person) == []
    somebody = actor_of(session, make_person(session, city))
    held = [book(session, city, space, somebody, span_on(city, 17, 21)) for space in others]
    session.commit()
    follow(LATER + timedelta(hours=4))
    session.refresh(saved)
    assert [saved.is_wide] == [False]
    assert [space_of(key) for key in saved.known] == [taken.space_id]
    give_up(session, city, held[0])
    follow(LATER + timedelta(hours=4, minutes=1))
    (mail,) = mails(session, person)
    assert f"/spaces/{others[0].id}?" in mail.body_text


def test_a_search_whose_district_is_gone_says_so_once_and_does_not_widen(
    session: Session, app: Flask, city: City, person: Person, taken: Booking, follow: Follow
) -> None:
    district = make_district(session, city, names={"fi": "Kallio", "sv": "Berghäll", "en": "Kallio"})
    saved = save(session, app, city, person, when=EVENING, district=district.id)
    session.execute(text("UPDATE venue SET district_id = NULL"))
    session.delete(session.get_one(District, (city.id, district.id)))
    session.commit()
    give_up(session, city, taken)
    for hours in (1, 3, 5):
        follow(LATER + timedelta(hours=hours))
    session.refresh(saved)
    assert saved.is_unreadable
    (mail,) = mails(session, person)
    assert mail.template.endswith("/unreadable")


def test_after_its_dates_it_tells_nothing_and_is_forgotten_a_month_later(
    session: Session, app: Flask, city: City, person: Person, taken: Booking, follow: Follow
) -> None:
    saved_id = save(session, app, city, person, when=EVENING).id
    follow(LATER + timedelta(days=20))
    assert session.get(SavedSearch, (city.id, saved_id)) is not None
    follow(LATER + timedelta(days=40))
    assert session.get(SavedSearch, (city.id, saved_id)) is None
    assert mails(session, person) == []


def test_without_notices_or_a_proved_address_nothing_is_sent(
    session: Session, app: Flask, city: City, person: Person, taken: Booking, follow: Follow
) -> None:
    stranger = make_person(session, city, email_verified_at=None)
    save(session, app, city, stranger, when=EVENING)
    silent = save(session, app, city, person, when=EVENING)
    silent.notify = False
    session.commit()
    give_up(session, city, taken)
    follow()
    assert mails(session, person) == mails(session, stranger) == []


def test_searches_of_another_city_hear_nothing(
    session: Session, app: Flask, city: City, person: Person, taken: Booking, follow: Follow
) -> None:
    other = make_city(session, slug="toinen")
    stranger = make_person(session, other)
    save(session, app, other, stranger, when=EVENING)
    give_up(session, city, taken)
    follow()
    assert mails(session, stranger) == []


def test_a_round_goes_on_where_the_last_one_stopped(
    session: Session, app: Flask, city: City, person: Person, taken: Booking, follow: Follow
) -> None:
    """A batch that was begun and not finished is read to its end, and nobody who had read it is told again."""
    others = [make_person(session, city) for _ in range(3)]
    for one in (person, *others):
        save(session, app, city, one, when=EVENING)
    give_up(session, city, taken)
    batch = take_up_news(session, city.id)
    first = session.scalars(select(SavedSearch).where(SavedSearch.person_id == person.id)).one()
    first.seen_batch = batch
    first.known = [key_of(taken.space_id, DAY)]
    session.commit()
    follow()
    assert mails(session, person) == []
    assert all(len(mails(session, one)) == 1 for one in others)


def test_what_has_become_too_late_to_book_is_not_told(
    session: Session, app: Flask, city: City, person: Person, taken: Booking, follow: Follow
) -> None:
    save(session, app, city, person, when=EVENING)
    give_up(session, city, taken)
    follow(span_on(city, 20.5, 21).start)
    assert mails(session, person) == []


@pytest.mark.parametrize("wanted", [EVENING, "30.11.2026 – 1.12.2026 klo 17–21"])
def test_an_evening_that_is_over_is_no_trouble_to_write_of(
    session: Session, app: Flask, city: City, person: Person, taken: Booking, follow: Follow, wanted: str
) -> None:
    saved = save(session, app, city, person, when=wanted)
    give_up(session, city, taken)
    found = [key_of(taken.space_id, DAY)]
    first = span_on(city, 22.5, 24).start
    # Once where it is looked at before it may be told, and once where it is told before it is looked at.
    for at, checked_at, tell_after in (
        (first, None, first + timedelta(days=1)),
        (first + timedelta(minutes=30), first, None),
    ):
        values = {"found": found, "checked_at": checked_at, "tell_after": tell_after}
        session.execute(update(SavedSearch).values(**values))
        session.commit()
        follow(at)
        session.refresh(saved)
        assert (saved.is_unreadable, saved.found, saved.checked_at) == (False, [], first)
    assert mails(session, person) == []
    assert session.scalar(select(FreedClaim.id)) is None


def test_of_weekdays_the_last_such_day_ends_it(
    session: Session, app: Flask, city: City, person: Person, hall: Space, follow: Follow
) -> None:
    args: dict[str, Any] = {"from": "2026-11-25", "to": "2026-12-06", "weekday": ["2"]}
    saved = save(session, app, city, person, **args)
    assert (saved.last_day, saved.ends_on) == (DAY, DAY)
    follow(span_on(city, 12, 13, day=DAY + timedelta(days=2)).start)
    session.refresh(saved)
    assert not saved.is_unreadable
    assert mails(session, person) == []


def test_what_was_found_is_not_told_after_its_dates(
    session: Session, app: Flask, city: City, person: Person, hall: Space
) -> None:
    save(session, app, city, person, when=EVENING)
    session.execute(update(SavedSearch).values(found=[key_of(hall.id, DAY)]))
    session.commit()
    assert len(to_tell(session, city.id, at=LATER, today=DAY, limit=9)) == 1
    assert to_tell(session, city.id, at=LATER, today=DAY + timedelta(days=1), limit=9) == []


def test_a_search_that_fails_keeps_nobody_else_waiting(
    session: Session,
    app: Flask,
    city: City,
    person: Person,
    taken: Booking,
    follow: Follow,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Whatever step of the round it fails in, its turn is over, and it comes again later."""
    broken = save(session, app, city, person, when=EVENING)
    other = make_person(session, city)
    save(session, app, city, other, when=EVENING)
    real = look_actions.ask_again

    def ask_again(session: Session, saved: SavedSearch, **values: Any) -> Any:
        if saved.id == broken.id:
            raise KeyError(saved.id)
        return real(session, saved, **values)

    monkeypatch.setattr(look_actions, "ask_again", ask_again)
    session.execute(
        update(SavedSearch).where(SavedSearch.id == broken.id).values(found=[key_of(taken.space_id, DAY)])
    )
    session.execute(update(SavedSearch).values(checked_at=NOW - timedelta(days=1)))
    give_up(session, city, taken)
    batch = take_up_news(session, city.id)
    session.commit()
    follow()
    assert len(mails(session, other)) == 1
    session.refresh(broken)
    assert (broken.checked_at, broken.seen_batch, broken.tell_after) == (LATER, batch, LATER + TELL_EVERY)
    assert broken.found, "it is still to be told"
    assert session.scalar(select(FreedClaim.id)) is None
    monkeypatch.undo()
    follow(LATER + TELL_EVERY)
    assert len(mails(session, person)) == 1


def test_news_that_cannot_be_read_waits_for_the_sweep(
    session: Session,
    app: Flask,
    city: City,
    person: Person,
    taken: Booking,
    follow: Follow,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    save(session, app, city, person, when=EVENING)
    give_up(session, city, taken)

    def matching(*args: object, **values: object) -> None:
        raise ValueError

    monkeypatch.setattr(jobs, "matching", matching)
    session.execute(update(SavedSearch).values(checked_at=LATER))
    session.commit()
    follow()
    assert session.scalar(select(FreedClaim.id)) is None
    follow(LATER + timedelta(hours=1))
    assert len(mails(session, person)) == 1


def test_a_city_that_fails_does_not_stop_the_others(
    session: Session,
    app: Flask,
    city: City,
    person: Person,
    taken: Booking,
    follow: Follow,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    broken = make_city(session, slug="toinen")
    first = save(session, app, broken, make_person(session, broken), when=EVENING)
    save(session, app, city, person, when=EVENING)
    session.execute(
        update(SavedSearch).where(SavedSearch.id == first.id).values(checked_at=NOW - timedelta(days=1))
    )
    give_up(session, city, taken)
    real = jobs.read_news

    def read_news(where: City, **values: Any) -> bool:
        if where.id == broken.id:
            raise KeyError(where.id)
        return real(where, **values)

    monkeypatch.setattr(jobs, "read_news", read_news)
    follow()
    assert len(mails(session, person)) == 1


def test_only_what_was_given_back_here_is_looked_at_as_before(
    session: Session,
    app: Flask,
    city: City,
    person: Person,
    follow: Follow,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A search knows many days that stayed free; for each of them, one moment of every booking would be much."""
    halls = [open_space(session, city, cancellation_hours=0) for _ in range(4)]
    save(session, app, city, person, when="1.12.2026 – 3.12.2026 klo 17–21")
    bookings = [
        book(session, city, space, actor_of(session, make_person(session, city)), span_on(city, 17, 21))
        for space in halls
    ]
    for booking in bookings:
        give_up(session, city, booking)
    looked: list[int] = []
    real = looking.as_before

    def as_before(
        calendar: SpaceCalendar, freed: Sequence[looking.Freed], *, stood: Sequence[Held]
    ) -> SpaceCalendar:
        looked.append(calendar.space_id)
        return real(calendar, freed, stood=stood)

    monkeypatch.setattr(look_actions, "as_before", as_before)
    follow()
    assert sorted(looked) == sorted(space.id for space in halls)
    (mail,) = mails(session, person)
    assert all(f"/spaces/{space.id}?" in mail.body_text for space in halls)


def test_the_time_around_a_booking_stood_in_the_way_too(
    session: Session, app: Flask, city: City, person: Person, follow: Follow
) -> None:
    """What began when the asked hours end left no time to clean in between."""
    space = open_space(session, city, cancellation_hours=0, buffer_after_minutes=60, max_minutes=240)
    save(session, app, city, person, when=EVENING, minutes=240)
    # One in the morning, so that the hall was given back on both sides of the asked hours.
    for hour in (8, 21):
        somebody = actor_of(session, make_person(session, city))
        give_up(session, city, book(session, city, space, somebody, span_on(city, hour, hour + 1)))
    follow()
    assert len(mails(session, person)) == 1


def test_who_booked_after_it_was_given_back_did_not_stand_in_the_way_with_it(
    session: Session, app: Flask, city: City, person: Person, follow: Follow
) -> None:
    """Two hours stayed free all the time: first after what was given up, then before what was booked next."""
    space = open_space(session, city, cancellation_hours=0)
    save(session, app, city, person, when=EVENING, minutes=120)
    given, taken = (actor_of(session, make_person(session, city)) for _ in range(2))
    booking = book(session, city, space, given, span_on(city, 18, 19), at=NOW)
    give_up(session, city, booking, at=NOW + timedelta(minutes=40))
    session.execute(update(FreedClaim).values(freed_at=NOW + timedelta(minutes=40)))
    book(session, city, space, taken, span_on(city, 19, 21), at=NOW + timedelta(minutes=80))
    follow()
    assert mails(session, person) == []
