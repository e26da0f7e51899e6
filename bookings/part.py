"""What the bookings package brings to the application."""

from bookings.attendance import jobs as attendance
from bookings.attendance import panels as attendance_panels
from bookings.attendance import views as attendance_views
from bookings.checkout import jobs as checkout
from bookings.checkout import panels as checkout_panels
from bookings.checkout import views as checkout_views
from bookings.checkout.till import OrderTill
from bookings.checkout.verify import verify_orders
from bookings.demo import load_demo_bookings
from bookings.desk import customer_views, queue_views  # noqa: F401 - they join the blueprint of desk's views
from bookings.desk import views as desk
from bookings.desk.queries import waiting_count
from bookings.doors import jobs as doors
from bookings.doors import panels as door_panels
from bookings.doors import views as door_views
from bookings.doors.providers import LOCK_PROVIDERS
from bookings.doors.static_codes import StaticCodes
from bookings.feeds import views as feed_views
from bookings.finance import city_views, income_views  # noqa: F401 - they join the blueprint of my payments
from bookings.finance import views as finance_views
from bookings.invoices import jobs as invoices
from bookings.invoices import staff_views  # noqa: F401 - they join the blueprint of invoices' views
from bookings.invoices import views as invoice_views
from bookings.invoices.demo import load_demo_invoicing
from bookings.invoices.panels import organisation_panel as invoices_panel
from bookings.lifecycle import change_views, hold_views, jobs, my_views, returned_jobs, views  # noqa: F401 - they join the blueprint of views
from bookings.lifecycle.answer_files import sweep_answer_files
from bookings.lifecycle.closing import BookingHolders
from bookings.lifecycle.commands import bookings_group
from bookings.lifecycle.familiar import FamiliarByBookings
from bookings.lifecycle.panels import instead_panel, next_booking_panel
from bookings.lifecycle.queries import booking_roles
from bookings.lifecycle.till import TILL
from bookings.offered import jobs as offered
from bookings.offered import panels as offered_panels
from bookings.offered import views as offered_views
from bookings.responsible import jobs as responsible
from bookings.responsible import panels as responsible_panels
from bookings.responsible import views as responsible_views
from bookings.series import jobs as series_jobs
from bookings.series import views as series_views
from bookings.series.panels import series_panel
from bookings.talk import jobs as talk
from bookings.talk import panels as talk_panels
from bookings.talk import views as talk_views
from bookings.talk.queries import unread_count
from bookings.waiting import jobs as waiting
from bookings.waiting import views as waiting_views
from bookings.waiting.panels import my_panel as waiting_panel
from marketplace.errors import N_
from marketplace.jobs.periodic import PeriodicJob
from marketplace.part import NavItem, Part
from spaces.calendar.holders import HOLDERS
from spaces.search.familiar import FAMILIAR

part = Part(
    name="bookings",
    blueprints=[
        views.blueprint,
        my_views.blueprint,
        desk.blueprint,
        series_views.blueprint,
        attendance_views.blueprint,
        door_views.blueprint,
        *feed_views.blueprints,
        waiting_views.blueprint,
        talk_views.blueprint,
        responsible_views.blueprint,
        offered_views.blueprint,
        checkout_views.blueprint,
        finance_views.blueprint,
        invoice_views.blueprint,
    ],
    handlers={
        "series.created": [series_jobs.mail_created, doors.follow_series],
        "series.changed": [series_jobs.mail_changed, doors.follow_series],
        "series.cancelled": [series_jobs.mail_cancelled, doors.follow_series],
        "series.approved": [series_jobs.mail_approved, doors.follow_series],
        "series.declined": [series_jobs.mail_declined],
        "booking.answered": [jobs.tell_answer],
        "booking.pressed": [offered.tell_pressed],
        "booking.undone": [waiting.follow_booking],
        "pool.withdrawn": [offered.follow_withdrawal],
        "booking.confirmed": [
            jobs.mail_confirmed,
            attendance.plan,
            doors.follow_booking,
            checkout.follow_booking,
        ],
        "booking.requested": [jobs.mail_requested],
        "booking.cancelled": [
            jobs.mail_cancelled,
            doors.follow_booking,
            waiting.follow_booking,
            checkout.follow_booking,
        ],
        "booking.declined": [jobs.mail_declined, waiting.follow_booking, checkout.follow_booking],
        "booking.replaced": [checkout.follow_replaced],
        "booking.expired": [jobs.mail_expired, waiting.follow_booking, checkout.follow_booking],
        "booking.moved": [jobs.mail_moved, attendance.plan, doors.follow_booking, waiting.follow_booking],
        "booking.changed": [
            jobs.mail_changed,
            attendance.plan,
            doors.follow_booking,
            waiting.follow_booking,
            checkout.follow_booking,
        ],
        "booking.kept_returned": [returned_jobs.mail_returned, checkout.follow_booking],
        "payment.authorised": [checkout.follow_money],
        "payment.paid": [checkout.follow_money],
        "payment.failed": [checkout.follow_money],
        "payment.cancelled": [checkout.follow_money],
        "payment.expired": [checkout.follow_money],
        "refund.succeeded": [checkout.follow_refund],
        "refund.failed": [checkout.follow_refund],
        "order.due": [checkout.end_order],
        "order.paid": [checkout.mail_paid],
        "order.waits": [checkout.mail_waits],
        "order.payment_failed": [checkout.mail_failed],
        "order.expired": [checkout.mail_unpaid],
        "order.invoiced": [invoices.follow_order],
        "order.credited": [invoices.follow_order],
        "hold.ends": [jobs.end_holds],
        "hold.lapsed": [waiting.end_offers],
        "waiting.joined": [waiting.mail_joined],
        "waiting.offered": [waiting.mail_offered, waiting.text_offered],
        "waiting.text_due": [waiting.text_offered],
        "waiting.passed": [waiting.mail_passed],
        "waiting.freed": [waiting.follow_freed],
        "attendance.due": [attendance.release],
        "attendance.missed": [attendance.mail_no_show],
        "booking.no_show": [doors.follow_booking, waiting.follow_booking],
        "booking.no_show_undone": [doors.follow_booking],
        "door.changed": [doors.follow_space],
        "message.written": [talk.mail_message],
        "invoice.issued": [invoices.mail_issued],
        "person.added": [responsible.mail_added],
    },
    periodic=[
        PeriodicJob("finish-bookings", "*/5 * * * *", jobs.finish_bookings),
        PeriodicJob("sweep-holds", "* * * * *", jobs.sweep_holds),
        PeriodicJob("sweep-orders", "* * * * *", checkout.sweep_orders),
        PeriodicJob("settle-kept", "* * * * *", returned_jobs.settle_all_kept),
        PeriodicJob("release-unattended", "* * * * *", attendance.release_all),
        PeriodicJob("sweep-line", "*/5 * * * *", waiting.sweep_line),
        PeriodicJob("keep-invoices", "41 3 * * *", invoices.keep_invoices),
        PeriodicJob("sweep-answer-files", "11 3 * * *", sweep_answer_files),
        PeriodicJob("sweep-doors", "*/5 * * * *", doors.sweep_doors),
        PeriodicJob("count-pooled-use", "19 3 * * *", offered.count_all),
    ],
    ports={
        HOLDERS: BookingHolders(),
        FAMILIAR: FamiliarByBookings(),
        LOCK_PROVIDERS: {"static": StaticCodes()},
        TILL: OrderTill(),
        "money_problems": verify_orders,
    },
    panels={
        "listing-row": [next_booking_panel],
        "space-taken": [instead_panel],
        "booking-facts": [series_panel, checkout_panels.facts_panel],
        "home": [offered_panels.home_panel],
        "results": [offered_panels.results_panel],
        "profile": [offered_panels.profile_panel],
        "organisation": [invoices_panel, offered_panels.organisation_panel],
        "booking-side": [
            offered_panels.booking_panel,
            door_panels.booking_panel,
            attendance_panels.booking_panel,
            responsible_panels.booking_panel,
        ],
        "booking-talk": [talk_panels.booking_panel],
        "my-bookings": [
            checkout_panels.my_panel,
            talk_panels.my_panel,
            door_panels.my_panel,
            attendance_panels.my_panel,
            waiting_panel,
        ],
        "desk-timeline": [door_panels.desk_panel],
        "mail-confirmed": [door_panels.mail_panel, attendance_panels.mail_panel],
    },
    badges=[waiting_count, unread_count],
    grants=[booking_roles],
    nav=[NavItem(N_("What offers are made of"), "offered.rules", group="Service")],
    commands=[bookings_group],
    demo=[load_demo_bookings, load_demo_invoicing],
)
