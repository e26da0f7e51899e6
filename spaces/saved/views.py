"""The pages of saved searches, and the address in a mail that stops one."""

from datetime import timedelta
from typing import Any

from flask import flash, make_response, redirect, render_template, request, url_for
from werkzeug.datastructures import MultiDict
from werkzeug.wrappers import Response

from marketplace.clock import now
from marketplace.db import transaction
from marketplace.errors import Invalid
from marketplace.identity.queries import actor_of_person
from marketplace.web.access import public, signed_in
from marketplace.web.i18n import gettext, reader_language
from marketplace.web.limits import limit
from marketplace.web.request import client_ip, current_actor, current_city, page_blueprint
from spaces.saved import actions
from spaces.saved.errors import NothingAsked, NotUnderstood, SearchNotFound, TooManySaved
from spaces.saved.forms import NameForm, NoticesForm, PlainForm
from spaces.saved.present import address_of, rows_of
from spaces.saved.queries import locked_search, own_searches, reader_of, saved_for
from spaces.saved.question import Kept, is_readable, kept_of
from spaces.saved.rules import LONGEST_NAME, MOST_SAVED
from spaces.saved.tokens import note_of, notes, search_of_token, token_of
from spaces.search.forms import Asked, clean, read_asked
from spaces.search.queries import in_time

blueprint = page_blueprint("saved", __name__)
# The address in a mail: mail programs send to it by themselves, without our form's token (RFC 8058).
stops = page_blueprint("saved_stop", __name__)
stops.csrf_exempt = True  # type: ignore[attr-defined]

Page = str | tuple[str, int] | Response
NOTE_COOKIE = "tilaa_save_search"
SAVES_PER_HOUR = 60
GUESSES_PER_HOUR = 60


@blueprint.get("/my/searches")
@signed_in
def mine() -> str:
    """The person's own saved searches."""
    return my_page()


def my_page(*, wrong_id: int | None = None, typed: str = "", error: str = "") -> str:
    city, actor = current_city(), current_actor()
    with transaction() as session:
        found = own_searches(session, actor)
    return render_template(
        "spaces/saved/mine.html",
        rows=rows_of(found, city, at=now()),
        wrong_id=wrong_id,
        typed=typed,
        error=error,
        most=MOST_SAVED,
        longest=LONGEST_NAME,
        email=actor.email,
    )


@blueprint.post("/my/searches")
@public
def save() -> Page:
    """Save the question of the results page with one press. Who is not signed in does that first."""
    if not PlainForm().validate_on_submit():
        return redirect(url_for("search.results"), 303)
    asked, kept = asked_in(request.form)
    if not current_actor().is_signed_in:
        path = url_for("saved.new", **dict[str, Any](kept.params))
        response = make_response(redirect(url_for("identity.sign_in", next=path), 303))
        response.set_cookie(
            NOTE_COOKIE,
            note_of(path_key(kept)),
            max_age=3600,
            httponly=True,
            samesite="Lax",
            secure=request.is_secure,
        )
        return response
    return saved_page(asked, kept)


@blueprint.get("/my/searches/new")
@signed_in
def new() -> Page:
    """Where signing in leads back to: what this browser was about to save is saved, anything else is asked about."""
    asked, kept = asked_in(request.args)
    if notes(request.cookies.get(NOTE_COOKIE), path_key(kept)):
        response = make_response(saved_page(asked, kept))
        response.delete_cookie(NOTE_COOKIE, httponly=True, samesite="Lax", secure=request.is_secure)
        return response
    return render_template(
        "spaces/saved/new.html", kept=kept, asked=asked, results_url=address_of(kept.params)
    )


def asked_in(args: MultiDict[str, str]) -> tuple[Asked, Kept]:
    city = current_city()
    with transaction() as session:
        asked = read_asked(session, city, args, now=now())
    return asked, kept_of(asked, city)


def path_key(kept: Kept) -> str:
    """The question as a note names it. What is left of an evening that has begun changes while one signs in."""
    return repr({name: values for name, values in kept.params.items() if name != "when"})


def saved_page(asked: Asked, kept: Kept) -> Response:
    """Save, and go to the list; what is wrong leads back to the question with a sentence."""
    city, actor = current_city(), current_actor()
    limit(f"save-search:{city.id}:{actor.person_id}", times=SAVES_PER_HOUR, per=timedelta(hours=1))
    if not is_readable(asked):
        flash(gettext(NotUnderstood.title), "error")
        return redirect(asked.address(), 303)
    try:
        with in_time(), transaction() as session:
            saved, is_new = actions.save_search(
                session, city, kept, actor=actor, language=reader_language(), at=now()
            )
    except NothingAsked as refusal:
        flash(gettext(refusal.title), "error")
        return redirect(asked.address(), 303)
    except TooManySaved as refusal:
        flash(gettext(refusal.title), "error")
        return redirect(url_for("saved.mine"), 303)
    flash(gettext("The search is saved.") if is_new else gettext("This search is saved already."), "success")
    return redirect(url_for("saved.mine", _anchor=f"search-{saved.id}"), 303)


@blueprint.post("/my/searches/<int:search_id>/name")
@signed_in
def rename(search_id: int) -> Page:
    form = NameForm()
    if not form.validate_on_submit():
        return redirect(url_for("saved.mine"), 303)
    name = clean(form.name.data or "")
    try:
        with transaction() as session:
            saved = saved_for(session, current_actor(), search_id, lock=True)
            actions.rename_search(session, saved, actor=current_actor(), name=name)
    except Invalid as refusal:
        form.show(refusal)
        return my_page(wrong_id=search_id, typed=name, error=form.all_errors()[0][1]), 422
    return redirect(url_for("saved.mine", _anchor=f"search-{search_id}"), 303)


@blueprint.post("/my/searches/<int:search_id>/notices")
@signed_in
def switch(search_id: int) -> Page:
    """Be told by mail, or not."""
    form = NoticesForm()
    if form.validate_on_submit():
        with transaction() as session:
            saved = saved_for(session, current_actor(), search_id, lock=True)
            actions.switch_notices(
                session,
                current_city(),
                saved,
                actor=current_actor(),
                notify=form.notify.data == "1",
                at=now(),
            )
    return redirect(url_for("saved.mine", _anchor=f"search-{search_id}"), 303)


@blueprint.post("/my/searches/<int:search_id>/removal")
@signed_in
def remove(search_id: int) -> Page:
    if PlainForm().validate_on_submit():
        with transaction() as session:
            saved = saved_for(session, current_actor(), search_id, lock=True)
            actions.remove_search(session, saved, actor=current_actor())
        flash(gettext("The search has been removed."), "success")
    return redirect(url_for("saved.mine"), 303)


@stops.route("/searches/<token>/stop", methods=["GET", "POST"])
@public
def stop(token: str) -> Page:
    """No more mail of this one search. Opening the address does nothing yet: programs look at addresses in mails."""
    city, done = current_city(), False
    search_id = search_of_token(city.id, token)
    if search_id is None:
        limit(f"saved-search-guess:{client_ip()}", times=GUESSES_PER_HOUR, per=timedelta(hours=1))
        raise SearchNotFound
    with transaction() as session:
        saved = locked_search(session, city.id, search_id, wait=True)
        if saved is not None and request.method == "POST":
            person, _ = reader_of(session, saved)
            actor = actor_of_person(session, person, source="mail", ip=client_ip())
            actions.switch_notices(session, city, saved, actor=actor, notify=False, at=now())
        done = saved is None or not saved.notify
    return render_template(
        "spaces/saved/stop.html",
        done=done,
        name=saved.name if saved is not None else "",
        action=url_for("saved_stop.stop", token=token_of(city.id, search_id)),
    )
