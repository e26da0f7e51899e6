"""The verbs of doors. What a grant should be follows from its booking and its space each time anew, so it does not matter
how often, in which order or how late the jobs come. No vendor is called in here: see `bookings.doors.jobs`."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from psycopg.types.range import TimestamptzRange
from sqlalchemy import update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from bookings.doors.errors import (
    CodeNotFound,
    CodesUnreadable,
    InstructionMissing,
    NothingToRetry,
    TooManyCodes,
)
from bookings.doors.models import AccessGrant, DoorCode, SpaceDoor
from bookings.doors.providers import Grant, Issued, NoCode, ProviderDown
from bookings.doors.queries import code_count, door_of, grant_of, locked_grant, to_seal
from bookings.doors.rules import ADMITTED, TROUBLE_WITHIN, shown_span, wait_after
from bookings.lifecycle.models import Booking
from marketplace.accounts.actor import Actor
from marketplace.accounts.audit import audit
from marketplace.db import Localised
from marketplace.jobs.messages import publish
from spaces.catalog.listing_actions import locked_space
from spaces.catalog.models import Space, Venue
from spaces.catalog.policy import require_may_handle, require_may_manage

CODE = re.compile(r"[0-9A-Za-z#*-]{1,20}", re.ASCII)
MOST_CODES = 500
LONGEST_ERROR = 200


@dataclass(frozen=True)
class Ask:
    """What a provider is to do now. `version` tells this try from a later one."""

    verb: str  # issue, change, revoke
    provider: str
    version: int
    booking_id: int
    grant: Grant


def next_ask(session: Session, city_id: int, booking_id: int, *, at: datetime) -> Ask | None:
    """What is to be asked of a lock so that the booking's access is right, written down as begun; None if nothing is."""
    booking = session.get(Booking, (city_id, booking_id), populate_existing=True)
    if booking is None or booking.span.end <= at:
        return None
    door = session.get(SpaceDoor, (city_id, booking.space_id), populate_existing=True)
    is_wanted = door is not None and door.method == "code" and booking.state in ADMITTED
    if not is_wanted or door is None:
        return next_revocation(session, city_id, booking_id, at=at)
    span = shown_span(booking.span, door.minutes_before)
    valid = TimestamptzRange(span.start, span.end)
    session.execute(
        insert(AccessGrant)
        .values(
            city_id=city_id,
            booking_id=booking_id,
            space_id=booking.space_id,
            provider=door.provider,
            valid=valid,
            series_key=str(booking.series_id) if booking.series_id is not None else None,
        )
        .on_conflict_do_nothing(index_elements=["city_id", "booking_id"])
    )
    grant = locked_grant(session, city_id, booking_id)
    if grant is None:
        return None
    elsewhere = grant.provider != door.provider or grant.space_id != booking.space_id
    if elsewhere and grant.reference is not None and grant.last_error is None:
        # What another lock has made is taken back first; then this is asked again. A dead one is not waited for: its
        # code ends with its time, and the booking needs the new one.
        return begin(session, grant, "revoke", at=at)
    is_lost = grant.state == "ready" and grant.secret is None
    changed = elsewhere or grant.span != span or grant.state == "revoked" or is_lost
    if not changed and (grant.state == "ready" or not may_try(grant, at)):
        return None
    if changed:
        grant.attempts, grant.valid = 0, valid
    if elsewhere:
        grant.provider, grant.space_id = door.provider, booking.space_id
        grant.reference = grant.last_error = None
    # Of a code that nobody can read any more the lock is asked once again, by the same grant.
    return begin(session, grant, "issue" if grant.reference is None or is_lost else "change", at=at)


def next_revocation(session: Session, city_id: int, booking_id: int, *, at: datetime) -> Ask | None:
    grant = locked_grant(session, city_id, booking_id)
    if grant is None or grant.state == "revoked":
        return None
    if grant.state == "ready":
        grant.attempts = 0
    elif not may_try(grant, at):
        return None
    return begin(session, grant, "revoke", at=at)


def may_try(grant: AccessGrant, at: datetime) -> bool:
    """Whether nothing has been tried yet, or the wait after the last try is over."""
    return grant.version == 0 or (grant.retry_at is not None and grant.retry_at <= at)


def begin(session: Session, grant: AccessGrant, verb: str, *, at: datetime) -> Ask:
    """Count the try before it is made: one that is cut off counts as well, and comes again after its wait."""
    grant.state, grant.secret = "pending", None
    grant.attempts += 1
    grant.version += 1
    wait = wait_after(grant.attempts)
    grant.retry_at = at + wait if wait is not None else None
    grant.changed_at = at
    session.flush()
    asked = Grant(
        id=grant.id,
        city_id=grant.city_id,
        space_id=grant.space_id,
        valid=grant.span,
        reference=grant.reference,
        series_key=grant.series_key,
    )
    return Ask(verb, grant.provider, grant.version, grant.booking_id, asked)


def note_answer(session: Session, ask: Ask, issued: Issued | None, *, at: datetime) -> bool:
    """Keep what the lock has done; False for the answer to a try that has been overtaken by a later one."""
    grant = locked_grant(session, ask.grant.city_id, ask.booking_id)
    if grant is None or grant.version != ask.version:
        return False
    grant.attempts, grant.retry_at, grant.last_error, grant.changed_at = 0, None, None, at
    if issued is None:
        grant.state, grant.secret, grant.reference = "revoked", None, None
    else:
        grant.state, grant.secret, grant.reference = "ready", issued.secret, issued.reference
    session.flush()
    return True


def note_trouble(session: Session, ask: Ask, error: ProviderDown, *, at: datetime) -> None:
    """Keep that the lock did not do it. The desk shows it at once, unless a list merely lacks codes for a far day."""
    grant = locked_grant(session, ask.grant.city_id, ask.booking_id)
    if grant is None or grant.version != ask.version:
        return
    grant.last_error, grant.changed_at = str(error)[:LONGEST_ERROR], at
    trouble_at = grant.span.start - TROUBLE_WITHIN
    if isinstance(error, NoCode) and at < trouble_at:
        grant.state, grant.attempts, grant.retry_at = "pending", 0, max(trouble_at, at + timedelta(hours=1))
    else:
        grant.state = "failed"
    session.flush()


def try_again(session: Session, booking: Booking, venue: Venue, *, actor: Actor, at: datetime) -> None:
    """A handler has the lock asked anew, at once and as often as at first. Raises NotYourVenue, NothingToRetry."""
    require_may_handle(actor, venue)
    known = grant_of(session, booking)
    grant = locked_grant(session, booking.city_id, booking.id) if known is not None else None
    if grant is None or grant.state != "failed":
        raise NothingToRetry
    grant.attempts, grant.retry_at = 0, at
    audit(session, actor, "booking.door_retried", "booking", booking.id)
    publish(session, "door.changed", city_id=booking.city_id, space_id=grant.space_id)
    session.flush()


def set_door(
    session: Session,
    space: Space,
    venue: Venue,
    *,
    actor: Actor,
    method: str,
    provider: str,
    texts: Localised,
    minutes_before: int,
    choice: str,
) -> bool:
    """Say how the door opens; returns whether anything changed. Raises NotYourVenue, InstructionMissing.

    The audit row says that the texts changed, never what they say: they open a door.
    """
    require_may_manage(actor, venue)
    texts = {language: text for language, text in texts.items() if text}
    if method == "instruction" and not texts:
        raise InstructionMissing("texts_fi")
    locked_space(session, space)
    door = door_of(session, space)

    def facts() -> dict[str, object]:
        return {
            "method": door.method,
            "provider": door.provider,
            "minutes_before": door.minutes_before,
            "choice": door.choice,
        }

    before, before_texts = facts(), dict(door.texts)
    door.method, door.provider, door.texts = method, provider, texts
    door.minutes_before, door.choice = minutes_before, choice
    if facts() == before and texts == before_texts:
        return False
    session.add(door)
    audit(
        session,
        actor,
        "space.door_set",
        "space",
        space.id,
        before=before,
        after=facts(),
        texts_changed=texts != before_texts,
    )
    publish(session, "door.changed", city_id=space.city_id, space_id=space.id)
    session.flush()
    return True


def read_codes(text: str) -> list[str]:
    """The codes of a list with one on each line, each once. Raises CodesUnreadable, TooManyCodes."""
    found: list[str] = []
    for number, line in enumerate(text.splitlines(), start=1):
        code = line.strip()
        if not code:
            continue
        if CODE.fullmatch(code) is None:
            raise CodesUnreadable(number)
        if code not in found:
            found.append(code)
        if len(found) > MOST_CODES:
            raise TooManyCodes(MOST_CODES)
    if not found:
        raise CodesUnreadable(1)
    return found


def add_codes(
    session: Session,
    space: Space,
    venue: Venue,
    *,
    actor: Actor,
    codes: Sequence[str],
    valid_from: date,
    valid_to: date | None,
    at: datetime,
) -> int:
    """Put codes on the space's list for these days, both included. Raises NotYourVenue, TooManyCodes."""
    require_may_manage(actor, venue)
    locked_space(session, space)
    if code_count(session, space) + len(codes) > MOST_CODES:
        raise TooManyCodes(MOST_CODES)
    for code in codes:
        session.add(
            DoorCode(
                city_id=space.city_id,
                space_id=space.id,
                secret=code,
                valid_from=valid_from,
                valid_to=valid_to,
                created_at=at,
            )
        )
    audit(
        session,
        actor,
        "space.door_codes_added",
        "space",
        space.id,
        count=len(codes),
        valid_from=valid_from.isoformat(),
        valid_to=valid_to.isoformat() if valid_to else None,
    )
    ask_again(session, space, at=at)
    session.flush()
    return len(codes)


def remove_code(
    session: Session, space: Space, venue: Venue, code_id: int, *, actor: Actor, at: datetime
) -> None:
    """Take a code off the list; bookings that had it get another one. Raises NotYourVenue, CodeNotFound."""
    require_may_manage(actor, venue)
    code = session.get(DoorCode, (space.city_id, code_id))
    if code is None or code.space_id != space.id:
        raise CodeNotFound
    audit(
        session,
        actor,
        "space.door_code_removed",
        "space",
        space.id,
        code_id=code.id,
        valid_from=code.valid_from.isoformat(),
        valid_to=code.valid_to.isoformat() if code.valid_to else None,
    )
    session.delete(code)
    session.flush()
    session.execute(
        update(AccessGrant)
        .where(
            AccessGrant.city_id == space.city_id,
            AccessGrant.space_id == space.id,
            AccessGrant.provider == "static",
            AccessGrant.reference == str(code_id),
            AccessGrant.state == "ready",
        )
        .values(
            state="pending", plain=None, sealed=None, reference=None, attempts=0, retry_at=at, changed_at=at
        )
    )
    ask_again(session, space, at=at)


def ask_again(session: Session, space: Space, *, at: datetime) -> None:
    """Every grant of the space that waits for a code of the list is looked at now."""
    session.execute(
        update(AccessGrant)
        .where(
            AccessGrant.city_id == space.city_id,
            AccessGrant.space_id == space.id,
            AccessGrant.provider == "static",
            AccessGrant.state.in_(["pending", "failed"]),
        )
        .values(attempts=0, retry_at=at)
    )
    publish(session, "door.changed", city_id=space.city_id, space_id=space.id)


def seal_secrets(session: Session, city_id: int, *, limit: int) -> int:
    """Seal what is still kept in plain, or with a former key, with the present one; returns how many, some of each kind."""
    rows: list[AccessGrant | DoorCode] = [
        *to_seal(session, AccessGrant, city_id, limit=limit),
        *to_seal(session, DoorCode, city_id, limit=limit),
    ]
    for row in rows:
        if (secret := row.secret) is not None:
            row.secret = secret  # with the present key
    session.flush()
    return len(rows)
