"""Builds the application from settings and parts. Opens no connection, so importing the result is harmless."""

from collections.abc import Sequence
from contextlib import AbstractContextManager
from datetime import UTC
from functools import partial

from flask import Flask
from flask_babel import Babel
from flask_wtf import CSRFProtect
from jinja2 import ChoiceLoader, FileSystemLoader, StrictUndefined
from werkzeug.middleware.proxy_fix import ProxyFix

from marketplace import db, logs, sealing
from marketplace.accounts.commands import accounts_group
from marketplace.cities.commands import city_group
from marketplace.commands import db_group, templates_group
from marketplace.files import port as files
from marketplace.files.opening import open_store
from marketplace.identity import jobs as identity_jobs
from marketplace.identity import views as identity_views
from marketplace.identity.queries import actor_of_request
from marketplace.jobs import messages, runner, worker
from marketplace.jobs.periodic import PeriodicJob
from marketplace.notifications import jobs as notification_jobs
from marketplace.notifications import link_views
from marketplace.notifications import views as mailbox_views
from marketplace.notifications.gateway import open_sender
from marketplace.part import Part
from marketplace.payments import jobs as payment_jobs
from marketplace.payments import test_bank_views
from marketplace.payments import views as payment_views
from marketplace.payments.commands import payments_group
from marketplace.payments.gateway import open_gateways
from marketplace.payments.sweeper import sweep_payments
from marketplace.settings import ROOT, Settings
from marketplace.translate import translations_group
from marketplace.web import context, limits, pages, problems, security, uploads
from marketplace.web import request as requests
from marketplace.web.i18n import reader_language

PACKAGES = ("marketplace", "spaces", "bookings", "partners")

csrf = CSRFProtect()


def own_part(settings: Settings) -> Part:
    """What the ground floor itself brings."""
    blueprints = [pages.health, pages.root, pages.problems, *identity_views.blueprints, link_views.blueprint]
    blueprints.append(payment_views.blueprint)
    if not settings.is_production:
        blueprints.append(mailbox_views.blueprint)
    if settings.test_bank_on:
        blueprints.append(test_bank_views.blueprint)
    return Part(
        name="marketplace",
        blueprints=blueprints,
        commands=[
            accounts_group,
            city_group,
            db_group,
            payments_group,
            templates_group,
            translations_group,
            worker.worker_command,
            worker.jobs_group,
        ],
        handlers={**identity_jobs.HANDLERS, **payment_jobs.HANDLERS},
        periodic=[
            PeriodicJob("forget-old-counters", "17 3 * * *", limits.forget_old_counters),
            PeriodicJob("retry-lost-jobs", "*/2 * * * *", worker.retry_lost_jobs),
            PeriodicJob("forget-old-links", "27 3 * * *", identity_jobs.forget_old_links),
            PeriodicJob("forget-old-events", "47 3 * * *", payment_jobs.forget_old_events),
            PeriodicJob("sweep-payments", "*/2 * * * *", sweep_payments),
            PeriodicJob("forget-old-texts", "37 3 * * *", notification_jobs.forget_old_texts),
        ],
    )


def create_app(settings: Settings, parts: Sequence[Part]) -> Flask:
    """The WSGI application. `parts` are the packages above this one, lowest first."""
    app = Flask("marketplace", root_path=str(ROOT / "marketplace"))
    app.config.update(
        SECRET_KEY=settings.secret,
        CITY=settings.city,
        PRODUCTION=settings.is_production,
        TESTING=settings.env == "test",
        DATABASE_URL=settings.database_url,
        BASE_URL=settings.base_url,
        PREFERRED_URL_SCHEME="https" if settings.base_url.startswith("https") else "http",
        SMTP_URL=settings.smtp_url,
        MAIL_FROM=settings.mail_from,
        SMS_COUNTRIES=frozenset(settings.sms_countries.split()),
        SMS_CODES_PER_DAY=settings.sms_codes_per_day,
        TILE_URL=settings.tile_url,
        PAY_PAGES=settings.pay_pages,
        RATE_LIMITS=settings.rate_limits,
        HOME_ENDPOINT="search.home",
        MAX_CONTENT_LENGTH=2 * 1024 * 1024,
        MAX_FORM_MEMORY_SIZE=512 * 1024,
        SESSION_COOKIE_NAME="tilaa_form",
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        SESSION_COOKIE_SECURE=settings.is_production,
        WTF_CSRF_TIME_LIMIT=12 * 3600,
        SEND_FILE_MAX_AGE_DEFAULT=31536000,
        BABEL_TRANSLATION_DIRECTORIES=";".join(str(ROOT / package / "translations") for package in PACKAGES),
        BABEL_DEFAULT_LOCALE="en",
    )
    logs.configure_logs(level=settings.log_level, json=settings.is_production)
    if settings.database_url:
        db.bind(db.make_engine(settings.database_url, pool=settings.database_pool))
    files.bind(open_store(settings))
    sealing.bind(settings.secret, settings.former_secrets.split())
    app.extensions["sms"] = open_sender(settings)
    app.extensions["payment_gateways"] = open_gateways(settings)
    app.jinja_options = {"undefined": StrictUndefined, "trim_blocks": True, "lstrip_blocks": True}
    app.jinja_loader = ChoiceLoader([FileSystemLoader(ROOT / package / "templates") for package in PACKAGES])
    if settings.trusted_proxies:
        n = settings.trusted_proxies
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=n, x_proto=n, x_host=n)  # type: ignore[method-assign]
    Babel(app, locale_selector=reader_language, timezone_selector=lambda: UTC)
    logs.install(app)
    grants = [read for part in parts for read in part.grants]
    requests.install(app, load_actor=partial(actor_of_request, grants=grants))
    uploads.install(app)
    csrf.init_app(app)  # reads the form, whose size may depend on who asks
    security.install(app)
    problems.install(app)

    everything = [own_part(settings), *parts]
    app.extensions["parts"] = everything
    for part in everything:
        for blueprint in part.blueprints:
            app.register_blueprint(blueprint)
            if getattr(blueprint, "csrf_exempt", False):
                csrf.exempt(blueprint)
        for command in part.commands:
            app.cli.add_command(command)
        messages.register(part.handlers)
        worker.register_periodic(part.periodic)
    context.install(app)
    runner.run_inside(lambda: job_context(app))
    return app


def job_context(app: Flask) -> AbstractContextManager[object]:
    """The context of a job or a command: outside any request, addresses are those of the public URL."""
    return app.test_request_context(base_url=app.config["BASE_URL"])
