"""What the spaces package brings to the application."""

from marketplace.errors import N_
from marketplace.jobs.periodic import PeriodicJob
from marketplace.part import NavItem, Part
from spaces.calendar.commands import calendar_group
from spaces.calendar.jobs import extend_calendars
from spaces.catalog import views as catalog
from spaces.catalog.jobs import find_districts_anew
from spaces.demo.commands import demo_group
from spaces.demo.loader import load_demo
from spaces.districts import views as districts
from spaces.districts.commands import districts_group
from spaces.search import views as search
from spaces.transfer.commands import spaces_group

part = Part(
    name="spaces",
    blueprints=[search.blueprint, catalog.blueprint, districts.blueprint],
    handlers={"districts.changed": [find_districts_anew]},
    panels={"profile": [districts.home_district_panel]},
    commands=[calendar_group, demo_group, districts_group, spaces_group],
    periodic=[PeriodicJob("extend-calendars", "41 2 * * *", extend_calendars)],
    nav=[
        NavItem(N_("Find a space"), "search.results"),
        NavItem(N_("Find a space"), "search.results", group="Service"),
    ],
    demo=[load_demo],
)
