"""The vocabulary of a city's texts, from which misspelt words are put right."""

from sqlalchemy import Index
from sqlalchemy.dialects.postgresql import ARRAY, TEXT
from sqlalchemy.orm import Mapped, mapped_column

from marketplace.db import Base, CityRow


class SearchWord(CityRow, Base):
    """A word of the names and descriptions of spaces or the names of venues, in small letters.

    Added by triggers in the transaction that writes the text (migration 0017), so it is never behind. A word may be
    kept twice, and after its last text is gone, without harm.
    """

    __tablename__ = "search_word"
    __table_args__ = (
        Index(None, "city_id", "word"),
        Index("ix_search_word_grams", "grams", postgresql_using="gin"),
    )

    word: Mapped[str]
    grams: Mapped[list[str]] = mapped_column(ARRAY(TEXT))  # `word_grams(word)`
