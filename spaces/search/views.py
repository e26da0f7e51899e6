"""The front page and the results."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime

from flask import Response, current_app, render_template, request, url_for
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response as AnyResponse

from marketplace.cities.models import City
from marketplace.clock import now as present_time
from marketplace.db import transaction
from marketplace.part import port_of
from marketplace.web.access import public
from marketplace.web.i18n import N_, format_duration, format_number, gettext, ngettext
from marketplace.web.request import current_actor, current_city, page_blueprint
from spaces.catalog.present import capital
from spaces.districts.queries import named_districts
from spaces.search.dots import dots_json
from spaces.search.familiar import FAMILIAR, Familiar, NoneFamiliar
from spaces.search.forms import FIELDS, LENGTHS, Asked, read_asked
from spaces.search.front import EVENING, district_links, facts_of, purpose_words, quick_url
from spaces.search.present import SORT_TEXTS, groups_of, rows_of, tags_of
from spaces.search.queries import Answer, Facets, facets, in_time, search
from spaces.search.question import Question
from spaces.search.relax import free_count, relaxations, when_of
from spaces.search.times import When
from spaces.search.when_text import write_when

blueprint = page_blueprint("search", __name__)


@blueprint.get("/")
@public
def home() -> str:
    """The question, and what is free tonight."""
    city, actor, now = current_city(), current_actor(), present_time()
    with transaction() as session:
        asked = read_asked(session, city, request.args, now=now)
        facts = facts_of(session, city, now=now)
        evening = When(facts.evening, *EVENING)
        today = now.astimezone(city.zone).date()
        when = write_when(evening, today)
        return render_template(
            "spaces/search/home.html",
            page_id="home",
            asked=asked,
            purposes=purpose_words(),
            total=facts.total,
            quick=[(gettext(q.label), quick_url(q, evening, today)) for q in facts.quick],
            is_today=facts.evening == today,
            when=capital(when),
            districts=district_links(facts, when),
            counts={district_id: count for district_id, _, _, count in facts.districts},
            map_url=url_for("search.results", when=when, _anchor="map-panel"),
            panel_values={"session": session, "actor": actor},
            tiles=current_app.config["TILE_URL"],
        )


@blueprint.get("/spaces")
@public
def results() -> str:
    """The list and the map of what answers the question."""
    city, now = current_city(), present_time()
    with transaction() as session:
        asked = read_asked(session, city, request.args, now=now)
        answer, found = ask(session, city, asked, now=now)
        today = now.astimezone(city.zone).date()
        free = free_count(asked.question, answer)
        relaxed = relaxations(session, city, asked, answer, free, now=now)
        question = asked.question
        first = (question.page - 1) * answer.page_size + 1
        when = write_when(when_of(question, question.day), today) if question.day else ""
        kept = {name: asked.args[name] for name in FIELDS if asked.args.get(name)}
        known = {int(district_id) for district_id in found.counts["districts"]} | question.district_ids
        return render_template(
            "spaces/search/results.html",
            page_id="search",
            asked=asked,
            question=question,
            answer=answer,
            rows=rows_of(answer.hits, asked, city, first=first, now=now),
            first=first,
            groups=groups_of(found.counts, asked, city, named_districts(session, city.id, known)),
            tags=tags_of(asked, city),
            lengths=[("", gettext("Any length")), *((str(m), format_duration(m)) for m in LENGTHS)],
            sorts=sorts_of(question),
            map_data_url=asked.address_of("search.map_data", sort=None),
            space_url=url_for("catalog.space", space_id=0, **kept),
            title=title_of(asked, answer),
            heading=heading_of(asked, answer),
            summary=summary_of(answer, when, free),
            when=when,
            relaxed=relaxed,
            purposes=purpose_words(),
            next_url=asked.address(page=question.page + 1) if question.page < answer.pages else None,
            home_url_with_question=url_for("search.home", **kept),
            panel_values={"session": session, "actor": current_actor()},
            tiles=current_app.config["TILE_URL"],
        )


def ask(session: Session, city: City, asked: Asked, *, now: datetime) -> tuple[Answer, Facets]:
    """The answer and the filters' counts. A page behind the last one becomes the first, with a note."""
    actor = current_actor()
    used = familiar().used_spaces(session, city, actor, at=now)

    def answer_of(question: Question) -> Answer:
        return search(
            session,
            city,
            question,
            now=now,
            with_facets=True,
            organisation_id=actor.acting_for,
            used=used,
        )

    with in_time():
        answer = answer_of(asked.question)
        if not answer.hits and asked.question.page > 1:
            asked.notes.append(N_("There is no such page of results. Here is the first one."))
            asked.question = replace(asked.question, page=1)
            answer = answer_of(asked.question)
        return answer, facets_of(session, city, asked.question, answer)


def familiar() -> Familiar:
    """Who knows what has been used; the part that does says so."""
    nobody: Familiar = NoneFamiliar()
    return port_of(FAMILIAR, nobody)


@blueprint.get("/spaces/map")
@public
def map_data() -> AnyResponse:
    """Where all that answers the question lies, as JSON for the map. A browser may keep it, and asks each time."""
    city, now = current_city(), present_time()
    with transaction() as session, in_time():
        asked = read_asked(session, city, request.args, now=now)
        body = dots_json(session, city, asked.question, now=now)
    response = Response(body, mimetype="application/json")
    response.cache_control.no_cache = True
    response.add_etag()
    return response.make_conditional(request)


# The groups of filters in which one more tick finds more: their own choice must not count against them.
WIDENING: dict[str, Callable[[Question], Question | None]] = {
    "kinds": lambda q: replace(q, kinds=frozenset()) if q.kinds else None,
    "approval": lambda q: replace(q, approval=frozenset()) if q.approval else None,
    "owner_kinds": lambda q: replace(q, owner_kinds=frozenset()) if q.owner_kinds else None,
    "prices": lambda q: replace(q, max_price_minor=None) if q.max_price_minor is not None else None,
    "districts": lambda q: replace(q, district_ids=frozenset()) if q.district_ids else None,
}


def facets_of(session: Session, city: City, question: Question, answer: Answer) -> Facets:
    """Counts of what each filter would leave, one query more for each group in use."""
    found = answer.facets or Facets({})
    counts = dict(found.counts)
    for name, widened in WIDENING.items():
        wider = widened(question)
        if wider is not None:
            counts[name] = facets(session, city, wider).counts[name]
    return Facets(counts)


def sorts_of(question: Question) -> list[tuple[str, str]]:
    return [
        ("" if code == "best" else code, gettext(text))
        for code, text in SORT_TEXTS.items()
        if {"nearest": question.place, "soonest": question.day}.get(code, code) is not None
    ]


def heading_of(asked: Asked, answer: Answer) -> str:
    if answer.is_more:
        count = gettext("Over %(count)s spaces", count=format_number(answer.total))
    else:
        count = ngettext(
            "%(count)s space", "%(count)s spaces", answer.total, count=format_number(answer.total)
        )
    return f"{count}: {asked.fields['q']}" if asked.fields["q"] else str(count)


def title_of(asked: Asked, answer: Answer) -> str:
    """Different for every question: 38 spaces: choir, Kallio, Sat 28 Nov, 40 people."""
    details = [asked.fields[name] for name in ("where", "when", "people") if name not in asked.errors]
    parts = [heading_of(asked, answer), *(text for text in details if text)]
    if asked.question.page > 1:
        parts.append(gettext("page %(number)s", number=asked.question.page))
    return ", ".join(parts)


def summary_of(answer: Answer, when: str, free: int | None) -> str:
    """The sentence beside the number: how many are free when asked."""
    if not answer.total:
        return ""
    if free is None:
        return str(gettext("Each with its next free times. Say when, and you see what is free then."))
    if not free:
        return capital(gettext("%(when)s: none is free. Here are the next free times.", when=when))
    return capital(
        ngettext(
            "%(when)s: %(count)s is free.",
            "%(when)s: %(count)s are free.",
            free,
            when=when,
            count=format_number(free),
        )
    )
