"""A listing's history in the reader's words: each change with what was before and what came after."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from marketplace.cities.models import City
from marketplace.errors import N_
from marketplace.web.i18n import LANGUAGES, format_clock, format_day, format_number, gettext, localised
from spaces.catalog.accessibility import MEASURES
from spaces.catalog.desk_forms import APPROVAL_LABELS, ROLE_LABELS, STATE_LABELS, WHO_LABELS
from spaces.catalog.desk_queries import Change
from spaces.catalog.vocabulary import ACCESSIBILITY, EQUIPMENT, KINDS, PURPOSES

NOTHING = "–"
ACTIONS = {
    "space.created": N_("The space was added"),
    "space.copied": N_("The space was copied from another"),
    "space.changed": N_("Facts were changed"),
    "space.units-changed": N_("It covers other parts of the place"),
    "space.scheduled": N_("Moments were set"),
    "space.submitted": N_("Sent for approval"),
    "space.withdrawn": N_("Taken back from approval"),
    "space.returned": N_("Returned by the city"),
    "space.approved": N_("Approved by the city"),
    "space.published": N_("Published"),
    "space.not-published": N_("Not published, because the owner must ask the city first"),
    "space.hidden": N_("Hidden"),
    "space.archived": N_("Archived"),
    "space.restored": N_("Restored as a draft"),
    "photo.added": N_("A photo was added"),
    "photo.changed": N_("The words of a photo were changed"),
    "photo.moved": N_("A photo was moved"),
    "photo.removed": N_("A photo was removed"),
    "venue.created": N_("The place was added"),
    "venue.changed": N_("Facts of the place were changed"),
    "venue.role-given": N_("A role was given"),
    "venue.role-taken": N_("A role was taken back"),
    "unit.added": N_("A part of the place was added"),
    "unit.changed": N_("A part of the place was changed"),
    "unit.removed": N_("A part of the place was removed"),
    "venue.square-drawn": N_("The square was drawn"),
    "stalls.added": N_("Stalls were put on the plan"),
    "stall.changed": N_("The stall’s number or place was changed"),
    "stall.removed": N_("A stall was taken off the plan"),
    "stalls.class-changed": N_("Stalls were moved to another price class"),
    "stall_class.added": N_("A price class was added"),
    "stall_class.renamed": N_("A price class got another name"),
    "stall_class.removed": N_("A price class was removed"),
    "stall_class.price-changed": N_("A price class got another price"),
    "equipment.added": N_("Equipment was added"),
    "equipment.changed": N_("Equipment was changed"),
    "equipment.removed": N_("Equipment is not offered any more"),
}
FIELDS = {
    "names": N_("Name"),
    "descriptions": N_("Description"),
    "instructions": N_("Told to the booker"),
    "streets": N_("Street address"),
    "postcode": N_("Postal code"),
    "locality": N_("Post office"),
    "lat": N_("Latitude"),
    "lon": N_("Longitude"),
    "kind": N_("Kind"),
    "purposes": N_("Suits"),
    "equipment": N_("Equipment"),
    "accessibility": N_("Accessibility"),
    "accessibility_lacks": N_("Accessibility, not there"),
    "accessibility_measures": N_("Accessibility, measures"),
    "capacity": N_("People at most"),
    "area_m2": N_("Area, m²"),
    "min_minutes": N_("Shortest booking, minutes"),
    "max_minutes": N_("Longest booking, minutes"),
    "interval_minutes": N_("Bookings begin every"),
    "whole_days": N_("Booked by whole days"),
    "buffer_before_minutes": N_("Kept free before, minutes"),
    "buffer_after_minutes": N_("Kept free after, minutes"),
    "notice_minutes": N_("Booked at the latest"),
    "horizon_days": N_("Booked at the earliest, days ahead"),
    "cancellation_hours": N_("Cancelled free of charge until, hours before"),
    "approval": N_("A booking is confirmed"),
    "who": N_("Who may book"),
    "members": N_("Members of these organisations"),
    "trusted": N_("Organisations that you trust"),
    "trusted_groups": N_("Customer groups that you trust"),
    "max_open_per_person": N_("Open bookings at most, each person"),
    "max_open_per_organisation": N_("Open bookings at most, each organisation"),
    "quota_hours": N_("Hours at most"),
    "quota_period": N_("Hours are counted"),
    "min_age": N_("Lowest age, years"),
    "max_age": N_("Highest age, years"),
    "attendees_min": N_("People at least"),
    "attendees_max": N_("People at most in a booking"),
    "questions": N_("Questions to the booker"),
    "terms": N_("Terms"),
    "state": N_("State"),
    "publish_at": N_("Published at"),
    "hide_at": N_("Hidden at"),
    "units": N_("Parts of the place"),
    "lanes": N_("Parties at once"),
    "number": N_("Number"),
    "numbers": N_("Stalls"),
    "corners": N_("Corners"),
    "code": N_("Letter"),
    "class": N_("Price class"),
    "role": N_("Role"),
    "alts": N_("What the photo shows"),
    "credit": N_("Photographer"),
    "photo": N_("Place among the photos"),
    "stock": N_("How many there are"),
    "most": N_("At most in one booking"),
    "offered_with": N_("Bookings of these spaces may add it"),
    "per": N_("A piece costs"),
    "amount_minor": N_("Price of a piece, cents"),
    "vat_code": N_("Tax included"),
}
# Follows from another fact that is shown.
SILENT = frozenset({"district_id", "position"})
CODES: dict[str, Any] = {
    "kind": KINDS,
    "purposes": PURPOSES,
    "equipment": EQUIPMENT,
    "accessibility": ACCESSIBILITY,
    "accessibility_lacks": ACCESSIBILITY,
    "approval": APPROVAL_LABELS,
    "who": WHO_LABELS,
    "state": STATE_LABELS,
    "role": ROLE_LABELS,
}


@dataclass(frozen=True)
class FieldRow:
    """One fact of a change."""

    name: str
    before: str
    after: str


@dataclass(frozen=True)
class ChangeRow:
    """One change as the page shows it."""

    when: str
    what: str
    who: str
    reason: str
    fields: list[FieldRow]


def change_rows(changes: Sequence[Change], city: City) -> list[ChangeRow]:
    rows = []
    for change in changes:
        details = change.details
        at = change.at.astimezone(city.zone)
        rows.append(
            ChangeRow(
                f"{format_day(at.date(), year=True)} {format_clock(at)}",
                gettext(ACTIONS[change.action]) if change.action in ACTIONS else change.action,
                change.who or gettext("The service itself"),
                str(details.get("reason") or details.get("person") or ""),
                field_rows(of_change(details, "before"), of_change(details, "after"), city),
            )
        )
    return rows


def of_change(details: dict[str, Any], side: str) -> dict[str, Any]:
    """What a change tells of one side; other features may tell it in a form that this page does not know."""
    found = details.get(side)
    return found if isinstance(found, dict) else {}


def field_rows(before: dict[str, Any], after: dict[str, Any], city: City) -> list[FieldRow]:
    rows = []
    for name in [*after, *(name for name in before if name not in after)]:
        if name in SILENT:
            continue
        label = gettext(FIELDS[name]) if name in FIELDS else name
        old, new = before.get(name), after.get(name)
        if name != "accessibility_measures" and (is_localised(old) or is_localised(new)):
            old_texts, new_texts = old or {}, new or {}
            rows += [
                FieldRow(
                    f"{label} ({LANGUAGES[code].lower()})",
                    old_texts.get(code) or NOTHING,
                    new_texts.get(code) or NOTHING,
                )
                for code in LANGUAGES
                if old_texts.get(code) != new_texts.get(code)
            ]
        else:
            rows.append(FieldRow(label, value_text(name, old, city), value_text(name, new, city)))
    return rows


def is_localised(value: Any) -> bool:
    return isinstance(value, dict) and set(value) <= set(LANGUAGES)


def value_text(name: str, value: Any, city: City) -> str:
    """A fact in words; codes by the city's vocabulary."""
    if value is None or value in ([], "", {}):
        return NOTHING
    if name == "accessibility_measures":
        return ", ".join(f"{gettext(MEASURES[key].label)}: {format_number(n)}" for key, n in value.items())
    if isinstance(value, bool):
        return str(gettext("yes") if value else gettext("no"))
    if isinstance(value, list):
        return ", ".join(value_text(name, item, city) for item in value)
    if is_localised(value):
        return localised(value)
    if isinstance(value, dict) and "labels" in value:
        return localised(value["labels"])
    if name in CODES and value in CODES[name]:
        text = CODES[name][value]
        return gettext(text) if isinstance(text, str) else str(text)
    if name.endswith("_at") and isinstance(value, str):
        at = datetime.fromisoformat(value).astimezone(city.zone)
        return f"{format_day(at.date(), year=True)} {format_clock(at)}"
    if isinstance(value, int | float):
        return format_number(value)
    return str(value)
