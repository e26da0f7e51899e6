"""The mobile number for text messages: its two pages, and what a person's own page shows of it. Joins the blueprint of
signing in."""

from dataclasses import dataclass

from flask import Blueprint, current_app, flash, make_response, redirect, render_template, request, url_for
from flask_babel import gettext
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from marketplace.accounts.errors import NotVerified
from marketplace.accounts.forms import typed
from marketplace.accounts.models import Person
from marketplace.accounts.queries import person_of_actor
from marketplace.clock import now
from marketplace.db import transaction
from marketplace.errors import Invalid, NotFound, TooMany
from marketplace.identity import number_actions as actions
from marketplace.identity.errors import CodeOver, NoNumber, WrongCode
from marketplace.identity.forms import CodeForm, NumberForm, OffersForm, PlainForm
from marketplace.identity.limits import count_code, waiting_text
from marketplace.identity.rules import CODE_TRIES
from marketplace.notifications.codes import number_key
from marketplace.notifications.numbers import read_number, shown_number
from marketplace.notifications.sms import last_state, number_of, sender, state_of
from marketplace.web.access import signed_in
from marketplace.web.request import current_actor, current_city

Page = str | tuple[str, int] | Response


def number_pages(identity: Blueprint) -> None:
    """Add this file's pages to the blueprint of signing in."""
    identity.add_url_rule("/profile/number", "number", number, methods=["GET", "POST"])
    identity.add_url_rule("/profile/number/code", "number_code", number_code, methods=["GET", "POST"])
    identity.add_url_rule("/profile/number/removal", "remove_number", remove_number, methods=["POST"])
    identity.add_url_rule("/profile/number/offers", "choose_offers", choose_offers, methods=["POST"])


@dataclass(frozen=True)
class OwnNumber:
    """What one's own page shows of text messages. `number` is None where none has been confirmed."""

    can_send: bool
    number: str | None
    wants_offers: bool = False
    did_not_arrive: bool = False


def own_number(session: Session, person: Person) -> OwnNumber:
    own = number_of(session, person.city_id, person.id)
    if own is None:
        return OwnNumber(sender().is_there, None)
    return OwnNumber(
        sender().is_there,
        number=shown_number(own.number, country=current_city().country),
        wants_offers=own.wants_offers,
        did_not_arrive=last_state(session, person.city_id, person.id, own.number) == "failed",
    )


def must_send() -> None:
    """Raises NotFound where this service sends no text messages: it has no such pages then."""
    if not sender().is_there:
        raise NotFound


def to_profile() -> Response:
    return redirect(url_for("identity.profile"), 303)


@signed_in
def number() -> Page:
    """Have a code sent to a number. The answer is the same whoever else has that number."""
    must_send()
    actor = current_actor()
    with transaction() as session:
        person = person_of_actor(session, actor)
        asked, own = actions.code_asked(session, person), own_number(session, person)
    if request.method == "GET":
        # The number that owners of spaces see is a good guess.
        guess = person.phone if own.number is None else None
        return number_page(NumberForm(formdata=None, data={"number": guess}), person, own)
    form = NumberForm()
    if not form.validate():
        return number_page(form, person, own, status=422)
    try:
        wished = read_number(
            typed(form.number), country=current_city().country, allowed=current_app.config["SMS_COUNTRIES"]
        )
        if person.email_verified_at is None:
            raise NotVerified
        if asked is None or asked.submission != form.submission.data:
            count_code(actor.city_id, person.id, wished)
        with transaction() as session:
            actions.ask_for_code(
                session,
                person_of_actor(session, actor),
                number=wished,
                submission=typed(form.submission),
                actor=actor,
                at=now(),
            )
    except Invalid as refusal:
        form.show(refusal)
        return number_page(form, person, own, status=422)
    except TooMany as refusal:
        form.form_errors = [waiting_text(refusal)]
        response = make_response(number_page(form, person, own, status=429))
        response.headers["Retry-After"] = str(refusal.retry_after)
        return response
    return redirect(url_for("identity.number_code"), 303)


def number_page(form: NumberForm, person: Person, own: OwnNumber, *, status: int = 200) -> tuple[str, int]:
    page = render_template(
        "marketplace/identity/number.html", page_id="profile", form=form, person=person, own=own
    )
    return page, status


@signed_in
def number_code() -> Page:
    """Type the code of the message."""
    must_send()
    actor, form = current_actor(), CodeForm()
    if request.method == "GET":
        return code_page(CodeForm(formdata=None))
    if not form.validate():
        return code_page(form, status=422)
    try:
        with transaction() as session:
            is_right = actions.confirm_number(
                session, person_of_actor(session, actor), typed(form.code), actor=actor, at=now()
            )
    except CodeOver:
        return code_page(form, status=409)
    if not is_right:
        form.show(WrongCode())
        return code_page(form, status=422)
    flash(gettext("The number is confirmed. Choose what you want to get there."), "success")
    # The section says it too, and the choice stands there.
    return redirect(url_for("identity.profile", _anchor="texts"), 303)


def code_page(form: CodeForm, *, status: int = 200) -> Page:
    """The page of the number that waits for its code; without one, that where it is asked for."""
    with transaction() as session:
        person = person_of_actor(session, current_actor())
        asked = actions.code_asked(session, person)
        state = state_of(session, person.city_id, number_key(asked.id)) if asked is not None else None
    if asked is None:
        return redirect(url_for("identity.number"), 303)
    page = render_template(
        "marketplace/identity/number_code.html",
        page_id="profile",
        form=form,
        shown=shown_number(asked.number, country=current_city().country),
        is_over=asked.tries >= CODE_TRIES or asked.expires_at <= now(),
        did_not_leave=state == "failed",
        again=NumberForm(formdata=None, data={"number": asked.number}),
    )
    return page, status


@signed_in
def remove_number() -> Response:
    """Works without a gateway too: whoever has left a number can take it back."""
    if PlainForm().validate_on_submit():
        with transaction() as session:
            actions.remove_number(session, person_of_actor(session, current_actor()), actor=current_actor())
        flash(gettext("The number is removed. You get everything by mail."), "success")
    return to_profile()


@signed_in
def choose_offers() -> Response:
    must_send()
    form = OffersForm()
    if form.validate_on_submit():
        try:
            with transaction() as session:
                actions.choose_offers(
                    session,
                    person_of_actor(session, current_actor()),
                    wanted=bool(form.wants_offers.data),
                    actor=current_actor(),
                )
        except NoNumber as refusal:
            flash(gettext(refusal.title), "error")
        else:
            flash(gettext("Saved."), "success")
    return to_profile()
