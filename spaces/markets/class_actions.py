"""The verbs of price classes. A class' price is the price list of each of its stalls."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from marketplace.accounts.actor import Actor
from marketplace.accounts.audit import audit
from marketplace.db import Localised
from marketplace.errors import N_, FieldError
from spaces.catalog.models import Space, Venue
from spaces.catalog.policy import require_may_manage
from spaces.markets.errors import ClassInUse, MarketWrong
from spaces.markets.models import Stall, StallClass, StallClassPrice
from spaces.markets.queries import class_lists, class_of, classes_of
from spaces.pricing.actions import checked_list, set_same_prices, withdraw_list
from spaces.pricing.lists import PriceList
from spaces.pricing.queries import lists_of_spaces
from spaces.pricing.rules import DAY_MINUTES, WEEK

MOST_CLASSES = 26


def locked(session: Session, venue: Venue, *, actor: Actor) -> None:
    """Raises NotYourVenue."""
    require_may_manage(actor, venue)
    session.flush()
    session.refresh(venue, with_for_update=True)


def add_class(session: Session, venue: Venue, *, code: str, names: Localised, actor: Actor) -> StallClass:
    """A new class of the square's stalls, which costs nothing until told otherwise. Raises NotYourVenue, MarketWrong."""
    locked(session, venue, actor=actor)
    if not (len(code) == 1 and "A" <= code <= "Z"):
        raise MarketWrong(FieldError("code", "odd-code", N_("Choose a letter from A to Z.")))
    if any(one.code == code for one in classes_of(session, venue)):
        text = N_("There is a class with this letter already.")
        raise MarketWrong(FieldError("code", "code-taken", text))
    made = StallClass(city_id=venue.city_id, venue_id=venue.id, code=code, names=dict(names))
    session.add(made)
    session.flush()
    audit(
        session, actor, "stall_class.added", "venue", venue.id,
        after={"code": code, "names": made.names},
    )  # fmt: skip
    session.flush()
    return made


def rename_class(
    session: Session, venue: Venue, class_: StallClass, names: Localised, *, actor: Actor
) -> bool:
    """Returns whether the name changed. Raises NotYourVenue."""
    locked(session, venue, actor=actor)
    if class_.names == names:
        return False
    before, class_.names = class_.names, dict(names)
    audit(
        session, actor, "stall_class.renamed", "venue", venue.id,
        code=class_.code, before={"names": before}, after={"names": class_.names},
    )  # fmt: skip
    session.flush()
    return True


def remove_class(session: Session, venue: Venue, class_: StallClass, *, actor: Actor) -> None:
    """Raises NotYourVenue, ClassInUse."""
    locked(session, venue, actor=actor)
    if stalls_in(session, class_):
        raise ClassInUse
    audit(
        session, actor, "stall_class.removed", "venue", venue.id,
        before={"code": class_.code, "names": class_.names},
    )  # fmt: skip
    session.delete(class_)
    session.flush()


def stalls_in(session: Session, class_: StallClass) -> list[Space]:
    """The spaces of the class' stalls, by id."""
    return list(
        session.scalars(
            select(Space)
            .join(Stall, (Stall.city_id == Space.city_id) & (Stall.space_id == Space.id))
            .where(Stall.city_id == class_.city_id, Stall.class_id == class_.id)
            .order_by(Space.id)
        )
    )


def set_class_price(
    session: Session, venue: Venue, class_: StallClass, asked: PriceList, *, actor: Actor, today: date
) -> int:
    """Let the class, and each of its stalls, cost this from the list's first day on; returns how many stalls.

    Bookings keep the price they were sold at. Raises NotYourVenue, PriceListWrong.
    """
    locked(session, venue, actor=actor)
    list_ = checked_list(session, Space(city_id=venue.city_id), asked, today=today)
    check_groups(list_)
    before = next(
        (
            old
            for old in class_lists(session, venue.city_id, [class_.id]).get(class_.id, [])
            if old.valid_from <= list_.valid_from
        ),
        None,
    )
    session.execute(
        delete(StallClassPrice).where(
            StallClassPrice.city_id == venue.city_id,
            StallClassPrice.class_id == class_.id,
            StallClassPrice.valid_from == list_.valid_from,
        )
    )
    session.add(
        StallClassPrice(
            city_id=venue.city_id,
            class_id=class_.id,
            valid_from=list_.valid_from,
            per=list_.per,
            amount_minor=list_.base_minor,
            slot_minutes=list_.slot_minutes,
            vat_code=list_.vat_code,
            groups={row.group: row.amount_minor for row in list_.rows if row.group},
        )
    )
    session.flush()
    spaces = stalls_in(session, class_)
    if spaces:
        set_same_prices(session, spaces, venue, list_, actor=actor, today=today)
    audit(
        session, actor, "stall_class.price-changed", "venue", venue.id,
        code=class_.code, before=before.as_json() if before else None, after=list_.as_json(),
    )  # fmt: skip
    session.flush()
    return len(spaces)


def check_groups(list_: PriceList) -> None:
    """A class says one amount for each group, for the whole week. Raises ValueError: no form of ours asks more."""
    whole = all(
        row.group and row.days == WEEK and (row.from_minute, row.to_minute) == (0, DAY_MINUTES)
        for row in list_.rows
    )
    if not whole:
        raise ValueError("a class has one amount for each customer group")


def join_class(
    session: Session, venue: Venue, spaces: Sequence[Space], class_id: int, *, actor: Actor, today: date
) -> None:
    """Let these stalls cost what the class does from today on. Lists of theirs that have not begun are withdrawn.

    Raises NotYourVenue, ClassNotFound.
    """
    class_ = class_of(session, venue, class_id)
    lists = class_lists(session, venue.city_id, [class_.id]).get(class_.id, [])
    if not lists or not spaces:
        return
    known = lists_of_spaces(session, venue.city_id, [space.id for space in spaces])
    for space in spaces:
        for old in known.get(space.id, []):
            if old.valid_from > today:
                withdraw_list(session, space, venue, old.valid_from, actor=actor, today=today)
    in_force = next((one for one in lists if one.valid_from <= today), None)
    now_and_later = [replace(in_force, valid_from=today)] if in_force else []
    now_and_later += [one for one in lists if one.valid_from > today]
    for list_ in now_and_later:
        set_same_prices(session, spaces, venue, list_, actor=actor, today=today)
