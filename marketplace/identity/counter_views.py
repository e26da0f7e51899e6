"""The service point's page: staff see a document and write down whose account it confirms."""

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_babel import gettext
from werkzeug.wrappers import Response

from marketplace.accounts.actions import identify_person, withdraw_identity
from marketplace.accounts.emails import normalised_email
from marketplace.accounts.forms import IdentityForm, typed
from marketplace.accounts.models import Person
from marketplace.accounts.queries import person_of_email
from marketplace.clock import now
from marketplace.db import transaction
from marketplace.errors import FieldError, Forbidden, Invalid
from marketplace.web.access import staff
from marketplace.web.i18n import N_
from marketplace.web.request import current_actor, current_city

Page = str | tuple[str, int] | Response


def counter_pages(identity: Blueprint) -> None:
    """Add this file's pages to the blueprint of signing in."""
    identity.add_url_rule("/counter/identities", "counter", counter, methods=["GET", "POST"])
    identity.add_url_rule("/counter/identities/withdrawal", "withdraw_identity", withdraw, methods=["POST"])


@staff
def counter() -> Page:
    """Find an account by its whole address; then confirm it."""
    if request.method == "GET":
        return counter_page(IdentityForm(formdata=None), request.args.get("email", ""))
    form = IdentityForm()
    born = form.birth_date.data
    if not form.validate() or born is None:
        return counter_page(form, typed(form.email), 422)
    actor, at = current_actor(), now()
    try:
        with transaction() as session:
            person = person_of_email(session, actor.city_id, typed(form.email))
            if person is None:
                raise Invalid(unknown_address())  # noqa: TRY301 - shown like the action's own refusals
            identify_person(
                session,
                person,
                name=typed(form.name),
                birth_date=born,
                actor=actor,
                at=at,
                today=at.astimezone(current_city().zone).date(),
            )
    except Invalid as refusal:
        form.show(refusal)
        return counter_page(form, typed(form.email), 422)
    except Forbidden:
        form.form_errors = [gettext("Somebody else confirms your own identity.")]
        return counter_page(form, typed(form.email), 403)
    flash(gettext("The identity of %(name)s is confirmed.", name=typed(form.name)), "success")
    return redirect(url_for("identity.counter"), 303)


def unknown_address() -> FieldError:
    return FieldError("email", "unknown", N_("There is no account with this address."))


def counter_page(form: IdentityForm, email: str, status: int = 200) -> Page:
    address = normalised_email(email[:254]) if email else None
    person: Person | None = None
    if address:
        with transaction() as session:
            person = person_of_email(session, current_actor().city_id, address)
    if not form.is_submitted():
        form.email.data = address or email[:254]
        if email and person is None:
            form.show(Invalid(unknown_address()))
        if person is not None:
            form.name.data, form.birth_date.data = person.name, person.birth_date
    return render_template(
        "marketplace/identity/counter.html", page_id="counter", form=form, person=person
    ), status


@staff
def withdraw() -> Page:
    """The confirmation was a mistake."""
    actor = current_actor()
    with transaction() as session:
        person = person_of_email(
            session, actor.city_id, request.form.get("email", "")[:254].replace("\x00", "")
        )
        if person is not None:
            withdraw_identity(session, person, actor=actor)
    if person is not None:
        flash(gettext("The identity of %(name)s is not confirmed any more.", name=person.name), "success")
    return redirect(url_for("identity.counter"), 303)
