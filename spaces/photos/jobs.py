"""Files of photos that nobody shows any more. The store is asked outside of any transaction."""

from datetime import datetime, timedelta
from itertools import islice

from marketplace.clock import now
from marketplace.db import transaction
from marketplace.files.port import file_store
from marketplace.jobs.queue import RETRY, queue
from marketplace.jobs.runner import application
from spaces.photos.queries import kept_keys
from spaces.photos.rules import PREFIX, files_of, key_of_file

QUEUE = "files"
BATCH = 500
# Files are written before the row that names them; nobody takes a day for that.
ORPHAN_AGE = timedelta(days=1)


@queue.task(name="forget-photo-files", queue=QUEUE, retry=RETRY, pass_context=False)
def forget_files(photo_key: str) -> None:
    """Delete the files of a photo that was removed, unless a copy of its space shows it. Safe to run twice."""
    with application():
        with transaction() as session:
            if kept_keys(session, [photo_key]):
                return
        store = file_store()
        for key in files_of(photo_key):
            store.delete(key)


def sweep_files(at: datetime | None = None) -> int:
    """Delete files that no photo names and that are older than a day: of adding that was broken off, and of spaces that
    were deleted. Returns how many."""
    store = file_store()
    found = store.keys(PREFIX, before=(at or now()) - ORPHAN_AGE)
    deleted = 0
    while batch := list(islice(found, BATCH)):
        with transaction() as session:
            kept = kept_keys(session, {key_of_file(key) for key in batch})
        for key in batch:
            if key_of_file(key) not in kept:
                store.delete(key)
                deleted += 1
    return deleted


def sweep() -> None:
    """What the clock starts."""
    sweep_files()
