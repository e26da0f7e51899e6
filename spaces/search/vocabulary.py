"""Keeping the vocabulary (`SearchWord`) whole and small. Triggers add words as texts are written; this makes it anew."""

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from marketplace.cities.models import City
from marketplace.db import transaction
from spaces.catalog.models import Space, Venue

# Texts looked at in one transaction.
BATCH = 1000
TABLES: dict[str, type[Space] | type[Venue]] = {"space": Space, "venue": Venue}
WORDS = {
    "space": "SELECT words_of(t.names) UNION SELECT words_of(t.descriptions)",
    "venue": "SELECT words_of(t.names)",
}


def missing_sql(table: str) -> str:
    """The words of a batch of texts that the vocabulary does not have."""
    return f"""
        SELECT DISTINCT w.word
        FROM (SELECT * FROM {table} WHERE city_id = :city_id AND id >= :first ORDER BY id LIMIT {BATCH}) t,
             LATERAL ({WORDS[table]}) w(word)
        WHERE NOT EXISTS (SELECT FROM search_word known WHERE known.city_id = :city_id AND known.word = w.word)
    """


def text_batches(session: Session, city_id: int) -> list[tuple[int, str, int]]:
    """(city, table, first id) of each batch."""
    found = []
    for table, model in TABLES.items():
        ids = session.scalars(select(model.id).where(model.city_id == city_id).order_by(model.id)).all()
        found += [(city_id, table, first) for first in ids[::BATCH]]
    return found


def count_missing(session: Session, city_id: int, table: str, first: int) -> int:
    """How many words of this batch are not known."""
    values = {"city_id": city_id, "first": first}
    return session.scalar(text(f"SELECT count(*) FROM ({missing_sql(table)}) missing"), values) or 0


def learn_batch(session: Session, city_id: int, table: str, first: int) -> int:
    """Add the missing words of this batch; how many there were."""
    result = session.execute(
        text(f"""
            INSERT INTO search_word (city_id, word, grams)
            SELECT :city_id, word, word_grams(word) FROM ({missing_sql(table)}) missing RETURNING 1
        """),
        {"city_id": city_id, "first": first},
    )
    return len(result.all())


def sweep_words(session: Session, city_id: int) -> int:
    """Forget words that no text has any more, and all but one of doubles; how many rows.

    Texts cannot change meanwhile: a writer that found its word known would else have it taken away.
    """
    session.execute(text("LOCK TABLE venue, space IN SHARE MODE"))
    texts = " UNION ".join(
        f"SELECT w.word FROM {table} t, LATERAL ({words}) w(word) WHERE t.city_id = :city_id"
        for table, words in WORDS.items()
    )
    # Anti joins, which stay as quick as the texts are many.
    swept = session.execute(
        text(f"""
            WITH known AS MATERIALIZED ({texts}),
            numbered AS (
                SELECT id, word, row_number() OVER (PARTITION BY word ORDER BY id) AS number
                FROM search_word WHERE city_id = :city_id
            )
            DELETE FROM search_word USING numbered
            WHERE search_word.city_id = :city_id AND search_word.id = numbered.id
              AND (numbered.number > 1 OR NOT EXISTS (SELECT FROM known WHERE known.word = numbered.word))
            RETURNING 1
        """),
        {"city_id": city_id},
    ).all()
    return len(swept)


def sweep() -> None:
    """The weekly job: each city's vocabulary without what its texts no longer say."""
    with transaction() as session:
        cities = session.scalars(select(City.id)).all()
    for city_id in cities:
        with transaction() as session:
            sweep_words(session, city_id)
