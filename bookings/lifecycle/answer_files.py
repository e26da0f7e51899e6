"""Files that bookers hand in as answers: into the store before the booking is made, out of it when it is not."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import datetime, timedelta
from itertools import islice
from secrets import token_hex

from sqlalchemy import select
from sqlalchemy.orm import Session

from bookings.lifecycle.answers import KeptFile, SentFile
from bookings.lifecycle.errors import AnswerNotFound
from bookings.lifecycle.forms import AskingForm
from bookings.lifecycle.models import BookingAnswer
from marketplace.clock import now
from marketplace.db import transaction
from marketplace.files.port import FileMissing, FilesAway, StoredFile, file_store

PREFIX = "answers/"
# Long enough for any request to end; what no booking names by then never will be.
ORPHAN_AFTER = timedelta(days=1)
BATCH = 500


@contextmanager
def kept_files(form: AskingForm) -> Iterator[None]:
    """The form's files are in the store inside the block, and stay there unless it fails. Raises FilesAway."""
    kept: dict[int, KeptFile] = {}
    try:
        for id_, sent in form.sent_files.items():
            kept[id_] = keep(sent)
        form.kept_files = kept
        yield
    except BaseException:
        for file in kept.values():
            with suppress(FilesAway):  # swept later
                file_store().delete(file.key)
        raise


def keep(sent: SentFile) -> KeptFile:
    key = f"{PREFIX}{token_hex(16)}"
    file_store().put(key, sent.data, sent.content_type)
    return KeptFile(key, sent.name, sent.content_type, sent.bytes)


def fetch(answer: BookingAnswer) -> StoredFile:
    """Raises AnswerNotFound, FilesAway."""
    try:
        return file_store().get(answer.file_key or "")
    except (FileMissing, ValueError):
        raise AnswerNotFound from None


def sweep_answer_files(at: datetime | None = None) -> None:
    """Delete the files of bookings that did not come about or are gone."""
    before = (at or now()) - ORPHAN_AFTER
    for keys in in_batches(file_store().keys(PREFIX, before=before)):
        with transaction() as session:
            named = keys_named(session, keys)
        for key in keys:
            if key not in named:
                file_store().delete(key)


def in_batches(keys: Iterator[str]) -> Iterator[list[str]]:
    while batch := list(islice(keys, BATCH)):
        yield batch


def keys_named(session: Session, keys: list[str]) -> set[str]:
    """Those of the keys that some booking's answer names, in any city."""
    return {
        key
        for key in session.scalars(select(BookingAnswer.file_key).where(BookingAnswer.file_key.in_(keys)))
        if key is not None
    }
