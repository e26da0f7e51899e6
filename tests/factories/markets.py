"""Market squares with stalls, for tests."""

from dataclasses import dataclass
from datetime import date, time, timedelta
from itertools import count
from typing import Any

from sqlalchemy.orm import Session

from marketplace.accounts.actor import Actor
from marketplace.accounts.models import Organisation, Person
from marketplace.cities.models import City
from marketplace.clock import now
from marketplace.geo import to_metric
from spaces.catalog.models import Venue
from spaces.markets import actions, class_actions, season_actions
from spaces.markets.models import StallClass
from spaces.markets.queries import PlacedStall, stalls_of
from spaces.markets.rules import Grid, grid_numbers, grid_shapes, rectangle
from spaces.pricing.lists import PriceList
from tests.factories.people import actor_of, join, make_organisation, make_person
from tests.factories.spaces import KALLIO, make_venue

numbers = count(1)


@dataclass(frozen=True)
class Square:
    """A square of 60 × 40 m with its manager, without stalls."""

    session: Session
    city: City
    organisation: Organisation
    person: Person
    venue: Venue

    @property
    def actor(self) -> Actor:
        return actor_of(self.session, self.person)

    @property
    def middle(self) -> tuple[float, float]:
        return to_metric(*KALLIO, crs=self.city.metric_crs)

    @property
    def today(self) -> date:
        return now().astimezone(self.city.zone).date()

    def grid(self, **changes: Any) -> Grid:
        """Two rows of five 3 × 3 m stalls that lie well inside."""
        x, y = self.middle
        values = {
            "rows": 2, "columns": 5, "width_m": 3.0, "depth_m": 3.0, "gap_m": 0.5, "aisle_m": 3.0, "angle": 0.0,
            "corner": (x - 15, y + 10), **changes,
        }  # fmt: skip
        return Grid(**values)

    def add(
        self, grid: Grid | None = None, *, prefix: str = "A", class_: StallClass | None = None, **asked: Any
    ) -> list[PlacedStall]:
        grid = grid or self.grid()
        named = grid_numbers(grid.rows, grid.columns, prefix=prefix, start=1, by_row=False)
        made = actions.add_stalls(
            self.session,
            self.city,
            self.venue,
            actions.AskedStalls(
                tuple(grid_shapes(grid)), tuple(named or ()), class_.id if class_ else None, **asked
            ),
            actor=self.actor,
            submission=f"grid-{next(numbers)}",
            at=now(),
        )
        ids = {space.id for space in made}
        return [one for one in self.stalls() if one.id in ids]

    def stalls(self) -> list[PlacedStall]:
        return stalls_of(self.session, self.venue)

    def add_class(
        self, code: str = "A", amount_minor: int = 3800, *, per: str = "day", start: date | None = None
    ) -> StallClass:
        made = class_actions.add_class(
            self.session, self.venue, code=code, names={"en": f"Class {code}"}, actor=self.actor
        )
        self.price(made, amount_minor, per=per, start=start)
        return made

    def price(
        self,
        class_: StallClass,
        amount_minor: int,
        *,
        per: str = "day",
        start: date | None = None,
        rows: Any = (),
    ) -> int:
        list_ = PriceList(start or self.today, per, amount_minor, rows=rows)
        return class_actions.set_class_price(
            self.session, self.venue, class_, list_, actor=self.actor, today=self.today
        )

    def season(self, **changes: Any) -> season_actions.Season:
        """Saturdays of the coming ten weeks from 8 to 16, from tomorrow on."""
        values = {
            "first_day": self.today + timedelta(days=1),
            "last_day": self.today + timedelta(days=70),
            "days": frozenset({6}),
            "opens": time(8),
            "closes": time(16),
            **changes,
        }
        return season_actions.Season(**values)

    def open(self, stalls: list[PlacedStall] | None = None, **changes: Any) -> season_actions.SeasonSet:
        return season_actions.set_season(
            self.session,
            self.city,
            self.venue,
            self.stalls() if stalls is None else stalls,
            self.season(**changes),
            actor=self.actor,
            at=now(),
        )

    def publish(self, *, actor: Actor | None = None) -> season_actions.MarketPublished:
        return season_actions.publish_stalls(
            self.session, self.city, self.venue, self.stalls(), actor=actor or self.actor, at=now()
        )


def make_square(
    session: Session,
    city: City,
    *,
    kind: str = "city_division",
    width: float = 60,
    length: float = 40,
    **person_fields: object,
) -> Square:
    organisation = make_organisation(session, city, name=f"Market {next(numbers)}", kind=kind)
    person = make_person(session, city, name="Elina Saari", **person_fields)
    join(session, person, organisation, "manager")
    venue = make_venue(session, city, owner=organisation, kind="square", names={"fi": "Tori", "en": "Square"})
    square = Square(session, city, organisation, person, venue)
    outline = rectangle(square.middle, width=width, length=length, angle=0)
    actions.draw_square(session, city, venue, outline, actor=square.actor)
    session.flush()
    return square
