"""The verbs of market days: a season for many stalls at once, and putting a market on the list."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any

from sqlalchemy.orm import Session

from marketplace.accounts.actor import Actor
from marketplace.cities.models import City
from marketplace.errors import N_, FieldError
from spaces.calendar.actions import compile_spaces
from spaces.calendar.errors import PeriodsOverlap
from spaces.calendar.hours import SpaceHours
from spaces.calendar.hours_actions import set_hours_of
from spaces.calendar.queries import hours_of
from spaces.calendar.rules import WeeklyHours, days_between
from spaces.catalog.listing_actions import change_space, move_listing, owner_publishes
from spaces.catalog.models import Venue
from spaces.markets.actions import MARKET_DAY, locked_venue
from spaces.markets.errors import MarketWrong, NotReady
from spaces.markets.queries import PlacedStall, bookings_outside, without_price_or_hours

LONGEST_SEASON = timedelta(days=5 * 366)


@dataclass(frozen=True)
class Season:
    """Market days: these ISO weekdays from the first to the last day, wall-clock hours. `by_the_hour` sells parts of a
    market day, else it is sold whole. `replaces` takes away the weekly hours that the stalls had."""

    first_day: date
    last_day: date
    days: frozenset[int]
    opens: time
    closes: time
    horizon_days: int = 365
    by_the_hour: bool = False
    closed_on_holidays: bool = False
    replaces: bool = False

    @property
    def rule(self) -> WeeklyHours:
        return WeeklyHours(self.days, self.opens, self.closes, self.first_day, self.last_day)

    @property
    def minutes(self) -> int:
        """The length of a market day on the clock."""
        end = 1440 if self.closes == time(0) else self.closes.hour * 60 + self.closes.minute
        return end - self.opens.hour * 60 - self.opens.minute

    def market_days(self) -> list[date]:
        """The dates, public holidays aside."""
        return [day for day in days_between(self.first_day, self.last_day) if day.isoweekday() in self.days]


@dataclass(frozen=True)
class SeasonSet:
    """What setting a season did: days of the season, stalls that changed, coming bookings that lie outside the hours now."""

    days: int
    stalls: int
    outside: int


def season_faults(season: Season, *, today: date) -> list[FieldError]:
    faults = []
    if season.last_day < season.first_day:
        faults.append(FieldError("last_day", "order", N_("The last day is before the first.")))
    elif season.last_day < today:
        faults.append(FieldError("last_day", "past", N_("This season is over already.")))
    elif season.last_day - season.first_day > LONGEST_SEASON:
        faults.append(FieldError("last_day", "too-long", N_("A season lasts five years at most.")))
    elif season.days and not season.market_days():
        text = N_("None of the chosen weekdays falls on these days.")
        faults.append(FieldError("days", "no-day", text))
    if not season.days:
        faults.append(FieldError("days", "missing", N_("Choose the weekdays of the market.")))
    if season.minutes < 60:
        text = N_("The market closes at least an hour after it opens, on the same day.")
        faults.append(FieldError("closes", "order", text))
    return faults


def set_season(
    session: Session,
    city: City,
    venue: Venue,
    stalls: Sequence[PlacedStall],
    season: Season,
    *,
    actor: Actor,
    at: datetime,
) -> SeasonSet:
    """Open these stalls on the season's days, all or none of them; bookings outside the new hours stay valid.

    Raises NotYourVenue, MarketWrong.
    """
    locked_venue(session, venue, actor=actor)
    today = at.astimezone(city.zone).date()
    if faults := season_faults(season, today=today):
        raise MarketWrong(*faults)
    facts = booking_facts(season)
    for one in sorted(stalls, key=lambda placed: placed.id):
        change_space(session, one.space, venue, facts, actor=actor)
    asked = [(one.space, with_season(hours_of(session, one.space, from_day=today), season)) for one in stalls]
    try:
        changed = set_hours_of(session, city, asked, actor=actor, at=at)
    except PeriodsOverlap as refusal:
        text = N_(
            "These stalls are open on some of these days already. Tick the box below to put this season in place of "
            "their other market days, or choose other days."
        )
        raise MarketWrong(FieldError("first_day", "season-overlaps", text)) from refusal
    ids = [one.id for one in stalls]
    # A longer horizon wants more months, also where the hours are the same.
    compile_spaces(session, city, set(ids) - set(changed))
    outside = bookings_outside(session, city, ids, at=at)
    return SeasonSet(len(season.market_days()), len(changed), outside)


def booking_facts(season: Season) -> dict[str, Any]:
    """The rules of booking that go with the season."""
    if not season.by_the_hour:
        return {**MARKET_DAY, "horizon_days": season.horizon_days}
    return {
        "whole_days": False,
        "min_minutes": 60,
        "max_minutes": season.minutes,
        "interval_minutes": 60,
        "horizon_days": season.horizon_days,
    }


def with_season(hours: SpaceHours, season: Season) -> SpaceHours:
    kept = () if season.replaces else tuple(rule for rule in hours.weekly if rule != season.rule)
    rule = "closed" if season.closed_on_holidays else "as_usual"
    return SpaceHours((*kept, season.rule), hours.exceptions, rule)


@dataclass(frozen=True)
class MarketPublished:
    """How many stalls went on the list; the number of the one that the city looks at first, where it has to."""

    count: int
    waits: str = ""


def publish_stalls(
    session: Session,
    city: City,
    venue: Venue,
    stalls: Sequence[PlacedStall],
    *,
    actor: Actor,
    at: datetime,
) -> MarketPublished:
    """Put drafts and hidden stalls on the list. Of a private supplier whom the city does not know yet one stall is sent for
    approval, for all of them; the rest follow when the city has said yes.

    Raises NotYourVenue, NotReady.
    """
    locked_venue(session, venue, actor=actor)
    waiting = [one for one in stalls if one.space.state in {"draft", "hidden"}]
    today = at.astimezone(city.zone).date()
    unready = without_price_or_hours(session, city, [one.id for one in waiting], day=today)
    if unready:
        raise NotReady([one.number for one in waiting if one.id in unready])
    if actor.is_staff or owner_publishes(session, venue):
        for one in sorted(waiting, key=lambda placed: placed.id):
            move_listing(session, one.space, venue, "published", actor=actor, at=at)
        return MarketPublished(len(waiting))
    asked = next((one for one in stalls if one.space.state == "submitted"), None)
    if asked is None and (drafts := [one for one in waiting if one.space.state == "draft"]):
        asked = drafts[0]
        move_listing(session, asked.space, venue, "submitted", actor=actor, at=at)
    return MarketPublished(0, asked.number if asked else "")


def hide_stalls(
    session: Session, venue: Venue, stalls: Sequence[PlacedStall], *, actor: Actor, at: datetime
) -> int:
    """Take published stalls off the list; bookings stay. Returns how many. Raises NotYourVenue."""
    locked_venue(session, venue, actor=actor)
    shown = sorted((one for one in stalls if one.space.state == "published"), key=lambda placed: placed.id)
    for one in shown:
        move_listing(session, one.space, venue, "hidden", actor=actor, at=at)
    return len(shown)
