"""What the spaces package brings to the application."""

from marketplace.errors import N_
from marketplace.jobs.periodic import PeriodicJob
from marketplace.part import NavItem, Part
from spaces.calendar import views as hours
from spaces.calendar.commands import calendar_group
from spaces.calendar.jobs import extend_calendars
from spaces.catalog import access_views, desk, desk_views, listing_views, venue_views  # noqa: F401 - all join the desk
from spaces.catalog import jobs as catalog_jobs
from spaces.catalog import views as catalog
from spaces.catalog.queries import venue_roles
from spaces.demo.commands import demo_group
from spaces.demo.loader import load_demo
from spaces.districts import views as districts
from spaces.districts.commands import districts_group
from spaces.equipment import views as equipment
from spaces.equipment.panels import space_extras_panel
from spaces.markets import desk_views as _market_desk  # noqa: F401 - its pages join the public plan
from spaces.markets import views as market
from spaces.photos import jobs as photo_jobs
from spaces.photos import views as photos
from spaces.photos.commands import photos_group
from spaces.pricing import group_views  # noqa: F401 - its pages join those of prices
from spaces.pricing import views as prices
from spaces.pricing.commands import prices_group
from spaces.rules import views as rules
from spaces.saved import views as saved
from spaces.saved.commands import saved_group
from spaces.saved.jobs import follow_saved_searches
from spaces.search import views as search
from spaces.search import vocabulary
from spaces.search.commands import search_group
from spaces.transfer.commands import spaces_group

part = Part(
    name="spaces",
    blueprints=[
        search.blueprint,
        catalog.blueprint,
        desk.blueprint,
        districts.blueprint,
        hours.blueprint,
        market.blueprint,
        prices.blueprint,
        equipment.blueprint,
        rules.blueprint,
        photos.blueprint,
        photos.pictures,
        saved.blueprint,
        saved.stops,
    ],
    handlers={
        "districts.changed": [catalog_jobs.find_districts_anew],
        "listing.submitted": [catalog_jobs.mail_submitted],
        "listing.approved": [catalog_jobs.mail_approved],
        "listing.returned": [catalog_jobs.mail_returned],
    },
    grants=[venue_roles],
    panels={"space-extras": [space_extras_panel], "profile": [districts.home_district_panel]},
    commands=[
        calendar_group,
        demo_group,
        districts_group,
        photos_group,
        prices_group,
        saved_group,
        search_group,
        spaces_group,
    ],
    periodic=[
        PeriodicJob("extend-calendars", "41 2 * * *", extend_calendars),
        PeriodicJob("follow-saved-searches", "* * * * *", follow_saved_searches),
        PeriodicJob("sweep-search-words", "23 4 * * 0", vocabulary.sweep),
        PeriodicJob("sweep-photo-files", "7 4 * * *", photo_jobs.sweep),
        PeriodicJob("follow-listing-schedules", "* * * * *", catalog_jobs.follow_schedules),
    ],
    nav=[
        NavItem(N_("Find a space"), "search.results"),
        NavItem(N_("Offer a space"), "desk.offer"),
        NavItem(N_("My searches"), "saved.mine", group="account"),
        NavItem(N_("Find a space"), "search.results", group="Service"),
        NavItem(N_("Offer a space"), "desk.offer", group="Service"),
    ],
    demo=[load_demo],
)
