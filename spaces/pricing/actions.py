"""The verbs of prices: new lists, discount codes and their uses, customer groups, the outdoor tariff."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from datetime import date, timedelta
from decimal import Decimal

from sqlalchemy import ColumnElement, delete, insert, select, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.orm import Session

from marketplace.accounts.actor import Actor
from marketplace.accounts.audit import audit
from marketplace.accounts.models import Organisation
from marketplace.cities.models import City
from marketplace.clock import now
from marketplace.errors import N_, FieldError
from marketplace.money import Money
from spaces.catalog.models import Space, Venue
from spaces.catalog.policy import require_may_manage
from spaces.pricing.errors import (
    CodeNotFound,
    CodeNotValid,
    CodeUsedUp,
    DiscountWrong,
    ListAlreadyHolds,
    PriceListWrong,
)
from spaces.pricing.lists import MOST_MINOR, PriceList, faults, tidy
from spaces.pricing.models import (
    DiscountCode,
    DiscountUse,
    OrganisationGroup,
    OutdoorTariff,
    Price,
    PriceVariation,
)
from spaces.pricing.outdoor import Tariff, TariffChoice
from spaces.pricing.policy import require_may_give_groups
from spaces.pricing.queries import (
    SPACE_USES,
    choice_of,
    code_named,
    lists_of_spaces,
    price_lists_of,
    tariffs_for,
    vat_rates_on,
)
from spaces.pricing.rules import CUSTOMER_GROUPS, Discount, PriceTerms, by_tariff

LONGEST_CODE = 40
FURTHEST = timedelta(days=5 * 365)


def checked_list(session: Session, space: Space, asked: PriceList, *, today: date) -> PriceList:
    """The list without what its kind does not use. Raises PriceListWrong with every fault of it."""
    list_ = tidy(asked)
    wrong = list(faults(list_, has_area=space.area_m2 is not None))
    if list_.valid_from < today:
        wrong.append(FieldError("valid_from", "in-the-past", N_("A new list begins today at the earliest.")))
    elif list_.valid_from > today + FURTHEST:
        wrong.append(FieldError("valid_from", "too-far-ahead", N_("A list begins within five years.")))
    rates = vat_rates_on(session, space.city_id, list_.valid_from)
    if list_.per == "tariff" and list_.tariff is not None and not wrong:
        tariffs = rows_chosen(session, space, list_.tariff, list_.valid_from)
        if tariffs:
            terms = list_.terms("", rates.get(list_.vat_code, 0), space.area_m2, tariffs)
            list_ = replace(list_, amount_minor=terms.amount.minor)
        else:
            text = N_("The city's tariff has no such price on the first day of the list.")
            wrong.append(FieldError("tariff", "no-such-tariff", text))
    if list_.vat_code not in rates:
        wrong.append(
            FieldError(
                "vat_code", "unknown-vat", N_("The city has no such tax rate on the first day of the list.")
            )
        )
    if wrong:
        raise PriceListWrong(*wrong)
    return list_


def rows_chosen(session: Session, space: Space, choice: TariffChoice, day: date) -> tuple[Tariff, ...]:
    """The rows of the city's tariff by which this space would be priced on a day."""
    if choice.use not in SPACE_USES:
        return ()
    area = None if space.area_m2 is None else Decimal(str(space.area_m2))
    return choice.rows(tariffs_for(session, space.city_id, [choice], day).get(choice.source, ()), day, area)


def set_prices(
    session: Session, space: Space, venue: Venue, asked: PriceList, *, actor: Actor, today: date
) -> PriceList:
    """Let this list hold from its first day on; one that begins the same day is replaced, earlier ones are history.

    Bookings keep the price they were sold at. Raises NotYourVenue, PriceListWrong.
    """
    return set_same_prices(session, [space], venue, asked, actor=actor, today=today)


def set_same_prices(
    session: Session, spaces: Sequence[Space], venue: Venue, asked: PriceList, *, actor: Actor, today: date
) -> PriceList:
    """As `set_prices`, for several spaces of one venue that cost the same: for all of them, or none."""
    require_may_manage(actor, venue)
    city_id, ids = venue.city_id, sorted(space.id for space in spaces)
    # Two owners who save at once: the second sees what the first has written.
    session.execute(
        select(Space.id)
        .where(Space.city_id == city_id, Space.id.in_(ids), Space.venue_id == venue.id)
        .order_by(Space.id)
        .with_for_update()
    )
    list_ = tidy(asked)
    # Only a price by the area depends on the space.
    for space in spaces if asked.per in {"m2_day", "tariff"} else spaces[:1]:
        list_ = checked_list(session, space, asked, today=today)
    known = lists_of_spaces(session, city_id, ids)
    session.execute(
        delete(Price).where(
            Price.city_id == city_id, Price.space_id.in_(ids), Price.valid_from == list_.valid_from
        )
    )
    keys = [{"city_id": city_id, "space_id": id_, "valid_from": list_.valid_from} for id_ in ids]
    base = {
        "per": list_.per,
        "amount_minor": list_.base_minor,
        "vat_code": list_.vat_code,
        "slot_minutes": list_.slot_minutes,
        "minimum_minor": list_.minimum_minor,
        "build_percent": list_.build_percent,
        "kept_percent": list_.kept_percent,
        **list_.cancel.as_json(),
        "ways": list(list_.ways),
        **tariff_columns(list_.tariff),
    }
    if keys:
        session.execute(insert(Price), [{**key, **base} for key in keys])
    if keys and list_.rows:
        session.execute(
            insert(PriceVariation),
            [
                {
                    **key,
                    "position": n,
                    "group_code": row.group,
                    "days": sorted(row.days),
                    "from_minute": row.from_minute,
                    "to_minute": row.to_minute,
                    "amount_minor": row.amount_minor,
                }
                for key in keys
                for n, row in enumerate(list_.rows)
            ],
        )
    after = list_.as_json()
    for id_ in ids:
        before = next((old for old in known.get(id_, ()) if old.valid_from <= list_.valid_from), None)
        audit(
            session, actor, "price.changed", "space", id_,
            before=before.as_json() if before else None, after=after,
        )  # fmt: skip
    session.flush()
    return list_


def tariff_columns(choice: TariffChoice | None) -> dict[str, str]:
    """A choice as the columns of a price."""
    one = choice or TariffChoice()
    return {
        "tariff_source": one.source,
        "tariff_use": one.use,
        "tariff_key": one.key,
        "tariff_place": one.place,
        "tariff_surface": one.surface,
        "tariff_class": one.payment_class,
    }


def its_row(space: Space, valid_from: date) -> tuple[ColumnElement[bool], ...]:
    return Price.city_id == space.city_id, Price.space_id == space.id, Price.valid_from == valid_from


def withdraw_list(
    session: Session, space: Space, venue: Venue, valid_from: date, *, actor: Actor, today: date
) -> None:
    """Take away a list that has not begun; the one before it goes on. Raises NotYourVenue, ListAlreadyHolds."""
    require_may_manage(actor, venue)
    if valid_from <= today:
        raise ListAlreadyHolds
    before = next(
        (old for old in price_lists_of(session, space.city_id, space.id) if old.valid_from == valid_from),
        None,
    )
    if before is None:
        return
    session.execute(delete(Price).where(*its_row(space, valid_from)))
    audit(session, actor, "price.withdrawn", "space", space.id, before=before.as_json(), after=None)
    session.flush()


@dataclass(frozen=True)
class AskedCode:
    """A discount code as its owner writes it; a percentage or an amount."""

    code: str
    percent: int | None
    amount_minor: int | None
    valid_from: date
    valid_until: date | None
    max_uses: int | None


def make_code(
    session: Session, space: Space, venue: Venue, asked: AskedCode, *, actor: Actor
) -> DiscountCode:
    """Raises NotYourVenue, DiscountWrong."""
    require_may_manage(actor, venue)
    word = asked.code.strip().upper()
    wrong = []
    if not (3 <= len(word) <= LONGEST_CODE and word.replace("-", "").isalnum()):
        wrong.append(FieldError("code", "odd-code", N_("Use 3 to 40 letters and numbers.")))
    elif code_named(session, space.city_id, space.id, word) is not None:
        wrong.append(FieldError("code", "code-exists", N_("There is such a code already.")))
    if (asked.percent is None) == (asked.amount_minor is None):
        wrong.append(FieldError("percent", "one-kind", N_("Give either a percentage or an amount.")))
    if asked.percent is not None and not 1 <= asked.percent <= 100:
        wrong.append(FieldError("percent", "odd-share", N_("Give a share from 1 to 100.")))
    if asked.amount_minor is not None and not 1 <= asked.amount_minor <= MOST_MINOR:
        wrong.append(FieldError("amount", "odd-amount", N_("Give an amount up to 100,000.")))
    if asked.valid_until is not None and asked.valid_until < asked.valid_from:
        wrong.append(FieldError("valid_until", "odd-days", N_("The last day cannot be before the first.")))
    if asked.max_uses is not None and not 1 <= asked.max_uses <= 1_000_000:
        wrong.append(FieldError("max_uses", "odd-uses", N_("Give a whole number from 1 to 1,000,000.")))
    if wrong:
        raise DiscountWrong(*wrong)
    values = {**asdict(asked), "code": word}
    made = DiscountCode(city_id=space.city_id, space_id=space.id, **values)
    session.add(made)
    session.flush()
    audit(session, actor, "discount_code.made", "space", space.id, before=None, after=code_json(made))
    return made


def end_code(
    session: Session, space: Space, venue: Venue, code_id: int, *, actor: Actor, today: date
) -> None:
    """Let a code be valid no more, from today on; what was sold with it stays. Raises NotYourVenue, CodeNotFound."""
    require_may_manage(actor, venue)
    code = session.scalar(
        select(DiscountCode)
        .where(
            DiscountCode.city_id == space.city_id,
            DiscountCode.id == code_id,
            DiscountCode.space_id == space.id,
        )
        .with_for_update()
    )
    if code is None:
        raise CodeNotFound
    before = code_json(code)
    # The use counter is what every booking asks, so a full counter ends a code at once, today.
    code.max_uses = code.uses
    code.valid_until = max(today, code.valid_from)
    session.flush()
    audit(session, actor, "discount_code.ended", "space", space.id, before=before, after=code_json(code))


def code_json(code: DiscountCode) -> dict[str, object]:
    return {
        "code": code.code,
        "percent": code.percent,
        "amount_minor": code.amount_minor,
        "valid_from": code.valid_from.isoformat(),
        "valid_until": code.valid_until.isoformat() if code.valid_until else None,
        "max_uses": code.max_uses,
    }


def discount_named(session: Session, space: Space, word: str, *, day: date) -> Discount | None:
    """What this word takes off a booking made on `day`; nothing for an empty word. Raises CodeNotValid, CodeUsedUp."""
    if not word.strip():
        return None
    code = (
        code_named(session, space.city_id, space.id, word[: LONGEST_CODE + 1]) if "\x00" not in word else None
    )
    if code is None or not code.valid_from <= day <= (code.valid_until or date.max):
        raise CodeNotValid
    if code.max_uses is not None and code.uses >= code.max_uses:
        raise CodeUsedUp
    return Discount(code.code, code.percent, code.amount_minor)


def use_code(session: Session, space: Space, word: str, *, holder_id: int, day: date) -> None:
    """Count one use of the code by this holder. Raises CodeUsedUp, also for one of two who use the last at once.

    The row is locked until the end of the transaction: use it after everything else that locks.
    """
    code_id = session.scalar(
        update(DiscountCode)
        .where(
            DiscountCode.city_id == space.city_id,
            DiscountCode.space_id == space.id,
            DiscountCode.code == word,
            DiscountCode.valid_from <= day,
            (DiscountCode.valid_until.is_(None)) | (DiscountCode.valid_until >= day),
            (DiscountCode.max_uses.is_(None)) | (DiscountCode.uses < DiscountCode.max_uses),
        )
        .values(uses=DiscountCode.uses + 1)
        .returning(DiscountCode.id)
        .execution_options(synchronize_session=False)
    )
    if code_id is None:
        raise CodeUsedUp
    session.execute(insert(DiscountUse).values(city_id=space.city_id, holder_id=holder_id, code_id=code_id))


def hand_on_code(session: Session, city_id: int, *, holder_id: int, to: int) -> None:
    """Let the use of one holder be another's, who has taken its place."""
    session.execute(
        update(DiscountUse)
        .where(DiscountUse.city_id == city_id, DiscountUse.holder_id == holder_id)
        .values(holder_id=to)
        .execution_options(synchronize_session=False)
    )


def release_code(session: Session, city_id: int, *, holder_id: int) -> None:
    """Give back the use of this holder, if it had one."""
    code_id = session.scalar(
        delete(DiscountUse)
        .where(DiscountUse.city_id == city_id, DiscountUse.holder_id == holder_id)
        .returning(DiscountUse.code_id)
        .execution_options(synchronize_session=False)
    )
    if code_id is not None:
        session.execute(
            update(DiscountCode)
            .where(DiscountCode.city_id == city_id, DiscountCode.id == code_id)
            .values(uses=DiscountCode.uses - 1)
            .execution_options(synchronize_session=False)
        )


def give_group(session: Session, organisation: Organisation, group: str | None, *, actor: Actor) -> bool:
    """Price the organisation's bookings for this group; None takes it back to its kind. What was sold keeps its price.
    Returns whether that is a change.

    Lock the organisation first (`locked_organisation`). Raises Forbidden for all but the city's staff and its commands,
    ValueError on an unknown group.
    """
    require_may_give_groups(actor)
    if group is not None and group not in CUSTOMER_GROUPS:
        raise ValueError(group)
    key = {"city_id": organisation.city_id, "organisation_id": organisation.id}
    its_group = [getattr(OrganisationGroup, name) == value for name, value in key.items()]
    before = session.scalar(select(OrganisationGroup.group_code).where(*its_group))
    if before == group:
        return False
    if group is None:
        session.execute(delete(OrganisationGroup).where(*its_group))
    else:
        session.execute(
            upsert(OrganisationGroup)
            .values(**key, group_code=group)
            .on_conflict_do_update(index_elements=["city_id", "organisation_id"], set_={"group_code": group})
        )
    audit(
        session, actor, "organisation.group_given", "organisation", organisation.id, before=before, after=group
    )  # fmt: skip
    session.flush()
    return True


@dataclass
class StoredTariffs:
    """What an import of tariffs did."""

    created: int = 0
    updated: int = 0
    unchanged: int = 0


def store_tariffs(
    session: Session, city: City, tariffs: Sequence[Tariff], *, source: str, actor: Actor
) -> StoredTariffs:
    """Write the rows of a tariff file; a row is known by all but its charge. Storing the same again writes nothing."""
    known = {
        tariff_key(row): row
        for row in session.scalars(
            select(OutdoorTariff).where(OutdoorTariff.city_id == city.id, OutdoorTariff.source == source)
        )
    }
    done = StoredTariffs()
    for tariff in tariffs:
        values = asdict(tariff)
        row = known.get(tariff_key(tariff))
        if row is None:
            session.add(OutdoorTariff(city_id=city.id, source=source, **values))
            done.created += 1
        elif all(getattr(row, name) == value for name, value in values.items()):
            done.unchanged += 1
        else:
            for name, value in values.items():
                setattr(row, name, value)
            done.updated += 1
    session.flush()
    if done.created or done.updated:
        follow_tariffs(session, city)
        audit(session, actor, "tariffs.imported", "city", city.id, source=source, **asdict(done))
    session.flush()
    return done


def follow_tariffs(session: Session, city: City) -> None:
    """Let the amounts that the search shows of prices by the tariff follow its rows; a booking is priced by the rows."""
    today = now().astimezone(city.zone).date()
    found = session.execute(
        select(Price, Space)
        .join(Space, (Space.city_id == Price.city_id) & (Space.id == Price.space_id))
        .where(Price.city_id == city.id, Price.per == "tariff")
        .order_by(Price.space_id, Price.valid_from)
    ).all()
    for price, space in found:
        day = max(price.valid_from, today)
        choice = choice_of(price)
        rows = rows_chosen(session, space, choice, day) if choice else ()
        if rows:
            rate = vat_rates_on(session, city.id, day).get(price.vat_code, 0)
            area = None if space.area_m2 is None else Decimal(str(space.area_m2))
            terms = PriceTerms("tariff", Money.zero(city.currency), rate, area_m2=area, tariffs=rows)
            price.amount_minor = by_tariff(terms).amount.minor
    session.flush()


def tariff_key(row: Tariff | OutdoorTariff) -> tuple[str, str, str, str, str, date]:
    return row.use, row.key, row.place, row.surface, row.payment_class, row.valid_from
