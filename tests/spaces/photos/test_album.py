"""The album on the owner's desk: who gets in, what is added, what each refused file says."""

import io
import re
from collections.abc import Callable
from html import unescape

import pytest
from flask import Flask
from flask.testing import FlaskClient
from PIL import Image
from sqlalchemy import func, select
from sqlalchemy.orm import Session
from werkzeug.datastructures import FileStorage
from werkzeug.test import encode_multipart

from marketplace.accounts.models import AuditEntry
from marketplace.cities.models import City
from marketplace.files import port
from marketplace.files.disk import DiskStore
from marketplace.files.port import FilesAway
from marketplace.identity.queries import COOKIE
from marketplace.web.limits import forget_old_counters
from spaces.catalog.models import Space
from spaces.photos import images
from spaces.photos.models import Photo
from spaces.photos.rules import MOST_PHOTOS, files_of
from spaces.photos.views import PER_HOUR
from tests.factories.cities import make_city
from tests.factories.listings import Supplier, give, make_supplier
from tests.factories.people import join, make_person, sign_in
from tests.factories.photos import make_photo
from tests.spaces.photos import pictures

File = tuple[io.BytesIO, str]


def file(data: bytes, name: str = "kuva.jpg") -> File:
    return io.BytesIO(data), name


def row(n: int, data: bytes | None, name: str = "kuva.jpg", **texts: str) -> dict[str, object]:
    fields: dict[str, object] = {f"new{n}-{field}": text for field, text in texts.items()}
    if data is not None:
        fields[f"new{n}-file"] = file(data, name)
    return fields


def album(supplier: Supplier, language: str = "en") -> str:
    return f"/{language}/desk/spaces/{supplier.space.id}/photos"


def add(client: FlaskClient, supplier: Supplier, *rows: dict[str, object]):
    return send(client, album(supplier), {name: value for one in rows for name, value in one.items()})


def send(client: FlaskClient, path: str, fields: dict[str, object]):
    """As a browser sends a form with files; in memory, since the client leaves larger ones in open temporary files."""
    values: dict[str, object] = {
        name: FileStorage(*value) if isinstance(value, tuple) else value for name, value in fields.items()
    }
    boundary, body = encode_multipart(values)
    return client.post(path, data=body, content_type=f'multipart/form-data; boundary="{boundary}"')


def photos(session: Session, space: Space) -> list[Photo]:
    session.expire_all()
    return list(session.scalars(select(Photo).where(Photo.space_id == space.id).order_by(Photo.position)))


def error_of(html: str, field_id: str) -> str:
    """The sentence below a field."""
    found = re.search(rf'id="{field_id}-error">(.*?)</', html, re.DOTALL)
    return unescape(found[1]) if found else ""


def value_of(html: str, field_id: str) -> str:
    tag = re.search(rf'<input[^>]*id="{field_id}"[^>]*>', html)
    assert tag
    value = re.search(r' value="([^"]*)"', tag[0])
    return unescape(value[1]) if value else ""


# Who may come in.


@pytest.mark.parametrize("role", ["owner", "manager"])
def test_those_who_run_the_place_change_its_photos(
    session: Session, city: City, supplier: Supplier, browser, store: DiskStore, role: str
) -> None:
    person = make_person(session, city, email="a@example.org")
    give(session, supplier.venue, person, role)
    client = browser(person)
    assert client.get(album(supplier)).status_code == 200
    assert add(client, supplier, row(0, pictures.jpeg(), alts_fi="Sali")).status_code == 303
    assert len(photos(session, supplier.space)) == 1


@pytest.mark.parametrize("who", ["handler", "viewer", "crew", "member", "outsider", "other city"])
@pytest.mark.parametrize("state", ["draft", "published"])
def test_nobody_else_gets_in(
    app: Flask, session: Session, city: City, supplier: Supplier, store: DiskStore, who: str, state: str
) -> None:
    supplier.space.state = state
    photo = make_photo(session, supplier.space)
    home = make_city(session, slug="tampere", host="tampere.example") if who == "other city" else city
    person = make_person(session, home, email="b@example.org", is_staff=who == "other city")
    if who in {"handler", "viewer", "crew"}:
        give(session, supplier.venue, person, who)
    elif who == "member":
        join(session, person, supplier.organisation, "member")
    client = app.test_client()
    sign_in(session, client, person)
    session.commit()
    base = None
    if who == "other city":
        base, cookie = "http://tampere.example", client.get_cookie(COOKIE)
        assert cookie
        client.set_cookie(COOKIE, cookie.value, domain="tampere.example")
    page = album(supplier)
    answers = [
        client.get(page, base_url=base),
        client.post(page, data=row(0, pictures.jpeg(), alts_fi="Sali"), base_url=base),
        client.post(f"{page}/{photo.id}/texts", data={f"photo{photo.id}-alts_fi": "Muu"}, base_url=base),
        client.post(f"{page}/{photo.id}/place", data={"place": "first"}, base_url=base),
        client.post(f"{page}/{photo.id}/removal", base_url=base),
    ]
    assert [answer.status_code for answer in answers] == [404] * 5
    assert [(known.id, known.alts["fi"]) for known in photos(session, supplier.space)] == [
        (photo.id, photo.alts["fi"])
    ]
    assert not store.folder.exists()


def test_who_is_not_signed_in_is_sent_to_sign_in(
    app: Flask, client: FlaskClient, supplier: Supplier, monkeypatch
) -> None:
    assert "/sign-in" in client.get(album(supplier)).location
    small = client.post(album(supplier), data=row(0, pictures.jpeg(), alts_fi="Sali"))
    assert "/sign-in" in small.location
    # Nothing large is read from strangers, also not for the token of the form.
    monkeypatch.setitem(app.config, "WTF_CSRF_ENABLED", True)
    large = add(client, supplier, row(0, b"\xff\xd8\xff" + b"\x00" * 3_000_000))
    assert large.status_code == 413


def test_a_photo_of_another_space_is_not_changed_through_this_one(
    session: Session, city: City, supplier: Supplier, owner: FlaskClient
) -> None:
    other = make_supplier(session, city, person=make_person(session, city, email="c@example.org"))
    photo = make_photo(session, other.space)
    session.commit()
    page = f"{album(supplier)}/{photo.id}"
    for path, data in (("texts", {}), ("place", {"place": "up"}), ("removal", {})):
        assert owner.post(f"{page}/{path}", data=data).status_code == 404
    assert len(photos(session, other.space)) == 1


# Adding.


def test_a_photo_is_kept_with_its_words_and_its_files(
    session: Session, supplier: Supplier, owner: FlaskClient, store: DiskStore
) -> None:
    answer = add(
        owner,
        supplier,
        row(0, pictures.jpeg(2000, 1500), alts_fi="Iso sali", alts_sv="Stora salen", credit="Aino Korhonen"),
    )
    assert answer.status_code == 303
    [photo] = photos(session, supplier.space)
    assert (photo.width, photo.height, photo.content_type) == (1600, 1200, "image/jpeg")
    assert photo.alts == {"fi": "Iso sali", "sv": "Stora salen"}
    assert photo.credit == "Aino Korhonen"
    assert all(store.exists(key) for key in files_of(photo.key))
    page = owner.get(answer.location).text
    assert "1 photo was added." in page
    assert "Words are missing in: English." in page
    entry = session.scalars(select(AuditEntry).where(AuditEntry.action == "photo.added")).one()
    assert (entry.subject_kind, entry.subject_id) == ("space", supplier.space.id)
    assert entry.details["after"] == {"alts": photo.alts, "credit": "Aino Korhonen", "photo": 1}
    history = owner.get(f"/en/desk/spaces/{supplier.space.id}/history").text
    assert "A photo was added" in history
    assert "Iso sali" in history


def test_each_refused_file_says_which_and_why_and_the_good_ones_are_kept(
    session: Session, supplier: Supplier, owner: FlaskClient
) -> None:
    answer = add(
        owner,
        supplier,
        row(0, pictures.HTML, "/home/mikko/sali.jpg", alts_fi="Ensimmäinen", credit="Mikko"),
        row(1, pictures.jpeg(), "toinen.jpg", alts_fi="Toinen"),
        row(2, pictures.png_of_size(20_000, 10_000), "a" * 90 + ".png", alts_fi="Kolmas"),
        row(3, pictures.saved(pictures.drawing(900, 700), "PNG"), "4.png", alts_en="Fourth"),
    )
    assert answer.status_code == 422
    page = answer.text
    assert "2 photos were added." in page
    assert [photo.alts for photo in photos(session, supplier.space)] == [{"fi": "Toinen"}, {"en": "Fourth"}]
    assert error_of(page, "new0-file") == "sali.jpg: This is not a JPEG, PNG or WebP picture."
    assert error_of(page, "new2-file") == (
        "a" * 59 + "…: The picture has more than 50 million pixels. Make it smaller and add it again."
    )
    assert value_of(page, "new0-alts_fi") == "Ensimmäinen"
    assert value_of(page, "new0-credit") == "Mikko"
    assert value_of(page, "new2-alts_fi") == "Kolmas"
    assert value_of(page, "new1-alts_fi") == ""
    assert 'href="#new0-file"' in page
    assert "<script>" not in page


def test_a_name_with_markup_is_shown_as_text(supplier: Supplier, owner: FlaskClient) -> None:
    page = add(owner, supplier, row(0, pictures.HTML, "<img src=x onerror=1>.jpg", alts_fi="Sali")).text
    assert "<img src=x" not in page
    assert error_of(page, "new0-file").startswith(
        "<img src=x onerror=1>.jpg: This is not a JPEG, PNG or WebP picture."
    )


def test_words_are_required_in_one_language_of_the_city(
    session: Session, supplier: Supplier, owner: FlaskClient, store: DiskStore
) -> None:
    page = add(owner, supplier, row(0, pictures.jpeg(), alts_fi="   ", credit="Aino")).text
    assert error_of(page, "new0-alts_fi") == (
        "Write what the photo shows, in at least one language. It is read aloud to those who do not see it."
    )
    assert error_of(page, "new0-file") == ("kuva.jpg: Correct the words about it, and choose the file again.")
    assert photos(session, supplier.space) == []
    assert not store.folder.exists()


def test_words_of_a_language_that_the_city_has_not_are_not_enough(
    session: Session, city: City, supplier: Supplier, owner: FlaskClient
) -> None:
    city.languages = ["fi", "sv"]
    session.commit()
    answer = send(owner, album(supplier, "fi"), row(0, pictures.jpeg(), alts_en="Hall"))
    assert answer.status_code == 422
    assert photos(session, supplier.space) == []


def test_too_long_words_are_refused_beside_the_field(
    session: Session, supplier: Supplier, owner: FlaskClient
) -> None:
    page = add(owner, supplier, row(0, pictures.jpeg(), alts_fi="x" * 301, credit="y" * 121)).text
    assert error_of(page, "new0-alts_fi") == "At most 300 characters."
    assert error_of(page, "new0-credit") == "At most 120 characters."
    assert photos(session, supplier.space) == []


def test_words_without_a_file_and_a_form_without_anything_are_told(
    supplier: Supplier, owner: FlaskClient
) -> None:
    page = add(owner, supplier, row(1, None, alts_fi="Sali")).text
    assert error_of(page, "new1-file") == "Choose the photo that these words are about."
    assert value_of(page, "new1-alts_fi") == "Sali"
    page = add(owner, supplier).text
    assert error_of(page, "new0-file") == "Choose a photo."


def test_the_same_file_is_not_added_twice(session: Session, supplier: Supplier, owner: FlaskClient) -> None:
    data = pictures.jpeg()
    answer = add(owner, supplier, row(0, data, alts_fi="Sali"), row(1, data, "toinen.jpg", alts_fi="Sali 2"))
    assert error_of(answer.text, "new1-file") == (
        "toinen.jpg: This photo is among the photos of the space already."
    )
    assert len(photos(session, supplier.space)) == 1


def test_a_space_has_at_most_twelve(session: Session, supplier: Supplier, owner: FlaskClient) -> None:
    for _ in range(MOST_PHOTOS - 1):
        make_photo(session, supplier.space)
    session.commit()
    page = add(
        owner,
        supplier,
        row(0, pictures.jpeg(), alts_fi="Viimeinen"),
        row(1, pictures.jpeg(900, 700), "liikaa.jpg", alts_fi="Liikaa"),
    ).text
    assert error_of(page, "new1-file") == (
        "liikaa.jpg: The space has as many photos as it can have. Remove one first."
    )
    assert len(photos(session, supplier.space)) == MOST_PHOTOS
    page = owner.get(album(supplier)).text
    assert "The space has as many photos as it can have. Remove one first." in page
    assert 'type="file"' not in page


def test_photos_are_larger_than_other_forms_and_not_without_end(
    session: Session, supplier: Supplier, owner: FlaskClient
) -> None:
    noise = Image.effect_noise((3000, 2400), 200).convert("RGB")
    big = pictures.saved(noise, "PNG")
    assert 3_000_000 < len(big) < 15_000_000
    assert add(owner, supplier, row(0, big, alts_fi="Kohinaa")).status_code == 303
    answer = add(owner, supplier, row(0, b"\xff\xd8\xff" + b"\x00" * 15_800_000, "iso.jpg", alts_fi="Iso"))
    assert error_of(answer.text, "new0-file") == "iso.jpg: The file is larger than 15 MB."
    answer = add(owner, supplier, *(row(n, b"\xff" * 16_100_000, alts_fi="Iso") for n in range(4)))
    assert answer.status_code == 413
    assert "Each photo may have 15 MB. Go back and add fewer at a time; nothing was changed." in answer.text
    # Every other form stays small.
    other = owner.post(f"/en/desk/spaces/{supplier.space.id}", data={"names_fi": "x" * 3_000_000})
    assert other.status_code == 413
    assert "15 MB" not in other.text


def test_a_person_adds_only_so_many_in_an_hour(
    app: Flask, session: Session, city: City, supplier: Supplier, owner: FlaskClient, monkeypatch
) -> None:
    monkeypatch.setitem(app.config, "RATE_LIMITS", True)
    monkeypatch.setattr("spaces.photos.views.PER_HOUR", 1)
    assert PER_HOUR == 60
    answer = add(
        owner,
        supplier,
        row(0, pictures.jpeg(), alts_fi="Yksi"),
        row(1, pictures.jpeg(900, 700), "2.jpg", alts_fi="Kaksi"),
    )
    assert re.fullmatch(
        r"2\.jpg: You have added many photos in a short time\. Add this one in (59|60) minutes\.",
        error_of(answer.text, "new1-file"),
    )
    assert value_of(answer.text, "new1-alts_fi") == "Kaksi"
    assert len(photos(session, supplier.space)) == 1
    forget_old_counters()


class AwayStore(DiskStore):
    def put(self, key: str, data: bytes, content_type: str) -> None:
        raise FilesAway


def test_a_store_that_is_away_is_told_and_nothing_is_kept(
    session: Session, supplier: Supplier, owner: FlaskClient, store: DiskStore
) -> None:
    port.bind(AwayStore(store.folder))
    page = add(owner, supplier, row(0, pictures.jpeg(), alts_fi="Sali")).text
    assert error_of(page, "new0-file") == (
        "kuva.jpg: Files cannot be stored or fetched just now. Try again in a moment."
    )
    assert photos(session, supplier.space) == []


def test_a_busy_process_says_so(supplier: Supplier, owner: FlaskClient, monkeypatch) -> None:
    monkeypatch.setattr(images, "WAIT_SECONDS", 0.01)
    with images.alone():
        page = add(owner, supplier, row(0, pictures.jpeg(), alts_fi="Sali")).text
    assert error_of(page, "new0-file") == (
        "kuva.jpg: Many photos are being added just now. Add this one again in a moment."
    )


# Changing.


@pytest.fixture
def three(session: Session, supplier: Supplier) -> list[Photo]:
    made = [make_photo(session, supplier.space, alts={"fi": name}) for name in ("A", "B", "C")]
    session.commit()
    return made


def names(session: Session, supplier: Supplier) -> str:
    return "".join(photo.alts["fi"] for photo in photos(session, supplier.space))


@pytest.mark.parametrize(
    ("which", "place", "order"),
    [(2, "first", "CAB"), (0, "down", "BAC"), (1, "up", "BAC"), (0, "up", "ABC"), (2, "down", "ABC")],
)
def test_photos_change_places(
    session: Session, supplier: Supplier, owner: FlaskClient, three, which: int, place: str, order: str
) -> None:
    answer = owner.post(f"{album(supplier)}/{three[which].id}/place", data={"place": place})
    assert answer.status_code == 303
    assert answer.location.endswith(f"#photo-{three[which].id}")
    assert names(session, supplier) == order
    assert [photo.position for photo in photos(session, supplier.space)] == [1, 2, 3]
    moves = session.scalars(select(AuditEntry).where(AuditEntry.action == "photo.moved")).all()
    if order == "ABC":
        assert moves == []
    else:
        assert moves[0].details["before"] == {"photo": which + 1}
        assert moves[0].details["after"] == {"photo": order.index("ABC"[which]) + 1}


def test_another_place_than_these_is_no_place(
    session: Session, supplier: Supplier, owner: FlaskClient, three
) -> None:
    for place in ("", "last", "1"):
        path = f"{album(supplier)}/{three[0].id}/place"
        assert owner.post(path, data={"place": place}).status_code == 404
    assert names(session, supplier) == "ABC"


def test_words_are_changed_with_before_and_after(
    session: Session, supplier: Supplier, owner: FlaskClient, three
) -> None:
    photo = three[1]
    path = f"{album(supplier)}/{photo.id}/texts"
    data = {f"photo{photo.id}-alts_fi": "Sali", f"photo{photo.id}-alts_sv": "Salen"}
    assert owner.post(path, data=data).status_code == 303
    assert photos(session, supplier.space)[1].alts == {"fi": "Sali", "sv": "Salen"}
    entry = session.scalars(select(AuditEntry).where(AuditEntry.action == "photo.changed")).one()
    assert entry.details["before"] == {"alts": {"fi": "B"}}
    assert entry.details["after"] == {"alts": {"fi": "Sali", "sv": "Salen"}}
    assert "Nothing was different." in owner.post(path, data=data, follow_redirects=True).text
    assert session.scalar(select(func.count()).where(AuditEntry.action == "photo.changed")) == 1


def test_words_cannot_be_emptied(session: Session, supplier: Supplier, owner: FlaskClient, three) -> None:
    photo = three[0]
    data = {f"photo{photo.id}-alts_fi": " ", f"photo{photo.id}-credit": "Aino"}
    answer = owner.post(f"{album(supplier)}/{photo.id}/texts", data=data)
    assert answer.status_code == 422
    assert error_of(answer.text, f"photo{photo.id}-alts_fi") == (
        "Write what the photo shows, in at least one language. It is read aloud to those who do not see it."
    )
    assert value_of(answer.text, f"photo{photo.id}-credit") == "Aino"
    assert value_of(answer.text, f"photo{three[1].id}-alts_fi") == "B"
    assert names(session, supplier) == "ABC"


def test_a_removed_photo_is_gone_from_the_rows_and_then_from_the_store(
    session: Session,
    supplier: Supplier,
    owner: FlaskClient,
    store: DiskStore,
    run_jobs: Callable[[], int],
) -> None:
    add(
        owner, supplier, row(0, pictures.jpeg(), alts_fi="Sali"), row(1, pictures.jpeg(900, 700), alts_fi="B")
    )
    first, second = photos(session, supplier.space)
    gone, gone_id, kept = first.key, first.id, second.key
    answer = owner.post(f"{album(supplier)}/{gone_id}/removal")
    assert answer.status_code == 303
    assert all(store.exists(key) for key in files_of(gone))
    run_jobs()
    assert not any(store.exists(key) for key in files_of(gone))
    assert all(store.exists(key) for key in files_of(kept))
    assert [(photo.key, photo.position) for photo in photos(session, supplier.space)] == [(kept, 1)]
    entry = session.scalars(select(AuditEntry).where(AuditEntry.action == "photo.removed")).one()
    assert entry.details["before"] == {"alts": {"fi": "Sali"}, "credit": "", "photo": 1}
    assert owner.post(f"{album(supplier)}/{gone_id}/removal").status_code == 404


def test_the_menu_of_the_desk_leads_to_the_album(supplier: Supplier, owner: FlaskClient) -> None:
    page = owner.get(f"/en/desk/spaces/{supplier.space.id}").text
    assert f'href="{album(supplier)}"' in page


@pytest.mark.parametrize("language", ["fi", "sv", "en"])
def test_the_album_is_there_in_each_language(
    supplier: Supplier, owner: FlaskClient, three, language: str
) -> None:
    assert owner.get(album(supplier, language)).status_code == 200
