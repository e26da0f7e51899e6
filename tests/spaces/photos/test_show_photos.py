"""Photos where people see them: their own address, the space's page, the results, the desk, the API; copies and sweeping."""

import json
import os
import re
from collections.abc import Callable
from datetime import timedelta

import pytest
from flask.testing import FlaskClient
from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from marketplace.clock import now
from marketplace.files import port
from marketplace.files.disk import DiskStore
from marketplace.files.port import FilesAway
from spaces.catalog.listing_actions import copy_space
from spaces.catalog.models import Space
from spaces.photos.actions import remove_photo
from spaces.photos.jobs import sweep_files
from spaces.photos.models import Photo
from spaces.photos.queries import photos_of
from spaces.photos.rules import files_of
from tests.factories.listings import Supplier
from tests.factories.photos import make_photo
from tests.factories.spaces import make_space


@pytest.fixture
def photo(session: Session, supplier: Supplier, store: DiskStore) -> Photo:
    photo = make_photo(session, supplier.space, with_files=True, credit="Aino Korhonen")
    session.commit()
    return photo


# The address of a photo.


def test_a_photo_is_handed_on_for_ever_and_as_what_it_is(client: FlaskClient, photo: Photo) -> None:
    for name, kind in (("480.webp", "image/webp"), ("1600.webp", "image/webp"), ("1600.jpg", "image/jpeg")):
        answer = client.get(f"/photos/{photo.key}-{name}")
        assert answer.status_code == 200
        assert answer.data == f"photos/{photo.key[:2]}/{photo.key}-{name}".encode()
        assert answer.headers["Content-Type"] == kind
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["Cache-Control"] == "public, max-age=31536000, immutable"
        assert "Vary" not in answer.headers
        assert "Set-Cookie" not in answer.headers
        again = client.get(f"/photos/{photo.key}-{name}", headers={"If-None-Match": answer.headers["ETag"]})
        assert (again.status_code, again.data) == (304, b"")


def test_what_the_reader_gets_does_not_depend_on_who_asks(
    owner: FlaskClient, client: FlaskClient, photo: Photo, store: DiskStore
) -> None:
    address = f"/photos/{photo.key}-480.webp"
    port.bind(store)
    assert owner.get(address).headers["Cache-Control"] == client.get(address).headers["Cache-Control"]


@pytest.mark.parametrize(
    "name",
    [
        "{key}-481.webp", "{key}-480.jpg", "{key}-480.png", "{key}.webp", "{key}-480.webp.html", "X{key}-480.webp",
        "{upper}-480.webp", "..%2f..%2fetc%2fpasswd", "%2e%2e", "{key}-480.webp%00", "{key}-480.webp%0a", "ä",
        "0123456789abcdef0123456789abcdef-480.webp",
    ],
)  # fmt: skip
def test_no_other_address_leads_to_a_file(client: FlaskClient, photo: Photo, name: str) -> None:
    assert (
        client.get(f"/photos/{name.format(key=photo.key, upper=photo.key.upper() + 'A')}").status_code == 404
    )


def test_a_store_that_is_away_is_a_503_that_nobody_keeps(
    client: FlaskClient, photo: Photo, store: DiskStore
) -> None:
    class Away(DiskStore):
        def get(self, key: str) -> port.StoredFile:
            raise FilesAway

    port.bind(Away(store.folder))
    answer = client.get(f"/photos/{photo.key}-480.webp")
    assert answer.status_code == 503
    assert "public" not in answer.headers["Cache-Control"]


# The pages.


def images(html: str) -> list[str]:
    return re.findall(r"<img[^>]*>", html)


def test_the_page_of_a_space_shows_its_photos_first(
    client: FlaskClient, session: Session, supplier: Supplier, photo: Photo
) -> None:
    second = make_photo(session, supplier.space, width=700, height=525, alts={"sv": "Lokalen"})
    session.commit()
    html = client.get(f"/en/spaces/{supplier.space.id}").text
    first, other = (tag for tag in images(html) if "/photos/" in tag)
    assert f'src="/photos/{photo.key}-960.webp"' in first
    assert (
        f'srcset="/photos/{photo.key}-480.webp 480w, /photos/{photo.key}-960.webp 960w, /photos/{photo.key}-1600.webp 1600w"'
        in first
    )
    assert f'alt="{photo.alts["en"]}"' in first
    assert 'width="1600" height="1200"' in first
    assert "loading" not in first
    assert "sizes=" in first
    assert 'loading="lazy"' in other
    assert f'srcset="/photos/{second.key}-480.webp 480w, /photos/{second.key}-960.webp 700w"' in other
    assert 'alt="Lokalen" lang="sv"' in other
    assert "Photo: Aino Korhonen" in html
    assert "Illustration:" not in html
    sharing = f"http://localhost/photos/{photo.key}-1600.jpg"
    assert f'<meta property="og:image" content="{sharing}">' in html
    found = re.search(r'<script type="application/ld\+json">(.*?)</script>', html)
    assert found
    data = json.loads(found[1])
    assert data["image"] == [sharing, f"http://localhost/photos/{second.key}-1600.jpg"]


def test_a_space_without_photos_keeps_its_drawing(client: FlaskClient, supplier: Supplier) -> None:
    html = client.get(f"/en/spaces/{supplier.space.id}").text
    assert "Illustration:" in html
    assert "og:image" not in html
    assert "/photos/" not in html


def test_the_results_show_the_first_photo_and_drawings_for_the_others(
    client: FlaskClient, session: Session, supplier: Supplier, photo: Photo
) -> None:
    make_photo(session, supplier.space, position=photo.position + 5)
    make_space(session, supplier.venue)
    session.commit()
    rows = [tag for tag in images(client.get("/en/spaces").text) if "row__img" in tag]
    assert sum(f'src="/photos/{photo.key}-480.webp"' in tag for tag in rows) == 1
    assert sum(".svg" in tag for tag in rows) == 1
    assert len(rows) == 2


def test_the_desk_lists_the_first_photo(owner: FlaskClient, photo: Photo) -> None:
    assert f'src="/photos/{photo.key}-480.webp"' in owner.get("/en/desk").text


def test_programs_get_every_size_and_what_it_shows(
    client: FlaskClient, session: Session, supplier: Supplier, photo: Photo
) -> None:
    second = make_photo(session, supplier.space, width=700, height=525)
    session.commit()
    space = client.get(f"/api/v1/spaces/{supplier.space.id}").get_json()
    assert space["photos"][0] == {
        "width": 1600,
        "height": 1200,
        "alt": {"fi": photo.alts["fi"], "sv": None, "en": photo.alts["en"]},
        "credit": "Aino Korhonen",
        "files": [
            {"width": width, "url": f"http://localhost/photos/{photo.key}-{width}.webp"}
            for width in (480, 960, 1600)
        ],
        "jpeg_url": f"http://localhost/photos/{photo.key}-1600.jpg",
    }
    assert [file["width"] for file in space["photos"][1]["files"]] == [480, 700]
    listed = client.get("/api/v1/spaces").get_json()["spaces"][0]
    assert [one["jpeg_url"] for one in listed["photos"]] == [
        f"http://localhost/photos/{one.key}-1600.jpg" for one in (photo, second)
    ]


# Copies, and files that nobody shows.


def test_a_copy_shows_the_same_photos_and_keeps_them_when_the_first_loses_them(
    session: Session, supplier: Supplier, photo: Photo, store: DiskStore, run_jobs: Callable[[], int]
) -> None:
    copy = copy_space(session, supplier.space, supplier.venue, actor=supplier.actor, submission="copy")
    [copied] = photos_of(session, copy)
    assert copied.id != photo.id
    assert (copied.key, copied.alts, copied.credit) == (photo.key, photo.alts, photo.credit)
    remove_photo(session, supplier.space, supplier.venue, photo.id, actor=supplier.actor)
    session.commit()
    run_jobs()
    assert all(store.exists(key) for key in files_of(copied.key))
    remove_photo(session, copy, supplier.venue, copied.id, actor=supplier.actor)
    session.commit()
    run_jobs()
    assert not any(store.exists(key) for key in files_of(copied.key))


def make_older(store: DiskStore, key: str, age: timedelta) -> None:
    at = (now() - age).timestamp()
    for name in files_of(key):
        os.utime(store.path(name), (at, at))


def test_the_sweeper_takes_what_is_old_and_nobody_s(
    session: Session, supplier: Supplier, photo: Photo, store: DiskStore
) -> None:
    lost = ["a" * 32, "b" * 32]
    for key in lost:
        for name in files_of(key):
            store.put(name, b"x", "image/webp")
    store.put("answers/abc", b"x", "text/plain")
    make_older(store, photo.key, timedelta(days=3))
    make_older(store, lost[0], timedelta(days=1, minutes=1))
    make_older(store, lost[1], timedelta(hours=23))
    assert sweep_files() == 4
    assert not any(store.exists(name) for name in files_of(lost[0]))
    assert all(store.exists(name) for name in files_of(lost[1]) + files_of(photo.key))
    assert store.exists("answers/abc")
    assert sweep_files() == 0


def test_a_deleted_space_leaves_nothing_behind(
    app, session: Session, supplier: Supplier, photo: Photo, store: DiskStore
) -> None:
    space = make_space(session, supplier.venue)
    own = make_photo(session, space, with_files=True)
    session.execute(delete(Space).where(Space.id == space.id))
    session.commit()
    assert session.scalars(select(Photo.id).where(Photo.key == own.key)).all() == []
    make_older(store, own.key, timedelta(days=2))
    make_older(store, photo.key, timedelta(days=2))
    result = app.test_cli_runner().invoke(args=["photos", "sweep"])
    assert result.output == "4 files deleted.\n"
    assert all(store.exists(name) for name in files_of(photo.key))
