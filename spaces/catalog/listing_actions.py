"""What owners do with their listings, each with its place in the audit trail. The catalogue's writers for people.

Order of locks: spaces by id, then whatever the calendar needs.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from marketplace.accounts.actor import Actor, system
from marketplace.accounts.audit import audit
from marketplace.accounts.models import Organisation
from marketplace.accounts.policy import require_verified
from marketplace.cities.models import City
from marketplace.errors import N_, FieldError, Forbidden, Invalid
from marketplace.geo import to_metric
from marketplace.jobs.messages import publish
from spaces.catalog import accessibility, policy, rules
from spaces.catalog.copies import copy_belongings
from spaces.catalog.desk_queries import due_listings, has_units, is_known_supplier
from spaces.catalog.errors import (
    ListingStateMoved,
    NeedsApproval,
    NotAllCanMove,
    NotYourOrganisation,
    WithoutUnit,
)
from spaces.catalog.models import Space, SpaceUnit, Unit, Venue
from spaces.catalog.queries import address_keys, known_places
from spaces.districts.queries import district_of_point

SOURCE = "desk"
# A copy is marked in each of its languages until its owner names it.
COPY_MARKS = {"fi": "kopio", "sv": "kopia", "en": "copy"}
COPIED_FIELDS = (
    "kind", "descriptions", "purposes", "equipment", "capacity", "area_m2", "min_minutes", "max_minutes",
    "interval_minutes", "whole_days", "buffer_before_minutes", "buffer_after_minutes", "notice_minutes", "horizon_days",
    "cancellation_hours", "approval", "who", "instructions", "trusted_groups", "max_open_per_person",
    "max_open_per_organisation", "quota_hours", "quota_period", "min_age", "max_age", "attendees_min", "attendees_max",
    "terms_version",
)  # fmt: skip


def differences(row: Space | Venue | Unit, facts: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """(before, after) of the facts that differ from the row's, fit for the audit trail."""
    changed = [name for name, value in facts.items() if getattr(row, name) != value]
    return {n: plain(getattr(row, n)) for n in changed}, {n: plain(facts[n]) for n in changed}


def plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, datetime) else value


def locked_space(session: Session, space: Space) -> Space:
    """The space, which must be this session's, as it is now, locked until the end of the transaction."""
    session.flush()
    session.refresh(space, with_for_update=True)
    return space


def refuse(problems: Sequence[FieldError]) -> None:
    if problems:
        raise Invalid(*problems)


def create_listing(
    session: Session,
    city: City,
    *,
    actor: Actor,
    owner: Organisation,
    venue: Venue | None,
    venue_facts: Mapping[str, Any],
    facts: Mapping[str, Any],
    submission: str,
) -> Space:
    """A draft with a unit of its own, at a new venue of `owner` or at an existing one.

    The same `submission` again gives the same space. Raises NotYourOrganisation, NotYourVenue, Invalid.
    """
    require_verified(actor)
    refuse(rules.space_problems(facts))
    if venue is None:
        if not policy.may_list_for(actor, owner.id):
            raise NotYourOrganisation
        venue = create_venue(
            session, city, owner, {"kind": facts["kind"], **venue_facts}, actor=actor, submission=submission
        )
    else:
        policy.require_may_manage(actor, venue)
    known = space_of_submission(session, venue, submission)
    if known is not None:
        return known
    space = Space(city_id=city.id, venue_id=venue.id, external_id=submission, state="draft", **facts)
    try:
        with session.begin_nested():
            session.add(space)
            session.flush()
            add_own_unit(session, space)
    except IntegrityError:
        known = space_of_submission(session, venue, submission)
        if known is None:
            raise
        return known
    audit(session, actor, "space.created", "space", space.id, after={"names": space.names})
    session.flush()
    return space


def add_own_unit(session: Session, space: Space) -> Unit:
    """The part of the place that this space alone covers until told otherwise."""
    unit = Unit(
        city_id=space.city_id,
        venue_id=space.venue_id,
        external_id=f"space:{space.external_id}",
        names=dict(space.names),
    )
    session.add(unit)
    session.flush()
    session.add(SpaceUnit(city_id=space.city_id, space_id=space.id, unit_id=unit.id))
    session.flush()
    return unit


def space_of_submission(session: Session, venue: Venue, submission: str) -> Space | None:
    return session.scalar(
        select(Space).where(
            Space.city_id == venue.city_id, Space.venue_id == venue.id, Space.external_id == submission
        )
    )


def create_venue(
    session: Session,
    city: City,
    owner: Organisation,
    facts: Mapping[str, Any],
    *,
    actor: Actor,
    submission: str,
) -> Venue:
    """A venue with its district; sent twice, the same one."""
    mine = select(Venue).where(
        Venue.city_id == city.id,
        Venue.source == SOURCE,
        Venue.external_id == submission,
        Venue.owner_id == owner.id,
    )
    known = session.scalar(mine)
    if known is not None:
        return known
    venue = Venue(
        city_id=city.id,
        owner_id=owner.id,
        source=SOURCE,
        external_id=submission,
        **placed(session, city, facts),
    )
    try:
        with session.begin_nested():
            session.add(venue)
            session.flush()
    except IntegrityError:
        known = session.scalar(mine)
        if known is None:
            raise
        return known
    audit(session, actor, "venue.created", "venue", venue.id, after={"names": venue.names})
    return venue


def placed(session: Session, city: City, facts: Mapping[str, Any]) -> dict[str, Any]:
    """The facts with a point, taken from another venue at the same address where none was told, its metres and its
    district. Raises Invalid without a point, or with one far from the city."""
    found = dict(facts)
    if not any(found["names"].values()):
        raise Invalid(
            FieldError(
                "venue_names_fi", "missing", N_("Write the name of the place in at least one language.")
            )
        )
    if found["lon"] is None or found["lat"] is None:
        point = point_of_address(session, city, found["streets"])
        if point is None:
            text = N_("Choose the place on the map, or write its coordinates.")
            raise Invalid(FieldError("lat", "missing", text))
        found["lon"], found["lat"] = point
    lon, lat = found["lon"], found["lat"]
    if not rules.is_near(lon, lat, metric_crs=city.metric_crs):
        text = N_("This point is far from the city. Latitude comes first, such as 60.184 and 24.953.")
        raise Invalid(FieldError("lat", "far", text))
    district = district_of_point(session, city, lon, lat)
    found["position"] = to_metric(lon, lat, crs=city.metric_crs)
    found["district_id"] = district.id if district else None
    return found


def point_of_address(session: Session, city: City, streets: Mapping[str, str]) -> tuple[float, float] | None:
    """Where another venue of the city at the same address is."""
    wanted = [key for street in streets.values() for key in address_keys(street)]
    if not wanted:
        return None
    places: dict[str, tuple[float, float]] = {}
    for place in known_places(session, city.id):
        for street in place.streets.values():
            for key in address_keys(street):
                places.setdefault(key, (place.lon, place.lat))
    return next((places[key] for key in wanted if key in places), None)


def change_venue(
    session: Session, city: City, venue: Venue, facts: Mapping[str, Any], *, actor: Actor
) -> list[str]:
    """Change a venue's facts; returns the names of those that changed. Raises NotYourVenue, Invalid."""
    policy.require_may_manage(actor, venue)
    session.refresh(venue, with_for_update=True)
    new = placed(session, city, facts)
    before, after = differences(venue, new)
    for name in after:
        setattr(venue, name, new[name])
    if after:
        for told in (before, after):
            told.pop("position", None)  # follows from the point
        audit(session, actor, "venue.changed", "venue", venue.id, before=before, after=after)
        session.flush()
    return list(after)


def tell_accessibility(
    session: Session,
    venue: Venue,
    *,
    has: Sequence[str],
    lacks: Sequence[str],
    measures: Mapping[str, int],
    actor: Actor,
) -> list[str]:
    """Keep what the owner tells of the place, with what the numbers tell; returns the names of the columns that changed.

    Sentences of registers stay. Raises NotYourVenue, Invalid for what contradicts itself.
    """
    policy.require_may_manage(actor, venue)
    session.refresh(venue, with_for_update=True)
    refuse(accessibility.problems(has, lacks, measures))
    yes, no = accessibility.settled(has, lacks, measures)
    facts = {"accessibility": yes, "accessibility_lacks": no, "accessibility_measures": dict(measures)}
    before, after = differences(venue, facts)
    for name in after:
        setattr(venue, name, facts[name])
    if after:
        audit(session, actor, "venue.changed", "venue", venue.id, before=before, after=after)
        session.flush()
    return list(after)


def change_space(
    session: Session, space: Space, venue: Venue, facts: Mapping[str, Any], *, actor: Actor
) -> list[str]:
    """Change a space's facts and rules; returns the names of those that changed. Raises NotYourVenue, Invalid."""
    policy.require_may_manage(actor, venue)
    locked_space(session, space)
    whole = {
        name: facts.get(name, getattr(space, name))
        for name in ("names", "min_minutes", "max_minutes", "whole_days")
    }
    refuse(rules.space_problems(whole))
    return keep_changes(session, space, facts, actor=actor)


def keep_changes(session: Session, space: Space, facts: Mapping[str, Any], *, actor: Actor) -> list[str]:
    before, after = differences(space, facts)
    for name in after:
        setattr(space, name, facts[name])
    if after:
        audit(session, actor, "space.changed", "space", space.id, before=before, after=after)
        session.flush()
    return list(after)


def change_spaces(
    session: Session,
    chosen: Sequence[tuple[Space, Venue]],
    facts: Mapping[str, Any],
    *,
    state: str | None,
    actor: Actor,
    at: datetime,
) -> int:
    """Give many spaces the same facts, and the same state where one is told; returns how many changed.

    All or none: raises NotYourVenue, NotAllCanMove with the names of those whose state cannot follow.
    """
    changed: set[int] = set()
    stuck: list[dict[str, str]] = []
    for space, venue in sorted(chosen, key=lambda pair: pair[0].id):
        if change_space(session, space, venue, facts, actor=actor):
            changed.add(space.id)
        if state is None or space.state == state:
            continue
        try:
            move_listing(session, space, venue, state, actor=actor, at=at)
        except (ListingStateMoved, NeedsApproval, WithoutUnit, Forbidden):
            stuck.append(space.names)
        else:
            changed.add(space.id)
    if stuck:
        raise NotAllCanMove(stuck)
    return len(changed)


def owner_publishes(session: Session, venue: Venue) -> bool:
    """Whether this owner's listings need no look by the city."""
    owner = session.get_one(Organisation, (venue.city_id, venue.owner_id))
    return rules.publishes_at_once(
        owner.kind, is_known=is_known_supplier(session, venue.city_id, venue.owner_id)
    )


def move_listing(
    session: Session, space: Space, venue: Venue, state: str, *, actor: Actor, at: datetime
) -> None:
    """Let `state` follow the listing's present one, as its owner asks.

    Raises NotYourVenue, ListingStateMoved, OnlyStaffApprove for publishing what waits for the city, NeedsApproval for a
    private supplier's first listing, WithoutUnit.
    """
    policy.require_may_manage(actor, venue)
    locked_space(session, space)
    before = space.state
    if not rules.may_follow(before, state):
        raise ListingStateMoved(state=before, asked=state)
    if (before, state) == ("submitted", "published"):
        policy.require_may_approve(actor, venue)
        approve_listing(session, space, venue, actor=actor, at=at)
        return
    if state == "published" and not actor.is_staff and not owner_publishes(session, venue):
        raise NeedsApproval
    if state in {"published", "submitted"} and not has_units(session, space):
        raise WithoutUnit
    action = rules.WITHDRAWN if before == "submitted" and state == "draft" else rules.MOVES[before, state]
    set_state(session, space, state, action=action, actor=actor, at=at)
    if state == "submitted":
        publish(session, "listing.submitted", city_id=space.city_id, space_id=space.id, at=at.isoformat())


def set_state(
    session: Session, space: Space, state: str, *, action: str, actor: Actor, at: datetime, **details: Any
) -> None:
    """The one place where a listing's state changes; moments that have done their work are forgotten."""
    before, space.state = space.state, state
    space.submitted_at = at if state == "submitted" else None
    if state in {"published", "archived"}:
        space.publish_at = None
    if state in {"hidden", "archived"}:
        space.hide_at = None
    if state == "published" and actor.is_staff:
        space.approved_at = space.approved_at or at
    audit(
        session, actor, action, "space", space.id, before={"state": before}, after={"state": state}, **details
    )
    session.flush()


def approve_listing(session: Session, space: Space, venue: Venue, *, actor: Actor, at: datetime) -> None:
    """The city says yes: the listing is published. Raises OnlyStaffApprove, ListingStateMoved, WithoutUnit."""
    policy.require_may_approve(actor, venue)
    locked_space(session, space)
    if space.state != "submitted":
        raise ListingStateMoved(state=space.state, asked="published")
    if not has_units(session, space):
        raise WithoutUnit
    set_state(session, space, "published", action=rules.MOVES["submitted", "published"], actor=actor, at=at)
    publish(session, "listing.approved", city_id=space.city_id, space_id=space.id, at=at.isoformat())


def return_listing(
    session: Session, space: Space, venue: Venue, *, reason: str, actor: Actor, at: datetime
) -> None:
    """The city gives the listing back with a reason that its owner reads.

    Raises OnlyStaffApprove, ListingStateMoved, Invalid without a reason.
    """
    policy.require_may_approve(actor, venue)
    if not reason.strip():
        raise Invalid(FieldError("reason", "missing", N_("Write what should be changed.")))
    locked_space(session, space)
    if space.state != "submitted":
        raise ListingStateMoved(state=space.state, asked="draft")
    action = rules.MOVES["submitted", "draft"]
    set_state(session, space, "draft", action=action, actor=actor, at=at, reason=reason)
    publish(
        session,
        "listing.returned",
        city_id=space.city_id,
        space_id=space.id,
        at=at.isoformat(),
        reason=reason,
    )


def schedule_listing(
    session: Session,
    space: Space,
    venue: Venue,
    *,
    publish_at: datetime | None,
    hide_at: datetime | None,
    actor: Actor,
    at: datetime,
) -> None:
    """Set the moments when the clock publishes and hides the listing; None takes one away.

    Raises NotYourVenue, NeedsApproval, ListingStateMoved, Invalid for a moment that is past or out of order.
    """
    policy.require_may_manage(actor, venue)
    locked_space(session, space)
    past = N_("This moment is past.")
    problems = []
    if publish_at is not None and publish_at != space.publish_at and publish_at <= at:
        problems.append(FieldError("publish_on", "past", past))
    if hide_at is not None and hide_at != space.hide_at and hide_at <= at:
        problems.append(FieldError("hide_on", "past", past))
    if publish_at is not None and hide_at is not None and hide_at <= publish_at:
        problems.append(FieldError("hide_on", "order", N_("The space is hidden before it is published.")))
    refuse(problems)
    if publish_at is not None:
        if space.state not in {"draft", "hidden"}:
            raise ListingStateMoved(state=space.state, asked="published")
        if not actor.is_staff and not owner_publishes(session, venue):
            raise NeedsApproval
    if hide_at is not None and space.state == "archived":
        raise ListingStateMoved(state=space.state, asked="hidden")
    new = {"publish_at": publish_at, "hide_at": hide_at}
    before, after = differences(space, new)
    space.publish_at, space.hide_at = publish_at, hide_at
    if after:
        audit(session, actor, "space.scheduled", "space", space.id, before=before, after=after)
    session.flush()


def move_due_listings(session: Session, city_id: int, *, at: datetime, limit: int = 200) -> int:
    """Publish and hide what the clock is asked to by now; returns how many were looked at.

    What may not be published any more (its owner lost the right, it covers nothing) stays, and the trail says so.
    """
    due = due_listings(session, city_id, at=at, limit=limit)
    for space in due:
        actor = system(city_id)
        venue = session.get_one(Venue, (city_id, space.venue_id))
        hide_at = space.hide_at
        for state in rules.due_states(space.state, space.publish_at, hide_at, at=at):
            ready = has_units(session, space) and owner_publishes(session, venue)
            if state == "published" and not ready:
                audit(session, actor, "space.not-published", "space", space.id)
                break
            set_state(session, space, state, action=rules.MOVES[space.state, state], actor=actor, at=at)
        if space.publish_at is not None and space.publish_at <= at:
            space.publish_at = None
        if space.hide_at is not None and space.hide_at <= at:
            space.hide_at = None
    session.flush()
    return len(due)


def copy_space(session: Session, space: Space, venue: Venue, *, actor: Actor, submission: str) -> Space:
    """A draft with the same facts, hours and prices and a unit of its own. The same `submission` gives the same copy."""
    policy.require_may_manage(actor, venue)
    known = space_of_submission(session, venue, submission)
    if known is not None:
        return known
    locked_space(
        session, space
    )  # the copy shares the files of its photos, which nobody may take away meanwhile
    names = {code: f"{name} ({COPY_MARKS.get(code, 'copy')})" for code, name in space.names.items() if name}
    copy = Space(
        city_id=space.city_id,
        venue_id=space.venue_id,
        external_id=submission,
        state="draft",
        names=names,
        **{name: getattr(space, name) for name in COPIED_FIELDS},
    )
    session.add(copy)
    session.flush()
    add_own_unit(session, copy)
    copy_belongings(session, space.city_id, space.id, copy.id)
    audit(session, actor, "space.copied", "space", copy.id, copied_from=space.id, after={"names": names})
    session.flush()
    return copy
