"""The owner's page of a space's rules: who may book, how much and when, what is asked and accepted."""

from collections.abc import Sequence

from flask import flash, redirect, render_template, request, url_for
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from marketplace.clock import now
from marketplace.db import transaction
from marketplace.errors import FieldError, Invalid
from marketplace.web.access import signed_in
from marketplace.web.i18n import gettext
from marketplace.web.problems import field_message
from marketplace.web.request import current_actor, current_city, page_blueprint
from spaces.calendar.actions import compile_spaces
from spaces.calendar.queries import booking_rules
from spaces.catalog.desk import desk_pages
from spaces.catalog.models import Space, SpaceQuestion, Venue
from spaces.catalog.queries import space_managed_by
from spaces.rules import actions
from spaces.rules.forms import QuestionForm, RulesForm, question_forms, sent_questions
from spaces.rules.present import rule_texts
from spaces.rules.queries import rules_of
from spaces.rules.rules import MOST_QUESTIONS

blueprint = page_blueprint("rules", __name__)

Page = str | tuple[str, int] | Response
# Fields of a refusal that stand in a question's form under the name of its first language.
IN_FIRST_LANGUAGE = ("labels", "options")


@blueprint.route("/desk/spaces/<int:space_id>/rules", methods=["GET", "POST"])
@signed_in
def page(space_id: int) -> Page:
    """The rules as a form; with `do` it only shows what they would mean, or one more question."""
    with transaction() as session:
        space, venue = space_managed_by(session, current_actor(), space_id)
        form = RulesForm(space=space)
        more = rules_of(session, space)
        if not form.is_submitted():
            form.fill(space, more)
            return rules_page(session, space, venue, form, question_forms(more.questions))
        questions = sent_questions(request.form)
        do = request.form.get("do", "save")
        checks = [form.validate(), *(question.validate() for question in questions)]
        if do != "save":
            return rules_page(session, space, venue, form, renumbered(questions, do == "row"), loud=False)
        if not all(checks):
            return rules_page(session, space, venue, form, renumbered(questions), status=422)
    questions = renumbered(questions)
    try:
        with transaction() as session:
            space, venue = space_managed_by(session, current_actor(), space_id)
            terms = rules_of(session, space).terms
            asked = form.asked(space, terms, questions)
            changed = actions.change_rules(session, space, venue, asked, actor=current_actor())
            if "horizon_days" in changed:
                compile_spaces(session, current_city(), [space.id])
    except Invalid as refusal:
        show(form, questions, refusal)
        with transaction() as session:
            space, venue = space_managed_by(session, current_actor(), space_id)
            return rules_page(session, space, venue, form, questions, status=422)
    flash(gettext("Saved.") if changed else gettext("Nothing was different."), "success")
    return redirect(url_for("rules.page", space_id=space_id), 303)


def renumbered(forms: Sequence[QuestionForm], one_more: bool = False) -> list[QuestionForm]:
    """The same questions numbered in their order, with what was typed and what is wrong."""
    count = min(len(forms) + one_more, MOST_QUESTIONS)
    numbered = [QuestionForm(n, max(count, len(forms)), formdata=None) for n in range(1, len(forms) + 1)]
    for old, new in zip(forms, numbered, strict=True):
        for name, field in old._fields.items():
            if name != "place":
                new[name].data, new[name].raw_data = field.data, field.raw_data
                new[name].errors = field.errors
        new.place.data = new.number
    if one_more and len(forms) < MOST_QUESTIONS:
        numbered.append(QuestionForm(count, count, formdata=None))
    return numbered


def show(form: RulesForm, questions: Sequence[QuestionForm], refusal: Invalid) -> None:
    """Put each fault beside its field, also in the questions."""
    others: list[FieldError] = []
    for error in refusal.fields:
        _, _, rest = error.field.partition("question-")
        number, _, name = rest.partition("-")
        if number.isdigit() and 1 <= int(number) <= len(questions):
            field = questions[int(number) - 1][f"{name}_fi" if name in IN_FIRST_LANGUAGE else name]
            field.errors = [*field.errors, field_message(error)]
        else:
            others.append(error)
    form.show(Invalid(*others))


def rules_page(
    session: Session,
    space: Space,
    venue: Venue,
    form: RulesForm,
    questions: Sequence[QuestionForm],
    *,
    status: int = 200,
    loud: bool = True,
) -> Page:
    """The form with what it means in sentences. `loud` sums up what is wrong above it."""
    errors = [*form.all_errors(), *(error for one in questions for error in one.all_errors())]
    html = render_template(
        "spaces/rules/page.html",
        page_id="desk",
        space=space,
        venue=venue,
        desk_pages=desk_pages,
        form=form,
        questions=questions,
        can_ask_more=len(questions) < MOST_QUESTIONS,
        errors=errors if loud else [],
        sentences=[] if errors else meant(session, space, form, questions),
        today=now().astimezone(current_city().zone).date(),
        languages_of_city=current_city().languages,
    )
    return html, status


def meant(session: Session, space: Space, form: RulesForm, questions: Sequence[QuestionForm]) -> list[str]:
    """What the form says, in the words that bookers will read."""
    asked = form.asked(space, {}, [question for question in questions if not question.is_blank])
    imagined = Space(capacity=space.capacity, **asked.facts)
    shown = [SpaceQuestion(labels=dict(question.labels)) for question in asked.questions]
    return rule_texts(
        imagined,
        booking_rules(imagined),
        members=[name_in(line) for line in asked.members],
        trusted=[name_in(line) for line in asked.trusted],
        questions=shown,
        has_terms=any(asked.terms.values()),
    )


def name_in(line: str) -> str:
    """The organisation's name without the business id behind it."""
    return line.partition(" (")[0]
