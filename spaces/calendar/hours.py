"""A space's opening hours as one value: what its owner writes, previews and saves."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from hashlib import sha256
from typing import Any
from zoneinfo import ZoneInfo

from marketplace.timespan import SpanSet
from spaces.calendar.public_holidays import kept_holidays
from spaces.calendar.rules import Compiled, ExceptionHours, WeeklyHours, compile_hours


@dataclass(frozen=True)
class NotedException:
    """Other hours on some dates, with the reason that the public reads."""

    hours: ExceptionHours
    reasons: Mapping[str, str]


@dataclass(frozen=True)
class SpaceHours:
    """Weekly rules, exceptions and the holiday rule of one space."""

    weekly: tuple[WeeklyHours, ...] = ()
    exceptions: tuple[NotedException, ...] = ()
    holiday_rule: str = "as_usual"

    def as_json(self) -> dict[str, Any]:
        """The same hours give the same value, in whatever order they were written."""
        weekly = [
            {
                "days": sorted(rule.days),
                "opens": f"{rule.opens:%H:%M}",
                "closes": f"{rule.closes:%H:%M}",
                "valid_from": rule.valid_from and rule.valid_from.isoformat(),
                "valid_to": rule.valid_to and rule.valid_to.isoformat(),
                "weeks": rule.weeks,
                "nth": rule.nth,
                "state": rule.state,
                "priority": rule.priority,
            }
            for rule in self.weekly
        ]
        exceptions = [
            {
                "first_day": one.hours.first_day.isoformat(),
                "last_day": one.hours.last_day.isoformat(),
                "opens": one.hours.opens and f"{one.hours.opens:%H:%M}",
                "closes": one.hours.closes and f"{one.hours.closes:%H:%M}",
                "state": "closed" if one.hours.is_closed else one.hours.state,
                "reasons": dict(one.reasons),
            }
            for one in self.exceptions
        ]
        return {
            "weekly": sorted(weekly, key=written),
            "exceptions": sorted(exceptions, key=written),
            "holidays": self.holiday_rule,
        }

    @property
    def fingerprint(self) -> str:
        return sha256(written(self.as_json()).encode()).hexdigest()[:16]

    def compiled(self, first: date, last: date, *, zone: ZoneInfo, country: str) -> Compiled:
        """The spans that begin on first..last."""
        return compile_hours(
            self.weekly,
            [one.hours for one in self.exceptions],
            first=first,
            last=last,
            zone=zone,
            holidays=kept_holidays(country, self.holiday_rule, first, last),
        )


def all_spans(months: Mapping[date, list[Any]]) -> SpanSet:
    """The spans of all months together."""
    return SpanSet(span for spans in months.values() for span in spans)


def written(value: Mapping[str, Any]) -> str:
    return json.dumps(value, sort_keys=True)
