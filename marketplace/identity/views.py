"""Signing in and out, opening an account, and the links that come by mail."""

from flask import (
    Blueprint,
    flash,
    make_response,
    redirect,
    render_template,
    request,
    url_for,
)
from flask import (
    session as form_session,
)
from flask_babel import gettext
from werkzeug.wrappers import Response

from marketplace.accounts.forms import typed
from marketplace.accounts.models import Person
from marketplace.accounts.queries import person_of_email
from marketplace.accounts.views import organisations
from marketplace.clock import now
from marketplace.db import transaction
from marketplace.errors import Refusal, TooMany, Unauthenticated
from marketplace.identity import actions, passwords, queries
from marketplace.identity.browser import (
    asked_path,
    home_path,
    signed_in_browser,
    signed_out_browser,
    this_browser,
)
from marketplace.identity.counter_views import counter_pages
from marketplace.identity.errors import AddressTaken, LinkNotUsable, WrongCredentials
from marketplace.identity.forms import LinkForm, NewPasswordForm, PlainForm, RegisterForm, SignInForm
from marketplace.identity.limits import count_attempt, waiting_text
from marketplace.identity.models import MailLink
from marketplace.identity.number_views import number_pages
from marketplace.identity.profile_views import profile_pages
from marketplace.identity.queries import COOKIE
from marketplace.identity.rules import own_path
from marketplace.web.access import public, signed_in
from marketplace.web.forms import Form
from marketplace.web.i18n import reader_language
from marketplace.web.request import current_actor, current_city, page_blueprint

identity = page_blueprint("identity", __name__)
profile_pages(identity)
counter_pages(identity)
number_pages(identity)
blueprints: list[Blueprint] = [identity, organisations]

Page = str | tuple[str, int] | Response


def too_many(form: Form, refusal: TooMany, template: str, **context: object) -> Response:
    """The same form with what was typed and how long to wait."""
    form.form_errors = [*form.form_errors, waiting_text(refusal)]
    response = make_response(render_template(template, form=form, **context), 429)
    response.headers["Retry-After"] = str(refusal.retry_after)
    return response


@identity.route("/sign-in", methods=["GET", "POST"])
@public
def sign_in() -> Page:
    next_path = asked_path()
    if request.method == "GET" and current_actor().is_signed_in:
        return redirect(next_path or home_path())
    form = SignInForm()
    page = "marketplace/identity/sign_in.html"
    if not form.is_submitted():
        return render_template(page, form=form, link_form=LinkForm(prefix="link-"), next_path=next_path)
    if form.validate():
        try:
            count_attempt("password", typed(form.email))
            person, token = signed_in_by_password(typed(form.email), typed(form.password))
            return signed_in_browser(token, language=person.language, go_to=next_path)
        except WrongCredentials as refusal:
            form.show(refusal)
        except TooMany as refusal:
            return too_many(form, refusal, page, link_form=empty_link_form(), next_path=next_path)
    return render_template(page, form=form, link_form=empty_link_form(), next_path=next_path), 422


def empty_link_form() -> LinkForm:
    return LinkForm(formdata=None, prefix="link-")


def signed_in_by_password(email: str, password: str) -> tuple[Person, str]:
    """Check the password, which takes its time outside any transaction, then begin a session.

    Raises WrongCredentials, after the same time, for an unknown address.
    """
    with transaction() as session:
        person = person_of_email(session, current_city().id, email)
    stored = person.password_hash if person else None
    if not passwords.matches(stored, password) or person is None or stored is None:
        raise WrongCredentials
    try:
        with transaction() as session:
            token = actions.sign_in_with_password(
                session,
                person.city_id,
                person.id,
                checked_hash=stored,
                renewed_hash=passwords.renewed(stored, password),
                browser=this_browser(),
                at=now(),
            )
    except Unauthenticated as error:
        raise WrongCredentials from error
    return person, token


@identity.route("/sign-in-link", methods=["GET", "POST"])
@public
def send_sign_in_link() -> Page:
    if request.method == "GET":
        return redirect(url_for("identity.sign_in", next=asked_path()))
    form = LinkForm(prefix="link-")
    page = "marketplace/identity/sign_in.html"
    context = {"link_form": form, "next_path": asked_path()}
    if not form.validate():
        return render_template(page, form=SignInForm(formdata=None), **context), 422
    try:
        count_attempt("link", typed(form.email))
    except TooMany as refusal:
        form.form_errors = [waiting_text(refusal)]
        response = make_response(render_template(page, form=SignInForm(formdata=None), **context), 429)
        response.headers["Retry-After"] = str(refusal.retry_after)
        return response
    return asked_for_link("sign_in", form, next_path=asked_path())


def asked_for_link(purpose: str, form: LinkForm, *, next_path: str | None = None) -> Response:
    with transaction() as session:
        actions.ask_for_link(
            session,
            actor=current_actor(),
            email=typed(form.email),
            purpose=purpose,
            submission=typed(form.submission),
            next_path=next_path,
        )
    form_session["sent_to"] = form.email.data
    return redirect(url_for("identity.check_mail", purpose=purpose), 303)


@identity.get("/check-mail/<any(sign_in,reset,verify):purpose>")
@public
def check_mail(purpose: str) -> str:
    return render_template(
        "marketplace/identity/check_mail.html", purpose=purpose, sent_to=form_session.get("sent_to")
    )


@identity.route("/register", methods=["GET", "POST"])
@public
def register() -> Page:
    next_path = asked_path()
    if request.method == "GET" and current_actor().is_signed_in:
        return redirect(next_path or home_path())
    form = RegisterForm()
    page = "marketplace/identity/register.html"
    if not form.is_submitted():
        return render_template(page, form=form, next_path=next_path)
    valid = form.validate()
    if form.password.data and not form.password.errors:
        valid &= form.accepts(name=typed(form.name), email=typed(form.email))
    if not valid:
        return render_template(page, form=form, next_path=next_path), 422
    try:
        count_attempt("register", typed(form.email))
    except TooMany as refusal:
        return too_many(form, refusal, page, next_path=next_path)
    # Hashed whether or not the address is known: the answer takes as long either way.
    password_hash = passwords.hash_password(typed(form.password))
    with transaction() as session:
        actions.register_person(
            session,
            actor=current_actor(),
            name=typed(form.name),
            email=typed(form.email),
            password_hash=password_hash,
            language=reader_language(),
            submission=typed(form.submission),
            next_path=next_path,
        )
    form_session["sent_to"] = form.email.data
    return redirect(url_for("identity.check_mail", purpose="verify"), 303)


@identity.route("/forgotten-password", methods=["GET", "POST"])
@public
def forgotten_password() -> Page:
    form = LinkForm()
    page = "marketplace/identity/forgotten_password.html"
    if not form.is_submitted():
        return render_template(page, form=form)
    if not form.validate():
        return render_template(page, form=form), 422
    try:
        count_attempt("link", typed(form.email))
    except TooMany as refusal:
        return too_many(form, refusal, page)
    return asked_for_link("reset", form)


@identity.post("/verification-mail")
@signed_in
def send_verification() -> Response:
    """Send the link that confirms the address once more."""
    actor = current_actor()
    form = PlainForm()
    try:
        count_attempt("link", actor.email)
    except TooMany as refusal:
        flash(waiting_text(refusal), "error")
    else:
        with transaction() as session:
            actions.ask_for_link(
                session,
                actor=actor,
                email=actor.email,
                purpose="verify",
                submission=typed(form.submission),
                next_path=own_path(request.referrer, host=request.host),
            )
        flash(gettext("We sent the link to %(email)s. It works for 24 hours.", email=actor.email), "success")
    return redirect(own_path(request.referrer, host=request.host) or url_for("identity.profile"), 303)


@identity.route("/mail-link", methods=["GET", "POST"])
@public
def mail_link() -> Response:
    """What a link in a mail opens. Looking changes nothing, since mail scanners look first; the button uses it up."""
    token = request.args.get("token", "")[:200]
    try:
        count_attempt("mail-link")
        with transaction() as session:
            link, person = queries.link_of_token(session, current_city().id, token, at=now())
        if link.purpose == "change" and not current_actor().is_signed_in:
            raise Unauthenticated
        answer = use_mail_link(link, person, token) if request.method == "POST" else None
        response = make_response(answer or link_page(link, person, token, NewPasswordForm(formdata=None)))
    except (LinkNotUsable, AddressTaken) as refusal:
        response = make_response(dead_link_page(refusal), 410)
    # The address holds a secret: it goes to no other site and stays in no cache.
    response.headers["Referrer-Policy"] = "same-origin"
    response.headers["Cache-Control"] = "no-store"
    return response


def link_page(link: MailLink, person: Person, token: str, form: NewPasswordForm) -> str:
    if link.purpose == "change" and person.id != current_actor().person_id:
        raise LinkNotUsable
    return render_template(
        f"marketplace/identity/link_{link.purpose}.html", form=form, token=token, email=link.email
    )


def dead_link_page(refusal: Refusal) -> str:
    return render_template("marketplace/identity/link_gone.html", title=gettext(refusal.title))


def use_mail_link(link: MailLink, person: Person, token: str) -> Response | tuple[str, int]:
    """Use the link up for what it was made for."""
    actor, browser, at = current_actor(), this_browser(), now()
    if link.purpose == "change":
        with transaction() as session:
            actions.change_address(session, token, actor=actor, at=at)
        flash(gettext("Your e-mail address is now %(email)s.", email=link.email), "success")
        return redirect(url_for("identity.profile"), 303)
    go_to = own_path(link.next_path, host=request.host)
    if link.purpose == "reset":
        form = NewPasswordForm()
        if not form.validate() or not form.accepts(name=person.name, email=person.email):
            return link_page(link, person, token, form), 422
        password_hash = passwords.hash_password(typed(form.password))
        with transaction() as session:
            new = actions.reset_password(
                session, token, password_hash=password_hash, actor=actor, browser=browser, at=at
            )
        response = signed_in_browser(new, language=person.language, go_to=go_to)
        flash(gettext("Your password was changed, and your other browsers were signed out."), "success")
        return response
    if link.purpose == "verify":
        with transaction() as session:
            new = actions.verify_by_link(session, token, actor=actor, browser=browser, at=at)
        response = signed_in_browser(new, language=person.language, go_to=go_to)
        flash(gettext("Your address is confirmed and you are signed in. Now you can book."), "success")
        return response
    with transaction() as session:
        new, dropped = actions.sign_in_by_link(session, token, actor=actor, browser=browser, at=at)
    response = signed_in_browser(new, language=person.language, go_to=go_to)
    if dropped:
        flash(
            gettext(
                "Your address is confirmed. The password chosen before that was removed to be safe;"
                " you can set a new one on your profile."
            ),
            "info",
        )
    return response


@identity.post("/sign-out")
@public
def sign_out() -> Response:
    """End this browser's session; pressing it signed out already does no harm."""
    if token := request.cookies.get(COOKIE):
        with transaction() as session:
            actions.sign_out(session, token, actor=current_actor(), at=now())
    response = signed_out_browser()
    flash(gettext("You are signed out."), "success")
    return response


@identity.post("/act-as")
@signed_in
def act_as() -> Response:
    """Act as oneself (an empty `organisation`) or as one of one's organisations."""
    chosen = request.form.get("organisation", "")
    organisation_id = int(chosen) if chosen.isascii() and chosen.isdigit() and len(chosen) < 19 else None
    if chosen and organisation_id is None:
        organisation_id = 0  # no organisation has it, so the policy refuses
    with transaction() as session:
        actions.act_as(session, request.cookies.get(COOKIE, ""), organisation_id, actor=current_actor())
    return redirect(own_path(request.referrer, host=request.host) or url_for("identity.profile"), 303)
