"""Forms of the owner's desk: a place and its space, bulk changes, parts, roles, moments, answers of the city."""

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, time
from typing import Any
from zoneinfo import ZoneInfo

from wtforms import (  # type: ignore[attr-defined]  # the stubs are older than SelectChoice
    BooleanField,
    DateField,
    FloatField,
    HiddenField,
    IntegerField,
    SelectChoice,
    SelectField,
    SelectMultipleField,
    StringField,
    TextAreaField,
    TimeField,
    ValidationError,
)
from wtforms.validators import InputRequired, Length, NumberRange, Optional

from marketplace.accounts.forms import OnceForm, email_field
from marketplace.db import Localised
from marketplace.timespan import instant
from marketplace.web.forms import Form
from marketplace.web.i18n import LANGUAGES, format_duration, gettext, lazy_gettext, ngettext
from spaces.catalog.models import VENUE_ROLES, Space, Unit, Venue
from spaces.catalog.rules import INTERVALS, MOST_DAYS, MOST_MINUTES
from spaces.catalog.vocabulary import ACCESSIBILITY, EQUIPMENT, KINDS, PURPOSES

UNSEEN = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")
NOTICES = (0, 60, 120, 240, 720, 1440, 2880, 4320, 10080, 20160)
MOST_PEOPLE = 1_000_000
ROLE_LABELS = {
    "owner": lazy_gettext("Owner"),
    "manager": lazy_gettext("Manager"),
    "handler": lazy_gettext("Handler"),
    "viewer": lazy_gettext("Viewer"),
    "crew": lazy_gettext("Crew"),
}
STATE_LABELS = {
    "draft": lazy_gettext("Draft"),
    "submitted": lazy_gettext("Waits for the city"),
    "published": lazy_gettext("Published"),
    "hidden": lazy_gettext("Hidden"),
    "archived": lazy_gettext("Archived"),
}
APPROVAL_LABELS = {
    "instant": lazy_gettext("At once"),
    "handler": lazy_gettext("By a handler"),
    "trusted": lazy_gettext("At once for those you trust"),
}
WHO_LABELS = {
    "anyone": lazy_gettext("Anyone"),
    "verified": lazy_gettext("Those whose identity is confirmed"),
    "organisations": lazy_gettext("Organisations only"),
    "members": lazy_gettext("Members of named organisations"),
}
# What needs nothing more to be told; the rest is chosen on the page of rules.
PLAIN_APPROVALS = ("instant", "handler")
PLAIN_WHO = ("anyone", "verified", "organisations")
RULES = (
    "approval", "who", "whole_days", "min_minutes", "max_minutes", "interval_minutes", "buffer_before_minutes",
    "buffer_after_minutes", "notice_minutes", "horizon_days", "cancellation_hours",
)  # fmt: skip
BULK_STATES = ("published", "hidden", "archived")


def one_line(text: str | None) -> str:
    return " ".join(UNSEEN.sub("", text or "").split())


def many_lines(text: str | None) -> str:
    return UNSEEN.sub("", (text or "").replace("\r\n", "\n")).strip()


def line_field(label: Any, longest: int = 120) -> StringField:
    return StringField(label, filters=[one_line], validators=[at_most(longest)])


def text_field(label: Any, longest: int = 4000) -> TextAreaField:
    return TextAreaField(label, filters=[many_lines], validators=[at_most(longest)])


def at_most(longest: int) -> Length:
    return Length(max=longest, message=lazy_gettext("At most %(num)d characters.", num=longest))


def number_field(label: Any, least: int, most: int, *, needed: bool = True, **kwargs: Any) -> IntegerField:
    text = lazy_gettext("Write a whole number from %(least)d to %(most)d.", least=least, most=most)
    first = InputRequired(message=text) if needed else Optional()
    return IntegerField(label, validators=[first, NumberRange(least, most, message=text)], **kwargs)


class CommaFloatField(FloatField):
    """A decimal number with a comma or a point."""

    def process_formdata(self, valuelist: Sequence[Any]) -> None:
        super().process_formdata([str(value).replace(",", ".").strip() for value in valuelist])
        if self.data is not None and not math.isfinite(self.data):
            self.data = None
            raise ValueError(gettext("Write a number."))

    def _value(self) -> str:
        if self.raw_data:
            return str(self.raw_data[0])
        return "" if self.data is None else f"{self.data:.6f}".rstrip("0").rstrip(".")


class CodesField(SelectMultipleField):
    """Any of the city's words, shown in the reader's language."""

    def __init__(self, label: Any, texts: Mapping[str, str], **kwargs: Any) -> None:
        self.texts = texts
        super().__init__(label, choices=[SelectChoice(code, text) for code, text in texts.items()], **kwargs)
        self.type = "SelectMultipleField"  # what the page's parts know to draw as check boxes

    def name_choices(self) -> None:
        """In alphabetical order of the reader's language."""
        named = sorted(((gettext(text), code) for code, text in self.texts.items()), key=by_name)
        self.choices = [SelectChoice(code, name) for name, code in named]


def by_name(pair: tuple[str, str]) -> str:
    return pair[0].casefold()


def texts_of(form: Form, name: str, known: Localised | None = None) -> Localised:
    """The localised text of three fields; languages that the form does not ask for stay as they are known."""
    found = {code: text for code, text in (known or {}).items() if code not in LANGUAGES}
    for code in LANGUAGES:
        if text := form[f"{name}_{code}"].data:
            found[code] = text
    return found


def fill_texts(form: Form, name: str, texts: Localised) -> None:
    for code in LANGUAGES:
        form[f"{name}_{code}"].data = texts.get(code, "")


class VenueFields:
    """Where it is. The point may be left out where another place of the city has the same address."""

    venue_names_fi = line_field(lazy_gettext("Name of the place (%(language)s)", language="suomi"))
    venue_names_sv = line_field(lazy_gettext("Name of the place (%(language)s)", language="svenska"))
    venue_names_en = line_field(lazy_gettext("Name of the place (%(language)s)", language="English"))
    streets_fi = line_field(lazy_gettext("Street address (%(language)s)", language="suomi"))
    streets_sv = line_field(lazy_gettext("Street address (%(language)s)", language="svenska"))
    streets_en = line_field(lazy_gettext("Street address (%(language)s)", language="English"))
    postcode = line_field(lazy_gettext("Postal code"), 12)
    locality = line_field(lazy_gettext("Post office"), 60)
    lat = CommaFloatField(lazy_gettext("Latitude"), validators=[Optional(), NumberRange(-90, 90)])
    lon = CommaFloatField(lazy_gettext("Longitude"), validators=[Optional(), NumberRange(-180, 180)])

    def venue_facts(self, known: Venue | None = None) -> dict[str, Any]:
        form: Any = self
        has_point = form.lat.data is not None and form.lon.data is not None
        return {
            "names": texts_of(form, "venue_names", known.names if known else None),
            "streets": texts_of(form, "streets", known.streets if known else None),
            "postcode": form.postcode.data or None,
            "locality": form.locality.data or None,
            "lat": form.lat.data if has_point else None,
            "lon": form.lon.data if has_point else None,
        }


def in_order(codes: Iterable[str] | None, texts: Mapping[str, str]) -> list[str]:
    """The chosen codes in the vocabulary's order, so that the same choice is the same list."""
    chosen = set(codes or ())
    return [code for code in texts if code in chosen]


class SpaceFields:
    """What it is and whom it suits."""

    names_fi = line_field(lazy_gettext("Name of the space (%(language)s)", language="suomi"))
    names_sv = line_field(lazy_gettext("Name of the space (%(language)s)", language="svenska"))
    names_en = line_field(lazy_gettext("Name of the space (%(language)s)", language="English"))
    kind = SelectField(lazy_gettext("Kind"), default="meeting_room")
    descriptions_fi = text_field(lazy_gettext("Description (%(language)s)", language="suomi"))
    descriptions_sv = text_field(lazy_gettext("Description (%(language)s)", language="svenska"))
    descriptions_en = text_field(lazy_gettext("Description (%(language)s)", language="English"))
    capacity = number_field(lazy_gettext("People at most"), 1, MOST_PEOPLE, needed=False)
    area_m2 = CommaFloatField(lazy_gettext("Area, m²"), validators=[Optional(), NumberRange(0.1, 10_000_000)])
    purposes = CodesField(lazy_gettext("Suits"), PURPOSES)
    equipment = CodesField(lazy_gettext("Equipment"), EQUIPMENT)

    def space_facts(self, known: Space | None = None) -> dict[str, Any]:
        form: Any = self
        return {
            **{name: form[name].data for name in ("kind", "capacity", "area_m2")},
            "purposes": in_order(form.purposes.data, PURPOSES),
            "equipment": in_order(form.equipment.data, EQUIPMENT),
            **{
                name: texts_of(form, name, getattr(known, name) if known else None)
                for name in ("names", "descriptions")
            },
        }


class RuleFields:
    """The rules of booking that every space has."""

    approval = SelectField(
        lazy_gettext("A booking is confirmed"),
        choices=[SelectChoice(code, APPROVAL_LABELS[code]) for code in PLAIN_APPROVALS],
    )
    who = SelectField(
        lazy_gettext("Who may book"),
        choices=[SelectChoice(code, WHO_LABELS[code]) for code in PLAIN_WHO],
    )
    whole_days = BooleanField(lazy_gettext("Booked by whole days"))
    min_minutes = number_field(lazy_gettext("Shortest booking, minutes"), 5, MOST_MINUTES, default=60)
    max_minutes = number_field(lazy_gettext("Longest booking, minutes"), 5, MOST_MINUTES, default=240)
    interval_minutes = SelectField(lazy_gettext("Bookings begin every"), coerce=int, default=30)
    buffer_before_minutes = number_field(lazy_gettext("Kept free before, minutes"), 0, 10080, default=0)
    buffer_after_minutes = number_field(lazy_gettext("Kept free after, minutes"), 0, 10080, default=0)
    notice_minutes = SelectField(lazy_gettext("Booked at the latest"), coerce=int, default=0)
    horizon_days = number_field(lazy_gettext("Booked at the earliest, days ahead"), 1, MOST_DAYS, default=180)
    cancellation_hours = number_field(
        lazy_gettext("Cancelled free of charge until, hours before"), 0, 8760, default=24
    )
    instructions_fi = text_field(lazy_gettext("Told to the booker (%(language)s)", language="suomi"))
    instructions_sv = text_field(lazy_gettext("Told to the booker (%(language)s)", language="svenska"))
    instructions_en = text_field(lazy_gettext("Told to the booker (%(language)s)", language="English"))

    def rule_facts(self, known: Space | None = None) -> dict[str, Any]:
        form: Any = self
        return {
            **{name: form[name].data for name in RULES},
            "instructions": texts_of(form, "instructions", known.instructions if known else None),
        }


class DeskForm(OnceForm):
    """A form with the vocabulary's choices in the reader's language."""

    def __init__(self, *args: Any, space: Space | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for field in self:
            if isinstance(field, CodesField):
                field.name_choices()
        if "kind" in self:
            kinds = {**KINDS, **({space.kind: space.kind} if space and space.kind not in KINDS else {})}
            named = sorted(((gettext(text), code) for code, text in kinds.items()), key=by_name)
            self["kind"].choices = [SelectChoice(code, name) for name, code in named]
        if "interval_minutes" in self:
            self["interval_minutes"].choices = duration_choices(INTERVALS)
        if "notice_minutes" in self:
            own = {space.notice_minutes} if space else set()
            self["notice_minutes"].choices = notice_choices({*NOTICES, *own})


def duration_choices(minutes: Iterable[int]) -> list[Any]:
    return [SelectChoice(length, format_duration(length)) for length in sorted(minutes)]


def notice_choices(minutes: Iterable[int]) -> list[Any]:
    """ "At any time", "2 h before": how long before its start a booking is made at the latest."""
    return [
        SelectChoice(
            length,
            gettext("%(time)s before", time=format_duration(length)) if length else gettext("At any time"),
        )
        for length in sorted(minutes)
    ]


class NewListingForm(VenueFields, SpaceFields, RuleFields, DeskForm):
    """A new place with its first space. What the place lacks, and its measures, have a page of their own."""

    accessibility = CodesField(lazy_gettext("Accessibility"), ACCESSIBILITY)

    def venue_facts(self, known: Venue | None = None) -> dict[str, Any]:
        codes = in_order(self.accessibility.data, ACCESSIBILITY)
        return {**super().venue_facts(known), "accessibility": codes}


class NewSpaceForm(SpaceFields, RuleFields, DeskForm):
    """One more space at a place that is there already."""


class SpaceForm(SpaceFields, DeskForm):
    """Facts of a space, and which parts of the place it covers."""

    units = SelectMultipleField(lazy_gettext("Parts of the place it covers"), coerce=int)

    def __init__(self, *args: Any, space: Space, units: Sequence[tuple[int, str]], **kwargs: Any) -> None:
        super().__init__(*args, space=space, **kwargs)
        self.units.choices = [SelectChoice(unit_id, name) for unit_id, name in units]

    def fill(self, space: Space, covered: Iterable[int]) -> None:
        for name in ("names", "descriptions"):
            fill_texts(self, name, getattr(space, name))
        for field in self:
            if hasattr(space, field.name):
                field.data = getattr(space, field.name)
        self.units.data = sorted(covered)


class VenueForm(VenueFields, DeskForm):
    """Facts of a place."""

    def fill(self, venue: Venue) -> None:
        fill_texts(self, "venue_names", venue.names)
        fill_texts(self, "streets", venue.streets)
        for name in ("postcode", "locality"):
            self[name].data = getattr(venue, name)
        self.lat.data = None if venue.lat is None else round(venue.lat, 6)
        self.lon.data = None if venue.lon is None else round(venue.lon, 6)


class UnitForm(OnceForm):
    """A part of a place and how many parties share it."""

    names_fi = line_field(lazy_gettext("Name of the part (%(language)s)", language="suomi"))
    names_sv = line_field(lazy_gettext("Name of the part (%(language)s)", language="svenska"))
    names_en = line_field(lazy_gettext("Name of the part (%(language)s)", language="English"))
    lanes = number_field(lazy_gettext("Parties at once"), 1, 10_000, default=1)

    def texts(self, known: Localised | None = None) -> Localised:
        return texts_of(self, "names", known)

    @classmethod
    def of(cls, unit: Unit) -> "UnitForm":
        """Filled with the unit's facts; ids of its own, since several stand on one page."""
        form = cls(formdata=None, prefix=f"unit{unit.id}-")
        fill_texts(form, "names", unit.names)
        form.lanes.data = unit.lanes
        return form


class RoleForm(OnceForm):
    """Whom to give which role."""

    email = email_field(lazy_gettext("E-mail of the person"))
    role = SelectField(
        lazy_gettext("Role"),
        choices=[SelectChoice(code, ROLE_LABELS[code]) for code in VENUE_ROLES],
        default="handler",
    )


class ScheduleForm(OnceForm):
    """Days and times, in the city's zone, when the clock publishes and hides."""

    publish_on = DateField(lazy_gettext("Published on"), validators=[Optional()])
    publish_time = TimeField(lazy_gettext("Published at"), validators=[Optional()])
    hide_on = DateField(lazy_gettext("Hidden on"), validators=[Optional()])
    hide_time = TimeField(lazy_gettext("Hidden at"), validators=[Optional()])

    def moment(self, name: str, zone: ZoneInfo) -> datetime | None:
        """The instant of these two fields; the day's first where no time is told."""
        day = self[f"{name}_on"].data
        return None if day is None else instant(day, self[f"{name}_time"].data or time(0), zone)

    def validate_publish_on(self, field: DateField) -> None:
        likely_day(field)

    def validate_hide_on(self, field: DateField) -> None:
        likely_day(field)

    @classmethod
    def of(cls, space: Space, zone: ZoneInfo) -> "ScheduleForm":
        form = cls(formdata=None)
        for name, at in (("publish", space.publish_at), ("hide", space.hide_at)):
            if at is not None:
                local = at.astimezone(zone)
                form[f"{name}_on"].data, form[f"{name}_time"].data = local.date(), local.time()
        return form


def likely_day(field: DateField) -> None:
    if field.data is not None and not 2020 <= field.data.year <= 2200:
        raise ValidationError(gettext("Write a day of these years."))


class BulkForm(OnceForm):
    """One change of many listings; what is left empty stays as it is."""

    state = SelectField(lazy_gettext("State"), default="")
    approval = SelectField(lazy_gettext("A booking is confirmed"), default="")
    who = SelectField(lazy_gettext("Who may book"), default="")
    max_open_per_person = number_field(
        lazy_gettext("Open bookings at most, each person"), 0, 1000, needed=False
    )
    max_open_per_organisation = number_field(
        lazy_gettext("Open bookings at most, each organisation"), 0, 1000, needed=False
    )
    notice_minutes = SelectField(lazy_gettext("Booked at the latest"), default="")
    horizon_days = number_field(
        lazy_gettext("Booked at the earliest, days ahead"), 1, MOST_DAYS, needed=False
    )
    buffer_before_minutes = number_field(lazy_gettext("Kept free before, minutes"), 0, 10080, needed=False)
    buffer_after_minutes = number_field(lazy_gettext("Kept free after, minutes"), 0, 10080, needed=False)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        same = SelectChoice("", gettext("As it is"))
        self.state.choices = [same, *(SelectChoice(code, STATE_LABELS[code]) for code in BULK_STATES)]
        self.approval.choices = [
            same,
            *(SelectChoice(code, APPROVAL_LABELS[code]) for code in PLAIN_APPROVALS),
        ]
        self.who.choices = [same, *(SelectChoice(code, WHO_LABELS[code]) for code in PLAIN_WHO)]
        self.notice_minutes.choices = [
            same,
            *(SelectChoice(str(choice.value), choice.label) for choice in notice_choices(NOTICES)),
        ]

    def facts(self) -> dict[str, Any]:
        """The fields that are filled in."""
        found: dict[str, Any] = {name: self[name].data for name in ("approval", "who") if self[name].data}
        for name in ("max_open_per_person", "max_open_per_organisation"):
            if self[name].data is not None:
                found[name] = self[name].data or None  # zero takes the limit away
        if self.notice_minutes.data:
            found["notice_minutes"] = int(self.notice_minutes.data)
        for name in ("horizon_days", "buffer_before_minutes", "buffer_after_minutes"):
            if self[name].data is not None:
                found[name] = self[name].data
        return found


class ReturnForm(OnceForm):
    """Why the city gives a listing back."""

    reason = text_field(lazy_gettext("What should be changed"), 2000)


class StateForm(Form):
    """The asked state."""

    state = HiddenField()


def changed_text(count: int) -> str:
    text: str = ngettext("%(num)d space was changed.", "%(num)d spaces were changed.", count)
    return text
