"""What the spaces package brings to the application."""

from marketplace.errors import N_
from marketplace.jobs.periodic import PeriodicJob
from marketplace.part import NavItem, Part
from spaces.calendar import views as hours
from spaces.calendar.commands import calendar_group
from spaces.calendar.jobs import extend_calendars
from spaces.catalog import desk, desk_views, listing_views, venue_views  # noqa: F401 - the views join the desk's blueprint
from spaces.catalog import jobs as catalog_jobs
from spaces.catalog import views as catalog
from spaces.catalog.queries import venue_grants
from spaces.demo.commands import demo_group
from spaces.demo.loader import load_demo
from spaces.districts import views as districts
from spaces.districts.commands import districts_group
from spaces.pricing import views as prices
from spaces.pricing.commands import prices_group
from spaces.search import views as search
from spaces.transfer.commands import spaces_group

part = Part(
    name="spaces",
    blueprints=[
        search.blueprint,
        catalog.blueprint,
        desk.blueprint,
        districts.blueprint,
        hours.blueprint,
        prices.blueprint,
    ],
    handlers={
        "districts.changed": [catalog_jobs.find_districts_anew],
        "listing.submitted": [catalog_jobs.mail_submitted],
        "listing.approved": [catalog_jobs.mail_approved],
        "listing.returned": [catalog_jobs.mail_returned],
    },
    grants=[venue_grants],
    panels={"profile": [districts.home_district_panel]},
    commands=[calendar_group, demo_group, districts_group, prices_group, spaces_group],
    periodic=[
        PeriodicJob("extend-calendars", "41 2 * * *", extend_calendars),
        PeriodicJob("follow-listing-schedules", "* * * * *", catalog_jobs.follow_schedules),
    ],
    nav=[
        NavItem(N_("Find a space"), "search.results"),
        NavItem(N_("Offer a space"), "desk.offer"),
        NavItem(N_("Find a space"), "search.results", group="Service"),
        NavItem(N_("Offer a space"), "desk.offer", group="Service"),
    ],
    demo=[load_demo],
)
