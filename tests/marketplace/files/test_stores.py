"""Both stores keep the same promises: whole files by keys of ours, plain words when they are away."""

import os
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from marketplace.files import port
from marketplace.files.disk import DiskStore
from marketplace.files.opening import open_store
from marketplace.files.port import FileMissing, FilesAway, FileStore, StoredFile, checked
from marketplace.files.s3 import S3Store
from marketplace.settings import ROOT, Settings, SettingsError, read_settings
from tests.marketplace.files.bucket import SIGNED, Bucket, serving

LATER = timedelta(minutes=1)


def store_of(bucket: Bucket, **changes: float) -> S3Store:
    return S3Store(
        endpoint=bucket.endpoint,
        bucket="photos-of-a-city",
        region="eu-north-1",
        access_key="key-of-tests",
        secret_key="secret-of-tests",
        **changes,
    )


@pytest.fixture
def bucket() -> Iterator[Bucket]:
    with serving() as bucket:
        yield bucket


@pytest.fixture(params=["disk", "s3"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> FileStore:
    if request.param == "disk":
        return DiskStore(tmp_path / "files")
    return store_of(request.getfixturevalue("bucket"))


def test_a_file_comes_back_as_it_was_put(store: FileStore) -> None:
    data = bytes(range(256)) * 1000 + b"\n\n{"
    store.put("photos/ab/abcd-480.webp", data, "image/webp")
    assert store.get("photos/ab/abcd-480.webp") == StoredFile(data, "image/webp")
    assert store.exists("photos/ab/abcd-480.webp")
    store.put("photos/ab/abcd-480.webp", b"", "image/jpeg")
    assert store.get("photos/ab/abcd-480.webp") == StoredFile(b"", "image/jpeg")


def test_what_is_not_there_is_told_apart_from_trouble(store: FileStore) -> None:
    assert not store.exists("photos/ab/none.webp")
    with pytest.raises(FileMissing):
        store.get("photos/ab/none.webp")
    store.delete("photos/ab/none.webp")
    store.put("photos/ab/one.webp", b"1", "image/webp")
    with pytest.raises(FileMissing):
        store.get("photos/ab")
    assert not store.exists("photos/ab")
    store.delete("photos/ab/one.webp")
    store.delete("photos/ab/one.webp")
    assert not store.exists("photos/ab/one.webp")


def test_keys_are_listed_by_prefix_and_age(store: FileStore) -> None:
    names = [f"photos/a{n}/p-{n}.webp" for n in range(5)]
    for name in names:
        store.put(name, b"x", "image/webp")
    store.put("answers/1", b"x", "text/plain")
    now = datetime.now(UTC)
    assert sorted(store.keys("photos/", before=now + LATER)) == names
    assert list(store.keys("photos/a3/", before=now + LATER)) == [names[3]]
    assert list(store.keys("photos/", before=now - LATER)) == []
    assert list(store.keys("nothing/", before=now + LATER)) == []


BAD_KEYS = [
    "", "/etc/passwd", "../secret", "photos/../../x", "photos//x", "photos/", "photos/.hidden", "./x", "Photos/X",
    "photos/ä.webp", "photos/x.webp\n", "photos/x\x00.webp", "photos/x y", "photos\\x", "photos/x..webp", "a" * 65,
    "photos/%2e%2e/x", "-x", "a/b/c/d/e/f/g",
]  # fmt: skip


@pytest.mark.parametrize("key", BAD_KEYS)
def test_only_our_own_keys_are_taken(store: FileStore, key: str, tmp_path: Path) -> None:
    for call in (
        lambda: store.put(key, b"x", "text/plain"),
        lambda: store.get(key),
        lambda: store.exists(key),
        lambda: store.delete(key),
    ):
        with pytest.raises(ValueError, match="not a key"):
            call()
    with pytest.raises(ValueError, match="not a prefix"):
        list(store.keys(f"{key}/../", before=datetime.now(UTC)))
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


@given(st.text(max_size=40))
def test_no_key_leads_out_of_the_folder(text: str) -> None:
    folder = Path("/srv/files")
    try:
        path = DiskStore(folder).path(text)
    except ValueError:
        return
    assert checked(text) == text
    assert folder in path.parents
    assert Path(os.path.normpath(path)) == path


def test_a_write_that_fails_leaves_the_old_file_whole(tmp_path: Path, monkeypatch) -> None:
    store = DiskStore(tmp_path)
    store.put("photos/x.webp", b"old", "image/webp")

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("marketplace.files.disk.os.replace", full)
    with pytest.raises(FilesAway):
        store.put("photos/x.webp", b"new", "image/webp")
    assert store.get("photos/x.webp").data == b"old"
    assert [path.name for path in tmp_path.rglob("*") if path.is_file()] == ["x.webp"]


def test_half_a_file_of_a_killed_process_is_no_file_and_is_swept(tmp_path: Path) -> None:
    store = DiskStore(tmp_path)
    store.put("photos/x.webp", b"x", "image/webp")
    half = tmp_path / "photos" / ".new-1234"
    half.write_bytes(b"hal")
    assert list(store.keys("photos/", before=datetime.now(UTC) - LATER)) == []
    assert half.exists()
    assert list(store.keys("photos/", before=datetime.now(UTC) + LATER)) == ["photos/x.webp"]
    assert not half.exists()


def test_a_folder_that_cannot_be_written_is_told_plainly(tmp_path: Path) -> None:
    (tmp_path / "files").write_text("a file where the folder should be")
    with pytest.raises(FilesAway):
        DiskStore(tmp_path / "files").put("photos/x", b"x", "text/plain")


def test_requests_are_signed_for_our_region(bucket: Bucket) -> None:
    store_of(bucket).put("photos/x", b"x", "text/plain")
    assert all(SIGNED.match(signature) for signature in bucket.signatures)
    assert list(bucket.files) == ["photos/x"]


CALLS: dict[str, Callable[[FileStore], object]] = {
    "put": lambda store: store.put("photos/x", b"x", "text/plain"),
    "get": lambda store: store.get("photos/x"),
    "exists": lambda store: store.exists("photos/x"),
    "delete": lambda store: store.delete("photos/x"),
    "keys": lambda store: list(store.keys("photos/", before=datetime.now(UTC))),
}


@pytest.fixture(autouse=True)
def hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """The pauses between tries are the vendor's and random; here they are none."""
    monkeypatch.setattr("botocore.retries.standard.ExponentialBackoff.delay_amount", lambda *_: 0)


@pytest.mark.parametrize("name", sorted(CALLS))
def test_a_store_that_fails_is_asked_three_times(bucket: Bucket, name: str) -> None:
    bucket.failing = True
    with pytest.raises(FilesAway):
        CALLS[name](store_of(bucket))
    assert len(bucket.asked) == 3


def test_a_store_that_fails_once_is_forgiven(bucket: Bucket) -> None:
    bucket.failures = 2
    store_of(bucket).put("photos/x", b"x", "text/plain")
    assert bucket.files["photos/x"][0] == b"x"


@pytest.mark.parametrize("name", sorted(CALLS))
def test_a_slow_store_is_not_waited_for(bucket: Bucket, name: str) -> None:
    bucket.slow = 1.0
    began = time.monotonic()
    with pytest.raises(FilesAway):
        CALLS[name](store_of(bucket, read_seconds=0.1))
    assert time.monotonic() - began < 2.5


def test_a_store_that_is_not_there_is_away() -> None:
    with serving() as bucket:
        pass
    with pytest.raises(FilesAway):
        CALLS["get"](store_of(bucket, connect_seconds=0.2))


def test_the_settings_name_the_store(tmp_path: Path) -> None:
    plain = Settings(files_folder=str(tmp_path))
    disk = open_store(plain)
    assert isinstance(disk, DiskStore)
    assert disk.folder == tmp_path
    assert open_store(Settings()).folder == ROOT / "instance" / "files"  # type: ignore[attr-defined]
    named = replace(plain, files_bucket="photos", files_access_key="a", files_secret_key="b")
    assert isinstance(open_store(named), S3Store)
    port.bind(disk)
    assert port.file_store() is disk


def test_a_bucket_without_its_keys_does_not_start() -> None:
    with pytest.raises(SettingsError, match="MARKETPLACE_FILES_ACCESS_KEY and MARKETPLACE_FILES_SECRET_KEY"):
        read_settings({"MARKETPLACE_FILES_BUCKET": "photos"})
    with pytest.raises(SettingsError, match="MARKETPLACE_FILES_ENDPOINT must be an https:// address"):
        read_settings({"MARKETPLACE_ENV": "production", "MARKETPLACE_FILES_ENDPOINT": "http://files"})
