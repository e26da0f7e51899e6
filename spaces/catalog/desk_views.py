"""The owner's desk: the way in, the table of all listings with changes of many at once, a new listing."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

from flask import current_app, flash, redirect, render_template, request, url_for
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from marketplace.accounts.actor import Actor
from marketplace.accounts.models import Organisation
from marketplace.accounts.queries import memberships_of
from marketplace.cities.models import City
from marketplace.clock import now
from marketplace.db import transaction
from marketplace.errors import Invalid
from marketplace.web.access import public, signed_in
from marketplace.web.i18n import format_day, gettext, localised
from marketplace.web.request import current_actor, current_city
from spaces.calendar.actions import compile_spaces
from spaces.catalog import policy
from spaces.catalog.desk import blueprint
from spaces.catalog.desk_forms import (
    APPROVAL_LABELS,
    STATE_LABELS,
    BulkForm,
    NewListingForm,
    NewSpaceForm,
    changed_text,
    one_line,
)
from spaces.catalog.desk_queries import (
    PAGE_SIZE,
    Listed,
    Wanted,
    has_workplace,
    listings_of,
    owner_of,
    submitted_count,
    venue_managed_by,
)
from spaces.catalog.errors import NotAllCanMove
from spaces.catalog.listing_actions import change_spaces, create_listing
from spaces.catalog.models import Space, Venue
from spaces.catalog.present import drawing, price_parts
from spaces.catalog.queries import space_managed_by
from spaces.catalog.rules import STATES
from spaces.photos.present import thumbnail
from spaces.photos.queries import first_keys
from spaces.pricing.queries import prices_on
from spaces.pricing.rules import PriceTerms

Page = str | tuple[str, int] | Response
STATE_KINDS = {"published": "success", "submitted": "alert", "draft": "info"}
# A bulk change is one page of the table at most.
MOST_CHOSEN = PAGE_SIZE


@blueprint.get("/offer")
@public
def offer() -> str:
    """How to list a space, and the next step for whoever reads it."""
    actor = current_actor()
    with transaction() as session:
        organisations = managed_organisations(session, actor)
        works = actor.is_signed_in and has_workplace(session, actor)
    return render_template("spaces/desk/offer.html", page_id="desk", organisations=organisations, works=works)


def managed_organisations(session: Session, actor: Actor) -> list[Organisation]:
    if not actor.is_signed_in:
        return []
    return [organisation for organisation, role in memberships_of(session, actor) if role == "manager"]


@blueprint.get("/desk")
@signed_in
def listings() -> Page:
    """All listings at the person's workplaces."""
    return listings_page(BulkForm(formdata=None), wanted=wanted_of_args())


def wanted_of_args() -> Wanted:
    args = request.args
    state, approval, venue = args.get("state", ""), args.get("approval", ""), args.get("venue", "")
    return Wanted(
        words=one_line(args.get("q", ""))[:100],
        state=state if state in STATES else None,
        approval=approval if approval in APPROVAL_LABELS else None,
        venue_id=number_in(venue, most=2**63 - 1) or None,
        page=number_in(args.get("page", ""), most=10_000) or 1,
    )


def number_in(text: str, *, most: int) -> int:
    """A plain number of an address; 0 for anything else."""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 20 and int(text) <= most else 0


def listings_page(
    form: BulkForm,
    *,
    wanted: Wanted,
    status: int = 200,
    chosen: frozenset[int] = frozenset(),
    refusal: str = "",
    stuck: list[str] | None = None,
) -> Page:
    city, actor, at = current_city(), current_actor(), now()
    with transaction() as session:
        found = listings_of(session, actor, wanted)
        if not found.venues and not managed_organisations(session, actor):
            return redirect(url_for("desk.offer"))
        today = at.astimezone(city.zone).date()
        space_ids = [row.space.id for row in found.rows]
        prices = prices_on(session, city, space_ids, today)
        return render_template(
            "spaces/desk/listings.html",
            page_id="desk",
            session=session,
            rows=[row_of(row, prices, actor, city, today) for row in found.rows],
            space_ids=space_ids,
            thumbnails=thumbnails_of(session, [row.space for row in found.rows]),
            found=found,
            wanted=wanted,
            asked=asked_args(wanted),
            form=form,
            chosen=chosen,
            refusal=refusal,
            stuck=stuck or [],
            state_labels=STATE_LABELS,
            approval_labels=APPROVAL_LABELS,
            state_kinds=STATE_KINDS,
            organisations=managed_organisations(session, actor),
            waiting=submitted_count(session, city.id) if actor.is_staff else 0,
            last_page=max(1, -(-found.total // PAGE_SIZE)),
            known_pages=current_app.view_functions,
            states_with_counts=[
                (code, f"{label} ({found.states[code]})")
                for code, label in STATE_LABELS.items()
                if code in found.states
            ],
            venue_options=sorted(
                ((str(venue_id), localised(names)) for venue_id, names in found.venues), key=by_second
            ),
        ), status


def thumbnails_of(session: Session, spaces: Sequence[Space]) -> dict[int, str]:
    """The address of each space's first photo, or of its drawing."""
    photos = first_keys(session, current_city().id, [space.id for space in spaces])
    return {
        space.id: thumbnail(photos[space.id]) if space.id in photos else drawing(space.kind)
        for space in spaces
    }


def by_second(pair: tuple[str, str]) -> str:
    return pair[1].casefold()


def asked_args(wanted: Wanted) -> dict[str, Any]:
    """The filters as the arguments of an address."""
    args = {
        "q": wanted.words,
        "state": wanted.state or "",
        "approval": wanted.approval or "",
        "venue": str(wanted.venue_id or ""),
    }
    return {name: value for name, value in args.items() if value}


def row_of(
    row: Listed, prices: dict[int, PriceTerms], actor: Actor, city: City, today: date
) -> dict[str, Any]:
    """What one row of the table shows."""
    space = row.space
    return {
        "id": space.id,
        "name": localised(space.names),
        "place": localised(row.venue.names),
        "venue_id": row.venue.id,
        "owner": row.owner,
        "state": space.state,
        "moment": moment_text(space.publish_at, space.hide_at, space.state, city),
        "capacity": space.capacity,
        "approval": APPROVAL_LABELS[space.approval],
        "price": price_text(prices.get(space.id)),
        "is_mine": policy.may_manage(actor, row.venue),
    }


def price_text(terms: PriceTerms | None) -> str:
    if terms is None:
        return "–"
    return str(gettext("free of charge")) if terms.per == "free" else "".join(price_parts(terms))


def moment_text(publish_at: datetime | None, hide_at: datetime | None, state: str, city: City) -> str:
    """What the clock does next with the listing."""
    if publish_at is not None and state in {"draft", "hidden"}:
        return str(gettext("published %(day)s", day=format_day(publish_at.astimezone(city.zone).date())))
    if hide_at is not None and state == "published":
        return str(gettext("hidden %(day)s", day=format_day(hide_at.astimezone(city.zone).date())))
    return ""


@blueprint.post("/desk/changes")
@signed_in
def change_many() -> Page:
    """Change the chosen listings, all or none of them."""
    city, actor, at = current_city(), current_actor(), now()
    form = BulkForm()
    wanted = wanted_of_args()
    chosen = frozenset(
        number
        for text in request.form.getlist("space")[:MOST_CHOSEN]
        if (number := number_in(text, most=2**63 - 1))
    )
    stuck: list[str] = []
    if not chosen:
        refusal = gettext("Choose first the spaces to change.")
    elif not form.validate_on_submit():
        refusal = gettext("Nothing was changed.")
    elif not form.facts() and not form.state.data:
        refusal = gettext("Choose first what to change.")
    else:
        facts, state = form.facts(), form.state.data or None
        try:
            with transaction() as session:
                pairs = [space_managed_by(session, actor, space_id) for space_id in sorted(chosen)]
                count = change_spaces(session, pairs, facts, state=state, actor=actor, at=at)
                if "horizon_days" in facts:
                    compile_spaces(session, city, chosen)
        except NotAllCanMove as refused:
            refusal, stuck = gettext(refused.title), [localised(names) for names in refused.names]
        else:
            flash(changed_text(count), "success")
            return redirect(url_for("desk.listings", **asked_args(wanted)), 303)
    return listings_page(form, wanted=wanted, status=422, chosen=chosen, refusal=refusal, stuck=stuck)


@blueprint.route("/desk/spaces/new", methods=["GET", "POST"])
@signed_in
def new() -> Page:
    """A new place with its first space (`organisation`), or one more space at a place (`venue`)."""
    city, actor = current_city(), current_actor()
    venue_id = number_in(request.args.get("venue", ""), most=2**63 - 1)
    with transaction() as session:
        venue = venue_managed_by(session, actor, venue_id) if venue_id else None
        owner = owner_of(session, venue) if venue else asked_organisation(session, actor)
    if owner is None:
        return redirect(url_for("desk.offer"))
    form: NewListingForm | NewSpaceForm = NewSpaceForm() if venue else NewListingForm()
    if not form.is_submitted():
        if isinstance(form, NewListingForm):
            form.locality.data = localised(city.names)
        return new_page(form, owner, venue)
    if form.validate():
        try:
            with transaction() as session:
                made = create_listing(
                    session,
                    city,
                    actor=actor,
                    owner=owner,
                    venue=session.merge(venue, load=False) if venue else None,
                    venue_facts=form.venue_facts() if isinstance(form, NewListingForm) else {},
                    facts={**form.space_facts(), **form.rule_facts()},
                    submission=form.submission.data or "",
                )
        except Invalid as refusal:
            form.show(refusal)
        else:
            flash(gettext("The draft was saved. Next come its opening hours and prices."), "success")
            return redirect(url_for("desk.space", space_id=made.id), 303)
    return new_page(form, owner, venue, 422)


def asked_organisation(session: Session, actor: Actor) -> Organisation | None:
    """The one that the address names, else the only one that the person manages."""
    managed = managed_organisations(session, actor)
    asked = number_in(request.args.get("organisation", ""), most=2**63 - 1)
    if asked:
        return next((organisation for organisation in managed if organisation.id == asked), None)
    return managed[0] if len(managed) == 1 else None


def new_page(
    form: NewListingForm | NewSpaceForm, owner: Organisation, venue: Venue | None, status: int = 200
) -> Page:
    return render_template(
        "spaces/desk/new.html",
        page_id="desk",
        form=form,
        owner=owner,
        venue=venue,
        languages_of_city=current_city().languages,
    ), status
