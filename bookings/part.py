"""What the bookings package brings to the application."""

from bookings.demo import load_demo_bookings
from bookings.lifecycle import jobs, my_views, views
from marketplace.jobs.periodic import PeriodicJob
from marketplace.part import Part

part = Part(
    name="bookings",
    blueprints=[views.blueprint, my_views.blueprint],
    handlers={
        "booking.confirmed": [jobs.mail_confirmed],
        "booking.requested": [jobs.mail_requested],
        "booking.cancelled": [jobs.mail_cancelled],
        "booking.declined": [jobs.mail_declined],
        "booking.expired": [jobs.mail_expired],
    },
    periodic=[PeriodicJob("finish-bookings", "*/5 * * * *", jobs.finish_bookings)],
    badges=[my_views.requests_waiting],
    demo=[load_demo_bookings],
)
