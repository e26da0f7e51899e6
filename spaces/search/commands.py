"""The operator's commands of the search: ask it, make its vocabulary anew, and check that against the texts."""

import click
from flask import current_app
from flask.cli import AppGroup
from sqlalchemy import select
from tqdm import tqdm
from werkzeug.datastructures import MultiDict

from marketplace.cities.models import City
from marketplace.clock import now
from marketplace.db import transaction
from spaces.search.forms import read_asked
from spaces.search.queries import Hit, search
from spaces.search.question import SORTS
from spaces.search.vocabulary import count_missing, learn_batch, sweep_words, text_batches

search_group = AppGroup("search", help="Search, and the words that misspelt ones are put right with.")


def batches() -> list[tuple[int, str, int]]:
    """(city, table, first id) of all texts of all cities."""
    with transaction() as session:
        cities = session.scalars(select(City.id).order_by(City.id)).all()
        return [batch for city_id in cities for batch in text_batches(session, city_id)]


@search_group.command("find")
@click.argument("words", nargs=-1, required=True)
@click.option("--city", "slug", default=None, help="The city's short name; the only one when left out.")
@click.option("--sort", type=click.Choice(SORTS), default="best")
def find(words: tuple[str, ...], slug: str | None, sort: str) -> None:
    """Answer a sentence as the search page does: one line a space with its first free times."""
    at = now()
    with transaction() as session:
        cities = session.scalars(select(City).where(City.slug == slug) if slug else select(City)).all()
        if len(cities) != 1:
            raise click.BadParameter("Say which city.", param_hint="--city")
        (city,) = cities
        with current_app.test_request_context():
            asked = read_asked(session, city, MultiDict({"q": " ".join(words), "sort": sort}), now=at)
            for note in (*asked.remarks, *asked.notes, *asked.errors.values()):
                click.echo(note, err=True)
        answer = search(session, city, asked.question, now=at)
        for hit in answer.hits:
            click.echo(line_of(hit, city))
    more = "over " if answer.is_more else ""
    click.echo(f"{more}{answer.total} spaces, {answer.free} free", err=True)


def line_of(hit: Hit, city: City) -> str:
    """Id, name, metres and up to three free times, with tabs between."""
    names = hit.space.names
    times = [
        offer.span.start.astimezone(city.zone).isoformat(timespec="minutes")
        for offer in (hit.offers or hit.next_offers)[:3]
    ]
    metres = "" if hit.distance_m is None else f"{hit.distance_m:.0f}"
    name = names.get("fi") or next(iter(names.values()), "")
    return "\t".join([str(hit.space.id), name, metres, " ".join(times)])


@search_group.command("rebuild-words")
def rebuild_words() -> None:
    """Learn the words of every text, then forget those that no text has, and doubles."""
    learnt = 0
    for city_id, table, first in tqdm(batches(), unit="batch"):
        with transaction() as session:
            learnt += learn_batch(session, city_id, table, first)
    swept = 0
    with transaction() as session:
        cities = session.scalars(select(City.id).order_by(City.id)).all()
    for city_id in cities:
        with transaction() as session:
            swept += sweep_words(session, city_id)
    click.echo(f"{learnt} words learnt, {swept} forgotten.")


@search_group.command("verify-words")
def verify_words() -> None:
    """Look up every word of every text; exit with 1 when one is missing."""
    missing = 0
    for city_id, table, first in tqdm(batches(), unit="batch"):
        with transaction() as session:
            missing += count_missing(session, city_id, table, first)
    click.echo(f"{missing} words are missing." if missing else "Every word is known.")
    if missing:
        raise SystemExit(1)
