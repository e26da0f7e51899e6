"""Find words by their parts and with letters wrong: the endings of compounds beside the texts, and the city's vocabulary."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None

# The stems of long words turned round, with a letter for the language before each: a word is then found by its end as
# the beginning of a lexeme. "juhlasalissa" is flasalhuj, and "sali" asks for flas:*. Finnish words stand there as they
# are written too, since the stemmer takes "rantasauna" for an essive.
WORD_ENDS = """
    CREATE FUNCTION word_ends(names jsonb, more jsonb) RETURNS tsvector
    LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
        SELECT array_to_tsvector(coalesce(array_agg(DISTINCT mark || reverse(lexeme)), '{}'))
        FROM (
            SELECT 'f' AS mark, unnest(tsvector_to_array(to_tsvector('pg_catalog.finnish',
                coalesce(names->>'fi', '') || ' ' || coalesce(more->>'fi', '')))) AS lexeme
            UNION ALL
            SELECT 'f', unnest(tsvector_to_array(to_tsvector('pg_catalog.simple',
                coalesce(names->>'fi', '') || ' ' || coalesce(more->>'fi', ''))))
            UNION ALL
            SELECT 's', unnest(tsvector_to_array(to_tsvector('pg_catalog.swedish',
                coalesce(names->>'sv', '') || ' ' || coalesce(more->>'sv', ''))))
            UNION ALL
            SELECT 'e', unnest(tsvector_to_array(to_tsvector('pg_catalog.english',
                coalesce(names->>'en', '') || ' ' || coalesce(more->>'en', ''))))
        ) words
        WHERE length(lexeme) BETWEEN 6 AND 60
    $$
"""
# A word of letters only, at least four, as the end of a longer one. Finnish drops a last a, e or i of a long word's stem.
ENDING_IN = """
    CREATE FUNCTION ending_in(word text) RETURNS tsquery
    LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
        SELECT CASE WHEN word ~ '^[[:alpha:]]{4,40}$' THEN to_tsquery('pg_catalog.simple', (
            SELECT string_agg(mark || reverse(part) || ':*', '|') FROM (
                SELECT 'f' AS mark, word AS part
                UNION SELECT 'f', unnest(ts_lexize('pg_catalog.finnish_stem', word))
                UNION SELECT 'f', regexp_replace(word, '[aäei]$', '')
                UNION SELECT 's', word
                UNION SELECT 's', unnest(ts_lexize('pg_catalog.swedish_stem', word))
                UNION SELECT 'e', unnest(ts_lexize('pg_catalog.english_stem', word))
            ) parts WHERE length(part) >= 3
        )) ELSE ''::tsquery END
    $$
"""
# The same word as the beginning of a longer one: anywhere if it is long, in names only if it is short.
BEGINNING_WITH = """
    CREATE FUNCTION beginning_with(word text) RETURNS tsquery
    LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
        SELECT CASE WHEN word ~ '^[[:alpha:]]{4,40}$' THEN to_tsquery('pg_catalog.simple', (
            SELECT string_agg(part || CASE WHEN length(word) >= 6 THEN ':*' ELSE ':*A' END, '|') FROM (
                SELECT word AS part
                UNION SELECT unnest(ts_lexize('pg_catalog.finnish_stem', word))
            ) parts WHERE length(part) >= 4
        )) ELSE ''::tsquery END
    $$
"""
# Groups of three letters of a word, its beginning and end marked; without the dots and rings that many leave out.
WORD_GRAMS = """
    CREATE FUNCTION word_grams(word text) RETURNS text[]
    LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
        SELECT array_agg(DISTINCT substr(padded, at, 3))
        FROM (SELECT '  ' || translate(word, 'åäáàâãéèêëíìîïöóòôõøüúùûýçñšž', 'aaaaaaeeeeiiiioooooouuuuycnsz') || ' ' AS padded) p,
             generate_series(1, length(padded) - 2) at
    $$
"""
# The words of texts that are worth suggesting.
WORDS_OF = """
    CREATE FUNCTION words_of(texts jsonb) RETURNS SETOF text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
        SELECT DISTINCT word
        FROM jsonb_each_text(texts) t(language, value), regexp_split_to_table(lower(value), '[^[:alpha:]]+') word
        WHERE length(word) BETWEEN 4 AND 40
    $$
"""
# Words are added by the transaction that writes the text, and never wait for another one: two that add the same word at
# once both keep it. Words that no text has any more stay until they are swept (`flask search rebuild-words`); a
# suggestion is only made when a search for it finds something.
LEARN = """
    CREATE FUNCTION learn_words_{event}_{table}() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        INSERT INTO search_word (city_id, word, grams)
        SELECT fresh.city_id, fresh.word, word_grams(fresh.word)
        FROM (
            SELECT DISTINCT c.city_id, t.word FROM changed c, LATERAL ({words}) t(word)
            WHERE {unlike}
        ) fresh
        WHERE NOT EXISTS (
            SELECT FROM search_word known WHERE known.city_id = fresh.city_id AND known.word = fresh.word
        );
        RETURN NULL;
    END
    $$
"""
TRIGGER = """
    CREATE TRIGGER learn_words_{event} AFTER {event} ON {table} REFERENCING {tables}
    FOR EACH STATEMENT EXECUTE FUNCTION learn_words_{event}_{table}()
"""
TEXTS = {"space": ("names", "descriptions"), "venue": ("names",)}


def learn(table: str, event: str) -> None:
    """Triggers, by statement, so that an import learns the words of all its rows at once."""
    columns = TEXTS[table]
    same = " AND ".join(f"f.{column} = c.{column}" for column in ("city_id", "id", *columns))
    op.execute(
        LEARN.format(
            table=table,
            event=event,
            words=" UNION ".join(f"SELECT words_of(c.{column})" for column in columns),
            unlike=f"NOT EXISTS (SELECT FROM former f WHERE {same})" if event == "update" else "true",
        )
    )
    tables = "NEW TABLE AS changed" + (" OLD TABLE AS former" if event == "update" else "")
    op.execute(TRIGGER.format(table=table, event=event, tables=tables))


def upgrade() -> None:
    for statement in (WORD_ENDS, ENDING_IN, BEGINNING_WITH, WORD_GRAMS, WORDS_OF):
        op.execute(statement)
    op.add_column(
        "space",
        sa.Column(
            "ends",
            postgresql.TSVECTOR(),
            sa.Computed("word_ends(names, descriptions)", persisted=True),
            nullable=False,
        ),
    )
    op.create_index("ix_space_ends", "space", ["ends"], postgresql_using="gin")
    op.add_column(
        "venue",
        sa.Column(
            "ends",
            postgresql.TSVECTOR(),
            sa.Computed("word_ends(names, streets)", persisted=True),
            nullable=False,
        ),
    )
    op.create_index("ix_venue_ends", "venue", ["ends"], postgresql_using="gin")
    op.create_table(
        "search_word",
        sa.Column("city_id", sa.BigInteger(), nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("word", sa.String(), nullable=False),
        sa.Column("grams", postgresql.ARRAY(sa.TEXT()), nullable=False),
        sa.ForeignKeyConstraint(["city_id"], ["city.id"], name=op.f("fk_search_word_city_id")),
        sa.PrimaryKeyConstraint("city_id", "id", name=op.f("pk_search_word")),
    )
    op.create_index(op.f("ix_search_word_city_id_word"), "search_word", ["city_id", "word"])
    op.create_index("ix_search_word_grams", "search_word", ["grams"], postgresql_using="gin")
    for table, columns in TEXTS.items():
        learn(table, "insert")
        learn(table, "update")
        op.execute(f"""
            INSERT INTO search_word (city_id, word, grams)
            SELECT city_id, word, word_grams(word) FROM (
                SELECT DISTINCT c.city_id, t.word
                FROM {table} c, LATERAL ({" UNION ".join(f"SELECT words_of(c.{column})" for column in columns)}) t(word)
                WHERE NOT EXISTS (
                    SELECT FROM search_word known WHERE known.city_id = c.city_id AND known.word = t.word
                )
            ) fresh
        """)


def downgrade() -> None:
    for table in TEXTS:
        for event in ("insert", "update"):
            op.execute(f"DROP TRIGGER learn_words_{event} ON {table}")
            op.execute(f"DROP FUNCTION learn_words_{event}_{table}()")
    op.drop_table("search_word")
    for table in ("venue", "space"):
        op.drop_index(f"ix_{table}_ends", table_name=table)
        op.drop_column(table, "ends")
    for function in (
        "words_of(jsonb)",
        "word_grams(text)",
        "beginning_with(text)",
        "ending_in(text)",
        "word_ends(jsonb, jsonb)",
    ):
        op.execute(f"DROP FUNCTION {function}")
