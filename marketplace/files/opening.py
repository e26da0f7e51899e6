"""Which store the settings name."""

from pathlib import Path

from marketplace.files.disk import DiskStore
from marketplace.files.port import FileStore
from marketplace.settings import ROOT, Settings


def open_store(settings: Settings) -> FileStore:
    """A bucket where one is named, else a folder. Opens no connection."""
    if not settings.files_bucket:
        return DiskStore(ROOT / Path(settings.files_folder))
    from marketplace.files.s3 import S3Store  # noqa: PLC0415 - its library takes a third of a second to import

    return S3Store(
        endpoint=settings.files_endpoint,
        bucket=settings.files_bucket,
        region=settings.files_region,
        access_key=settings.files_access_key,
        secret_key=settings.files_secret_key,
    )
