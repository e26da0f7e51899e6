"""A person's own page: facts, address, password and signed-in browsers."""

from collections.abc import Callable, Mapping
from typing import cast

from flask import Blueprint, current_app, flash, make_response, redirect, render_template, request, url_for
from flask_babel import gettext
from werkzeug.wrappers import Response

from marketplace.accounts import actions as account_actions
from marketplace.accounts.forms import ROLE_LABELS, ProfileForm, typed
from marketplace.accounts.models import Person
from marketplace.accounts.queries import invitations_to, memberships_of, person_of_actor
from marketplace.clock import now
from marketplace.db import transaction
from marketplace.errors import FieldError, Invalid, TooMany
from marketplace.identity import actions, passwords, queries
from marketplace.identity.browser import remember_language
from marketplace.identity.errors import WrongCredentials
from marketplace.identity.forms import ChangeAddressForm, ChangePasswordForm, OffersForm
from marketplace.identity.limits import count_attempt, waiting_text
from marketplace.identity.number_views import own_number
from marketplace.identity.queries import COOKIE
from marketplace.identity.rules import browser_name
from marketplace.ids import token_hash
from marketplace.web.access import signed_in
from marketplace.web.forms import Form
from marketplace.web.i18n import N_
from marketplace.web.request import current_actor, current_city

Page = str | tuple[str, int] | Response


def profile_pages(identity: Blueprint) -> None:
    """Add this file's pages to the blueprint of signing in."""
    identity.add_url_rule("/profile", "profile", profile, methods=["GET", "POST"])
    identity.add_url_rule("/profile/password", "change_password", change_password, methods=["GET", "POST"])
    identity.add_url_rule("/profile/address", "change_address", change_address, methods=["GET", "POST"])
    identity.add_url_rule(
        "/profile/browsers/<int:session_id>/ending", "end_session", end_session, methods=["POST"]
    )
    identity.add_url_rule(
        "/profile/browsers/others/ending", "end_other_sessions", end_other_sessions, methods=["POST"]
    )


def own_row() -> Person:
    with transaction() as session:
        return person_of_actor(session, current_actor())


def profile_page(given: Mapping[str, Form] | None = None, status: int = 200) -> Page:
    """The page with empty forms, except those `given`, which come back with what was typed and what is wrong."""
    actor = current_actor()
    with transaction() as session:
        person = person_of_actor(session, actor)
        browsers = queries.live_sessions(session, actor, at=now())
        memberships = memberships_of(session, actor)
        invitations = invitations_to(session, actor, now())
        texts = own_number(session, person)
        panels_of = cast(Callable[..., str], current_app.jinja_env.globals["panels"])
        panels = panels_of("profile", session=session, actor=actor)
    forms: dict[str, Form] = {
        "form": ProfileForm(
            formdata=None,
            languages=current_city().languages,
            data={
                "name": person.name,
                "phone": person.phone,
                "birth_date": person.birth_date,
                "language": person.language,
            },
        ),
        "offers_form": OffersForm(formdata=None, data={"wants_offers": texts.wants_offers}),
        "address_form": ChangeAddressForm(formdata=None, prefix="address-"),
        "password_form": ChangePasswordForm(formdata=None, prefix="password-"),
        **(given or {}),
    }
    zone = current_city().zone
    here = token_hash(request.cookies.get(COOKIE, ""))
    page = render_template(
        "marketplace/identity/profile.html",
        page_id="profile",
        person=person,
        browsers=[
            {
                "id": row.id,
                "name": browser_name(row.user_agent) or gettext("Unknown browser"),
                "seen_at": row.seen_at.astimezone(zone),
                "is_this": row.token_hash == here,
            }
            for row in browsers
        ],
        memberships=memberships,
        invitation_count=len(invitations),
        role_labels=ROLE_LABELS,
        profile_panels=panels,
        texts=texts,
        **forms,
    )
    return page, status


@signed_in
def profile() -> Page:
    if request.method == "GET":
        return profile_page()
    form = ProfileForm(languages=current_city().languages)
    if not form.validate():
        return profile_page({"form": form}, 422)
    actor = current_actor()
    try:
        with transaction() as session:
            person = person_of_actor(session, actor)
            account_actions.update_profile(
                session,
                person,
                name=typed(form.name),
                phone=typed(form.phone),
                language=form.language.data,
                actor=actor,
            )
            if "birth_date" in request.form:
                today = now().astimezone(current_city().zone).date()
                account_actions.tell_birth_date(
                    session, person, form.birth_date.data, actor=actor, today=today
                )
    except Invalid as refusal:
        form.show(refusal)
        return profile_page({"form": form}, 422)
    flash(gettext("Saved."), "success")
    response = redirect(url_for("identity.profile"), 303)
    remember_language(response, form.language.data)
    return response


def check_present_password(person: Person, typed: str | None) -> None:
    """Whoever sits at an open browser does not become its owner. Raises Invalid at `current`, TooMany."""
    if person.password_hash is None:
        return
    count_attempt("password", person.email)
    if not passwords.matches(person.password_hash, typed or ""):
        raise Invalid(FieldError("current", WrongCredentials.code, N_("This is not your present password.")))


def waiting_page(name: str, form: Form, refusal: TooMany) -> Response:
    form.form_errors = [waiting_text(refusal)]
    response = make_response(profile_page({name: form}, 429))
    response.headers["Retry-After"] = str(refusal.retry_after)
    return response


@signed_in
def change_password() -> Page:
    if request.method == "GET":
        return redirect(url_for("identity.profile"))
    actor, person = current_actor(), own_row()
    form = ChangePasswordForm(prefix="password-")
    if not form.validate() or not form.accepts(name=person.name, email=person.email):
        return profile_page({"password_form": form}, 422)
    try:
        check_present_password(person, typed(form.current))
    except Invalid as refusal:
        form.show(refusal)
        return profile_page({"password_form": form}, 422)
    except TooMany as refusal:
        return waiting_page("password_form", form, refusal)
    password_hash = passwords.hash_password(typed(form.password))
    with transaction() as session:
        actions.set_password(
            session,
            person_of_actor(session, actor),
            password_hash=password_hash,
            actor=actor,
            keep=request.cookies.get(COOKIE),
            at=now(),
        )
    flash(gettext("Your password was changed, and your other browsers were signed out."), "success")
    return redirect(url_for("identity.profile"), 303)


@signed_in
def change_address() -> Page:
    if request.method == "GET":
        return redirect(url_for("identity.profile"))
    person = own_row()
    form = ChangeAddressForm(prefix="address-")
    if not form.validate():
        return profile_page({"address_form": form}, 422)
    if form.email.data == person.email:
        form.show(Invalid(FieldError("email", "same", N_("This is your address already."))))
        return profile_page({"address_form": form}, 422)
    try:
        check_present_password(person, typed(form.current))
        count_attempt("link", typed(form.email))
    except Invalid as refusal:
        form.show(refusal)
        return profile_page({"address_form": form}, 422)
    except TooMany as refusal:
        return waiting_page("address_form", form, refusal)
    with transaction() as session:
        actions.ask_for_address(session, person, email=typed(form.email), submission=typed(form.submission))
    flash(
        gettext(
            "We sent a link to %(email)s. Open it in this browser; until then your old address is in use.",
            email=typed(form.email),
        ),
        "success",
    )
    return redirect(url_for("identity.profile"), 303)


@signed_in
def end_session(session_id: int) -> Response:
    with transaction() as session:
        actions.end_session(session, session_id, actor=current_actor(), at=now())
    flash(gettext("That browser is signed out."), "success")
    return redirect(url_for("identity.profile", _anchor="browsers"), 303)


@signed_in
def end_other_sessions() -> Response:
    actor = current_actor()
    with transaction() as session:
        actions.end_other_sessions(
            session,
            actor.city_id,
            actor.person_id or 0,
            actor=actor,
            at=now(),
            keep=request.cookies.get(COOKIE),
        )
    flash(gettext("Your other browsers are signed out."), "success")
    return redirect(url_for("identity.profile", _anchor="browsers"), 303)
