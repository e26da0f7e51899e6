"""Pages of organisations: mine, a new one, one with its members; invitations and their answers."""

from datetime import timedelta
from typing import Any

from flask import flash, redirect, render_template, request, url_for
from flask_babel import gettext
from werkzeug.wrappers import Response

from marketplace.accounts import actions, queries
from marketplace.accounts.errors import InvitationGone, LastManager, MemberGone
from marketplace.accounts.forms import (
    KIND_LABELS,
    ROLE_LABELS,
    InvitationForm,
    OrganisationForm,
    RoleForm,
    typed,
)
from marketplace.clock import now
from marketplace.db import transaction
from marketplace.errors import Invalid, NotFound, Refusal
from marketplace.web.access import signed_in
from marketplace.web.limits import limit
from marketplace.web.request import current_actor, page_blueprint

organisations = page_blueprint("organisations", __name__)

Page = str | tuple[str, int] | Response


@organisations.get("/organisations")
@signed_in
def mine() -> str:
    actor = current_actor()
    with transaction() as session:
        memberships = queries.memberships_of(session, actor)
        invitations = queries.invitations_to(session, actor, now())
    return render_template(
        "marketplace/accounts/organisations.html",
        page_id="organisations",
        memberships=memberships,
        invitations=invitations,
        kind_labels=KIND_LABELS,
        role_labels=ROLE_LABELS,
    )


@organisations.route("/organisations/new", methods=["GET", "POST"])
@signed_in
def new() -> Page:
    actor = current_actor()
    form = OrganisationForm(is_staff=actor.is_staff)
    status = 200
    if form.is_submitted():
        status = 422
        if form.validate():
            try:
                with transaction() as session:
                    made = actions.create_organisation(
                        session,
                        actor=actor,
                        kind=form.kind.data,
                        name=typed(form.name),
                        business_id=typed(form.business_id),
                        at=now(),
                    )
            except Invalid as refusal:
                form.show(refusal)
            else:
                flash(gettext("%(name)s is here, and you are its manager.", name=made.name), "success")
                return redirect(url_for("organisations.one", organisation_id=made.id), 303)
    return render_template(
        "marketplace/accounts/organisation_new.html", page_id="organisations", form=form
    ), status


@organisations.get("/organisations/<int:organisation_id>")
@signed_in
def one(organisation_id: int) -> Page:
    return organisation_page(organisation_id, InvitationForm())


def organisation_page(organisation_id: int, form: InvitationForm, status: int = 200) -> Page:
    """One organisation; managers also see its members and its open invitations."""
    actor = current_actor()
    members: list[Any] = []
    invitations: Any = []
    with transaction() as session:
        organisation = queries.organisation_for(session, organisation_id, actor=actor)
        manages = actor.manages(organisation.id)
        if manages:
            members = queries.members_of(session, organisation)
            invitations = queries.open_invitations(session, organisation, now())
        count = queries.member_count(session, organisation)
    return render_template(
        "marketplace/accounts/organisation.html",
        page_id="organisations",
        organisation=organisation,
        role=actor.roles[organisation.id],
        manages=manages,
        members=members,
        count=count,
        invitations=invitations,
        form=form,
        kind_labels=KIND_LABELS,
        role_labels=ROLE_LABELS,
    ), status


@organisations.route("/organisations/<int:organisation_id>/invitations", methods=["GET", "POST"])
@signed_in
def invite(organisation_id: int) -> Page:
    if request.method == "GET":  # a reload after a refused form, or a change of language on it
        return redirect(url_for("organisations.one", organisation_id=organisation_id))
    actor = current_actor()
    form = InvitationForm()
    if not form.validate():
        return organisation_page(organisation_id, form, 422)
    limit(f"invitation:by:{actor.city_id}:{actor.person_id}", times=50, per=timedelta(days=1))
    try:
        with transaction() as session:
            queries.organisation_for(session, organisation_id, actor=actor)
            actions.invite(
                session,
                organisation_id,
                actor=actor,
                email=typed(form.email),
                role=form.role.data,
                submission=typed(form.submission),
                at=now(),
            )
    except Invalid as refusal:
        form.show(refusal)
        return organisation_page(organisation_id, form, 422)
    flash(gettext("The invitation is on its way to %(email)s.", email=typed(form.email)), "success")
    return back_to(organisation_id)


def back_to(organisation_id: int) -> Response:
    return redirect(url_for("organisations.one", organisation_id=organisation_id), 303)


@organisations.post("/organisations/<int:organisation_id>/invitations/<int:invitation_id>/withdrawal")
@signed_in
def withdraw(organisation_id: int, invitation_id: int) -> Response:
    actor = current_actor()
    try:
        with transaction() as session:
            queries.organisation_for(session, organisation_id, actor=actor)
            actions.withdraw_invitation(session, organisation_id, invitation_id, actor=actor)
    except InvitationGone as refusal:
        flash(gettext(refusal.title), "alert")
    else:
        flash(gettext("The invitation was taken back."), "success")
    return back_to(organisation_id)


@organisations.post("/organisations/<int:organisation_id>/members/<int:person_id>/role")
@signed_in
def change_role(organisation_id: int, person_id: int) -> Response:
    actor = current_actor()
    form = RoleForm()
    if not form.validate():
        raise NotFound
    try:
        with transaction() as session:
            queries.organisation_for(session, organisation_id, actor=actor)
            actions.change_role(session, organisation_id, person_id, role=form.role.data, actor=actor)
    except (LastManager, MemberGone) as refusal:
        flash(gettext(refusal.title), "error")
    else:
        flash(gettext("The role was changed."), "success")
    return back_to(organisation_id)


@organisations.post("/organisations/<int:organisation_id>/members/<int:person_id>/removal")
@signed_in
def remove(organisation_id: int, person_id: int) -> Response:
    actor = current_actor()
    try:
        with transaction() as session:
            queries.organisation_for(session, organisation_id, actor=actor)
            actions.remove_member(session, organisation_id, person_id, actor=actor)
    except (LastManager, MemberGone) as refusal:
        flash(gettext(refusal.title), "error")
    else:
        flash(gettext("The member was removed."), "success")
    return back_to(organisation_id)


@organisations.post("/organisations/<int:organisation_id>/departure")
@signed_in
def leave(organisation_id: int) -> Response:
    actor = current_actor()
    try:
        with transaction() as session:
            name = queries.organisation_for(session, organisation_id, actor=actor).name
            actions.remove_member(session, organisation_id, actor.person_id or 0, actor=actor)
    except LastManager as refusal:
        flash(gettext(refusal.title), "error")
        return back_to(organisation_id)
    except (NotFound, MemberGone):  # pressed twice: the first press has done it
        return redirect(url_for("organisations.mine"), 303)
    flash(gettext("You left %(name)s.", name=name), "success")
    return redirect(url_for("organisations.mine"), 303)


@organisations.post("/invitations/<int:invitation_id>/acceptance")
@signed_in
def accept(invitation_id: int) -> Response:
    actor = current_actor()
    try:
        with transaction() as session:
            joined = actions.accept_invitation(session, invitation_id, actor=actor, at=now())
    except InvitationGone as refusal:
        return gone(refusal)
    flash(gettext("You belong to %(name)s now.", name=joined.name), "success")
    return redirect(url_for("organisations.mine"), 303)


@organisations.post("/invitations/<int:invitation_id>/refusal")
@signed_in
def decline(invitation_id: int) -> Response:
    actor = current_actor()
    try:
        with transaction() as session:
            actions.decline_invitation(session, invitation_id, actor=actor, at=now())
    except InvitationGone as refusal:
        return gone(refusal)
    flash(gettext("You declined the invitation."), "success")
    return redirect(url_for("organisations.mine"), 303)


def gone(refusal: Refusal) -> Response:
    flash(gettext(refusal.title), "alert")
    return redirect(url_for("organisations.mine"), 303)
