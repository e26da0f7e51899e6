"""What the bookings package brings to the application."""

from bookings.demo import load_demo_bookings
from bookings.desk import views as desk
from bookings.desk.queries import waiting_count
from bookings.lifecycle import jobs, my_views, views
from bookings.lifecycle.answer_files import sweep_answer_files
from bookings.lifecycle.closing import BookingHolders
from bookings.lifecycle.panels import next_booking_panel
from marketplace.jobs.periodic import PeriodicJob
from marketplace.part import Part
from spaces.calendar.holders import HOLDERS

part = Part(
    name="bookings",
    blueprints=[views.blueprint, my_views.blueprint, desk.blueprint],
    handlers={
        "booking.answered": [jobs.tell_answer],
        "booking.confirmed": [jobs.mail_confirmed],
        "booking.requested": [jobs.mail_requested],
        "booking.cancelled": [jobs.mail_cancelled],
        "booking.declined": [jobs.mail_declined],
        "booking.expired": [jobs.mail_expired],
        "booking.moved": [jobs.mail_moved],
    },
    periodic=[
        PeriodicJob("finish-bookings", "*/5 * * * *", jobs.finish_bookings),
        PeriodicJob("sweep-answer-files", "11 3 * * *", sweep_answer_files),
    ],
    ports={HOLDERS: BookingHolders()},
    panels={"listing-row": [next_booking_panel]},
    badges=[waiting_count],
    demo=[load_demo_bookings],
)
