"""What similar organisations use: counted only of those that agreed, and only where there are enough of them."""

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from bookings.offered.actions import count_pool, say_pool_consent
from bookings.offered.finding import offered_to
from bookings.offered.jobs import count_all
from bookings.offered.models import PooledUse
from bookings.offered.queries import pooled_spaces
from bookings.offered.rules import COUNTED_AFTER, LEAST_ORGANISATIONS, LEAST_PEOPLE
from marketplace.accounts.models import AuditEntry, Organisation, Person
from marketplace.cities.models import City
from marketplace.errors import Forbidden, NotFound
from spaces.catalog.models import Space
from spaces.pricing.models import OrganisationGroup
from tests.factories.bookings import DAY, NOW, open_space
from tests.factories.cities import make_city
from tests.factories.offered import let_offer, was_booked
from tests.factories.people import actor_of, join, make_organisation, make_person


@pytest.fixture
def space(session: Session, city: City) -> Space:
    return open_space(session, city, first=NOW.date(), last=DAY)


def counted(session: Session) -> list[tuple[str, str, int]]:
    rows = session.execute(select(PooledUse.kind, PooledUse.group_code, PooledUse.organisations))
    return [(kind, code, count) for kind, code, count in rows]


def users(
    session: Session,
    city: City,
    space: Space,
    many: int,
    *,
    agree: bool = True,
    kind: str = "association",
    since: datetime = NOW - COUNTED_AFTER - timedelta(days=1),
    booker: Person | None = None,
) -> list[tuple[Organisation, Person]]:
    """So many organisations that have used the space, twice each, and their managers, who booked where nobody else did."""
    made = []
    for n in range(many):
        organisation = make_organisation(session, city, name=f"{kind} {n} {agree}", kind=kind)
        organisation.created_at = since
        manager = make_person(session, city)
        join(session, manager, organisation, "manager")
        for days in (30, 60):
            day = DAY - timedelta(days=days)
            was_booked(session, city, space, booker or manager, day, organisation=organisation)
        if agree:
            say_pool_consent(session, organisation.id, actor=actor_of(session, manager), agrees=True, at=NOW)
        made.append((organisation, manager))
    return made


def test_too_few_are_not_counted_and_enough_are(session: Session, city: City, space: Space) -> None:
    users(session, city, space, LEAST_ORGANISATIONS - 1)
    users(session, city, space, 3, agree=False)
    users(session, city, space, 2, kind="company")
    count_pool(session, city.id, at=NOW)
    assert counted(session) == []
    users(session, city, space, 1, kind="association")
    count_pool(session, city.id, at=NOW)
    assert counted(session) == [("association", "association", LEAST_ORGANISATIONS)]


def test_customer_groups_are_counted_apart(session: Session, city: City, space: Space) -> None:
    made = users(session, city, space, LEAST_ORGANISATIONS)
    session.add(OrganisationGroup(city_id=city.id, organisation_id=made[0][0].id, group_code="youth"))
    session.flush()
    count_pool(session, city.id, at=NOW)
    assert counted(session) == []


def test_old_and_cancelled_bookings_do_not_count(session: Session, city: City, space: Space) -> None:
    made = users(session, city, space, LEAST_ORGANISATIONS - 1)
    organisation, manager = users(session, city, open_space(session, city), 1)[0]
    was_booked(session, city, space, manager, DAY - timedelta(days=400), organisation=organisation)
    was_booked(
        session,
        city,
        space,
        manager,
        DAY - timedelta(days=30),
        organisation=organisation,
        state="cancelled",
    )
    count_pool(session, city.id, at=NOW)
    assert counted(session) == []
    assert len(made) == LEAST_ORGANISATIONS - 1


def test_a_consent_taken_back_is_obeyed_at_once(
    session: Session, city: City, space: Space, run_jobs: Callable[[], int]
) -> None:
    made = users(session, city, space, LEAST_ORGANISATIONS)
    count_pool(session, city.id, at=NOW)
    assert counted(session)
    organisation, manager = made[0]
    say_pool_consent(session, organisation.id, actor=actor_of(session, manager), agrees=False, at=NOW)
    assert counted(session) == []
    session.commit()
    run_jobs()
    assert counted(session) == []
    entry = session.scalars(select(AuditEntry).where(AuditEntry.action == "pool.declined")).one()
    assert (entry.subject_id, entry.details["before"], entry.details["after"]) == (
        organisation.id,
        True,
        False,
    )


def test_newcomers_do_not_make_up_the_number(session: Session, city: City, space: Space) -> None:
    """Whoever founds four associations today learns nothing of the fifth."""
    users(session, city, space, 1)
    users(session, city, space, LEAST_ORGANISATIONS - 1, since=NOW - COUNTED_AFTER)
    count_pool(session, city.id, at=NOW)
    assert counted(session) == []
    count_pool(session, city.id, at=NOW + timedelta(seconds=1))
    assert counted(session) == [("association", "association", LEAST_ORGANISATIONS)]


def test_few_people_do_not_make_up_the_number(session: Session, city: City, space: Space) -> None:
    """However many associations they have."""
    one = make_person(session, city)
    users(session, city, space, LEAST_ORGANISATIONS, booker=one)
    users(session, city, space, LEAST_PEOPLE - 2)
    count_pool(session, city.id, at=NOW)
    assert counted(session) == []
    users(session, city, space, 1)
    count_pool(session, city.id, at=NOW)
    assert counted(session) == [("association", "association", LEAST_ORGANISATIONS + LEAST_PEOPLE - 1)]


def test_a_yes_waits_for_the_night(
    session: Session, city: City, space: Space, run_jobs: Callable[[], int]
) -> None:
    users(session, city, space, LEAST_ORGANISATIONS)
    session.commit()
    run_jobs()
    assert counted(session) == []
    count_all(NOW)
    assert counted(session) == [("association", "association", LEAST_ORGANISATIONS)]


def test_a_no_does_not_bring_a_yes_forward(
    session: Session, city: City, space: Space, run_jobs: Callable[[], int]
) -> None:
    """Nor does anybody's saying no and yes by turns show what others say meanwhile."""
    made = users(session, city, space, LEAST_ORGANISATIONS + 1)
    count_pool(session, city.id, at=NOW - timedelta(seconds=1))
    assert counted(session) == []  # they agreed later
    count_pool(session, city.id, at=NOW)
    session.commit()
    ((new, their_manager),) = users(session, city, space, 1, agree=False)
    later = NOW + timedelta(hours=1)
    say_pool_consent(session, new.id, actor=actor_of(session, their_manager), agrees=True, at=later)
    organisation, manager = made[0]
    actor = actor_of(session, manager)
    say_pool_consent(session, organisation.id, actor=actor, agrees=False, at=later)
    session.commit()
    run_jobs()
    assert counted(session) == [("association", "association", LEAST_ORGANISATIONS)]
    assert session.scalars(select(PooledUse.counted_at)).all() == [NOW]
    count_pool(session, city.id, at=later)
    assert counted(session) == [("association", "association", LEAST_ORGANISATIONS + 1)]


def test_who_has_not_agreed_takes_nothing_away_by_a_no(session: Session, city: City, space: Space) -> None:
    users(session, city, space, LEAST_ORGANISATIONS)
    ((other, manager),) = users(session, city, space, 1, agree=False)
    count_pool(session, city.id, at=NOW)
    say_pool_consent(session, other.id, actor=actor_of(session, manager), agrees=False, at=NOW)
    assert len(counted(session)) == 1


def test_the_order_tells_no_more_than_the_rounded_number(session: Session, city: City, space: Space) -> None:
    second, third = (open_space(session, city) for _ in range(2))
    for one, many in ((space, 5), (second, 9), (third, 10)):
        session.add(
            PooledUse(
                city_id=city.id,
                kind="association",
                group_code="association",
                space_id=one.id,
                organisations=many,
                counted_at=NOW,
            )
        )
    session.flush()
    rows = pooled_spaces(session, city.id, kind="association", group="association", limit=9)
    assert [space_id for space_id, _ in rows] == [third.id, space.id, second.id]


def test_an_association_like_them_is_offered_the_space_with_a_rounded_count(
    session: Session, city: City, space: Space, person: Person
) -> None:
    users(session, city, space, LEAST_ORGANISATIONS + 2)
    count_pool(session, city.id, at=NOW)
    ours = make_organisation(session, city, name="Uusi yhdistys ry")
    join(session, person, ours, "booker")
    let_offer(session, person, NOW)
    (one,) = offered_to(session, city, actor_of(session, person), at=NOW)
    assert (one.found.wish.source, one.found.space.id, one.organisation) == ("similar", space.id, ours)
    assert one.found.wish.facts == {"organisations": LEAST_ORGANISATIONS}


def test_a_company_and_a_person_alone_are_not_offered_it(
    session: Session, city: City, space: Space, person: Person
) -> None:
    users(session, city, space, LEAST_ORGANISATIONS)
    count_pool(session, city.id, at=NOW)
    join(session, person, make_organisation(session, city, name="Oy", kind="company"), "manager")
    let_offer(session, person, NOW)
    assert offered_to(session, city, actor_of(session, person), at=NOW) == []


def test_another_city_counts_its_own(session: Session, city: City, space: Space) -> None:
    users(session, city, space, LEAST_ORGANISATIONS)
    espoo = make_city(session, "espoo")
    count_pool(session, city.id, at=NOW)
    count_pool(session, espoo.id, at=NOW)
    assert len(counted(session)) == 1


@pytest.mark.parametrize("role", ["booker", "member", None])
def test_only_managers_decide(session: Session, city: City, person: Person, role: str | None) -> None:
    organisation = make_organisation(session, city)
    if role:
        join(session, person, organisation, role)
    with pytest.raises(Forbidden):
        say_pool_consent(session, organisation.id, actor=actor_of(session, person), agrees=True, at=NOW)


def test_a_manager_elsewhere_decides_nothing_here(session: Session, city: City, person: Person) -> None:
    espoo = make_city(session, "espoo")
    foreign = make_organisation(session, espoo)
    with pytest.raises(NotFound):
        say_pool_consent(session, foreign.id, actor=actor_of(session, person), agrees=True, at=NOW)
