"""What is handed in is drawn anew, or refused with a sentence that says why."""

import io
import zipfile

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image, ImageCms

from marketplace.errors import Invalid
from marketplace.web.problems import field_message
from spaces.photos.images import kind_of, prepare, webp_size
from spaces.photos.rules import MOST_BYTES, WIDTHS, Picture, moved
from tests.spaces.photos import pictures

BROKEN = "The picture is broken or not whole. Save it again and add it once more."
NO_PHOTO = "This is not a JPEG, PNG or WebP picture."
TOO_MANY_PIXELS = "The picture has more than 50 million pixels. Make it smaller and add it again."
MOVES = "This picture moves. Add one that stands still."
SVG = "This is an SVG drawing, which can hold scripts. Save it as PNG or JPEG and add it again."


def zipped() -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("photo.jpg", b"\x00" * 50_000_000)
    return out.getvalue()


REFUSED = {
    "empty": (b"", "The file is empty."),
    "fifteen megabytes and a byte": (
        b"\xff\xd8\xff" + b"\x00" * (MOST_BYTES - 2),
        "The file is larger than 15 MB.",
    ),
    "a text": ("Hyvää päivää".encode(), NO_PHOTO),
    "html that is called jpg": (pictures.HTML, NO_PHOTO),
    "a zip bomb": (zipped(), NO_PHOTO),
    "a gif": (pictures.saved(pictures.drawing(), "GIF"), NO_PHOTO),
    "svg": (pictures.SVG, SVG),
    "svg with script": (pictures.SVG_WITH_SCRIPT, SVG),
    "heic": (
        pictures.HEIC,
        "This is a HEIC picture, which many browsers cannot show. Save it as JPEG and add it again.",
    ),
    "200 megapixels": (pictures.png_of_size(20_000, 10_000), TOO_MANY_PIXELS),
    "51 megapixels": (pictures.png_of_size(8_500, 6_000), TOO_MANY_PIXELS),
    "a bomb of 400 megapixels": (pictures.bomb(), TOO_MANY_PIXELS),
    "webp of 256 megapixels": (pictures.webp_of_size(16_000, 16_000), TOO_MANY_PIXELS),
    "a profile that is a bomb": (pictures.profile_bomb(), BROKEN),
    "jpeg that ends early": (pictures.jpeg()[:6000], BROKEN),
    "png that ends early": (pictures.saved(pictures.drawing(), "PNG")[:1500], BROKEN),
    "webp that ends early": (pictures.saved(pictures.drawing(), "WEBP")[:300], BROKEN),
    "png without pixels": (pictures.png_of_size(800, 600), BROKEN),
    "only a head of jpeg": (b"\xff\xd8\xff\xe0" + b"\x00" * 100, BROKEN),
    "only a head of webp": (b"RIFF\x00\x00\x00\x00WEBP", BROKEN),
    "moving png": (pictures.moving("PNG"), MOVES),
    "moving webp": (pictures.moving("WEBP"), MOVES),
    "a stamp": (
        pictures.jpeg(200, 150),
        "The picture is only 200 × 150 pixels. It should be at least 480 × 320.",
    ),
    "a ribbon": (
        pictures.jpeg(2000, 400),
        "The picture is too long and narrow: one side is more than 4 times the other.",
    ),
}


@pytest.mark.parametrize("name", sorted(REFUSED))
def test_a_bad_file_is_refused_with_its_reason(app, name: str) -> None:
    data, sentence = REFUSED[name]
    with pytest.raises(Invalid) as refused:
        prepare(data)
    with app.test_request_context():
        assert [(error.field, field_message(error)) for error in refused.value.fields] == [("file", sentence)]


@pytest.mark.parametrize("name", ["200 megapixels", "a bomb of 400 megapixels", "webp of 256 megapixels"])
def test_a_bomb_is_refused_before_it_is_unpacked(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Pillow unpacks a PNG when it is loaded, and makes room for a WebP when it is opened."""

    def never(*_: object, **__: object) -> None:
        raise AssertionError("it was unpacked")

    monkeypatch.setattr("PIL.ImageFile.ImageFile.load", never)
    monkeypatch.setattr("PIL._webp.WebPAnimDecoder", never)
    data, sentence = REFUSED[name]
    with pytest.raises(Invalid) as refused:
        prepare(data)
    assert sentence == TOO_MANY_PIXELS
    assert refused.value.fields[0].code == "too-many-pixels"


def large(data: bytes) -> Image.Image:
    """The largest kept file of a photo, checked to be what its name says."""
    ready = prepare(data)
    assert [(r.width, r.ending, r.content_type) for r in ready.renditions] == [
        *((width, "webp", "image/webp") for width in WIDTHS),
        (1600, "jpg", "image/jpeg"),
    ]
    shown = [Image.open(io.BytesIO(r.data)) for r in ready.renditions]
    assert [image.format for image in shown] == ["WEBP", "WEBP", "WEBP", "JPEG"]
    assert {image.mode for image in shown} == {"RGB"}
    assert shown[2].size == shown[3].size == (ready.width, ready.height)
    return shown[2]


def is_near(pixel, colour: tuple[int, int, int]) -> bool:
    return all(abs(a - b) < 14 for a, b in zip(pixel, colour, strict=True))


RED, BLUE = (200, 30, 30), (30, 30, 200)


@pytest.mark.parametrize(
    ("kind", "mode", "options"),
    [
        ("JPEG", "RGB", {}),
        ("JPEG", "RGB", {"progressive": True}),
        ("JPEG", "CMYK", {}),
        ("PNG", "RGB", {}),
        ("PNG", "P", {}),
        ("PNG", "RGBA", {}),
        ("WEBP", "RGB", {}),
        ("WEBP", "RGB", {"lossless": True}),
        ("WEBP", "RGBA", {}),
    ],
)
def test_each_way_to_keep_colours_is_drawn_alike(kind: str, mode: str, options: dict[str, bool]) -> None:
    image = large(pictures.saved(pictures.drawing(mode=mode), kind, **options))
    assert image.size == (1200, 900)
    assert is_near(image.getpixel((100, 400)), RED)
    assert is_near(image.getpixel((1100, 400)), BLUE)


@pytest.mark.parametrize("mode", ["L", "LA", "1"])
def test_grey_is_drawn(mode: str) -> None:
    image = large(pictures.saved(Image.new("L", (800, 600), 255).convert(mode), "PNG"))
    assert is_near(image.getpixel((400, 300)), (255, 255, 255))


def test_sixteen_bits_of_grey_keep_their_brightness() -> None:
    """Half grey stays half grey; a plain conversion would make it white."""
    image = large(pictures.saved(Image.new("I;16", (800, 600), 32768), "PNG"))
    assert is_near(image.getpixel((400, 300)), (128, 128, 128))


def test_what_is_transparent_becomes_white() -> None:
    clear = large(pictures.saved(Image.new("RGBA", (800, 600), (0, 0, 0, 0)), "PNG"))
    assert is_near(clear.getpixel((400, 300)), (255, 255, 255))
    palette = pictures.drawing(800, 600).convert("P", palette=Image.Palette.ADAPTIVE)
    corner = palette.getpixel((10, 10))
    image = large(pictures.saved(palette, "PNG", transparency=corner))
    assert is_near(image.getpixel((10, 10)), (255, 255, 255))
    assert is_near(image.getpixel((700, 300)), BLUE)


@pytest.mark.parametrize(
    ("orientation", "size", "red", "blue"),
    [
        (1, (1200, 900), (10, 450), (1190, 450)),
        (2, (1200, 900), (1190, 450), (10, 450)),
        (3, (1200, 900), (1190, 450), (10, 450)),
        (4, (1200, 900), (10, 450), (1190, 450)),
        (5, (900, 1200), (450, 10), (450, 1190)),
        (6, (900, 1200), (450, 10), (450, 1190)),
        (7, (900, 1200), (450, 1190), (450, 10)),
        (8, (900, 1200), (450, 1190), (450, 10)),
    ],
)
def test_it_stands_upright_however_the_camera_was_held(orientation: int, size, red, blue) -> None:
    image = large(pictures.jpeg(exif=pictures.exif_of_a_phone(orientation=orientation)))
    assert image.size == size
    assert is_near(image.getpixel(red), RED)
    assert is_near(image.getpixel(blue), BLUE)


def test_an_upright_large_photo_is_as_wide_as_a_lying_one() -> None:
    """A phone keeps it lying with a note to turn it: its width is the height of what is kept."""
    image = large(pictures.jpeg(4000, 3000, exif=pictures.exif_of_a_phone(orientation=6)))
    assert image.size == (1600, 2133)


def test_no_place_time_camera_or_comment_comes_along() -> None:
    private = b"<x:xmpmeta>Toinen linja 7 A 12</x:xmpmeta>"
    sources = [
        pictures.jpeg(exif=pictures.exif_of_a_phone(), xmp=private, comment=b"Toinen linja 7 A 12"),
        pictures.saved(pictures.drawing(), "PNG", exif=pictures.exif_of_a_phone()),
        pictures.saved(pictures.drawing(), "WEBP", exif=pictures.exif_of_a_phone(), xmp=private),
        pictures.jpeg() + b"PK\x03\x04 Toinen linja 7 A 12 <script>alert(1)</script>",
    ]
    for source in sources:
        assert b"Kamera Oy" in source or b"Toinen linja" in source
        for kept in prepare(source).renditions:
            for secret in (b"Kamera Oy", b"2026:05:11", b"Toinen linja", b"script", b"Exif", b"EXIF", b"XMP"):
                assert secret not in kept.data
            with Image.open(io.BytesIO(kept.data)) as image:
                assert not dict(image.getexif())
                assert not set(image.info) & {"exif", "xmp", "comment", "icc_profile"}


def test_a_colour_profile_is_worked_in_and_left_out() -> None:
    """Numbers mean other colours in another space: in LAB-like or wide ones a plain copy would be pale."""
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    image = large(pictures.jpeg(icc_profile=profile))
    assert is_near(image.getpixel((100, 400)), RED)
    assert "icc_profile" not in image.info
    broken = large(pictures.jpeg(icc_profile=b"\x00" * 400))
    assert is_near(broken.getpixel((100, 400)), RED)


def test_a_depth_map_behind_a_phone_s_photo_is_no_movement() -> None:
    two = pictures.saved(pictures.drawing(), "MPO", save_all=True, append_images=[pictures.drawing(400, 300)])
    assert kind_of(two) == "JPEG"
    image = large(two)
    assert image.size == (1200, 900)


@pytest.mark.parametrize(
    ("width", "kept"), [(700, [480, 700, 700]), (1600, [480, 960, 1600]), (4000, [480, 960, 1600])]
)
def test_sizes_are_never_larger_than_the_photo(width: int, kept: list[int]) -> None:
    ready = prepare(pictures.jpeg(width, width // 2 + 100))
    assert [Image.open(io.BytesIO(r.data)).width for r in ready.renditions[:3]] == kept
    assert ready.renditions[0].data != ready.renditions[2].data


def test_the_same_file_gives_the_same_bytes() -> None:
    source = pictures.jpeg(2000, 1500)
    assert prepare(source) == prepare(source)


def test_addresses_name_each_width_once() -> None:
    def sizes(width: int) -> list[tuple[int, int]]:
        return Picture("0" * 32, width, 400, {}, "").sizes()

    assert sizes(1600) == [(480, 480), (960, 960), (1600, 1600)]
    assert sizes(960) == [(480, 480), (960, 960)]
    assert sizes(700) == [(480, 480), (960, 700)]
    assert sizes(480) == [(480, 480)]
    assert sizes(320) == [(480, 320)]


@given(
    st.binary(max_size=200),
    st.sampled_from(
        [
            b"",
            b"\xff\xd8\xff",
            b"\x89PNG\r\n\x1a\n",
            b"RIFF0000WEBPVP8X",
            b"RIFF0000WEBPVP8L",
            b"RIFF0000WEBPVP8 ",
        ]
    ),
)
@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_bytes_raise_anything_but_a_refusal(rest: bytes, head: bytes) -> None:
    with pytest.raises(Invalid):
        prepare(head + rest)


@given(st.data())
@settings(max_examples=60)
def test_a_damaged_photo_is_drawn_or_refused(data) -> None:
    source = bytearray(data.draw(st.sampled_from(WHOLE)))
    for _ in range(data.draw(st.integers(1, 8))):
        source[data.draw(st.integers(0, len(source) - 1))] = data.draw(st.integers(0, 255))
    try:
        ready = prepare(bytes(source))
    except Invalid:
        return
    assert len(ready.renditions) == 4


WHOLE = [
    pictures.jpeg(500, 400, exif=pictures.exif_of_a_phone()),
    pictures.saved(pictures.drawing(500, 400, mode="P"), "PNG"),
    pictures.saved(pictures.drawing(500, 400), "WEBP"),
]


@given(st.integers(480, 2400), st.integers(480, 2400), st.booleans())
@settings(max_examples=10)
def test_the_head_of_a_webp_tells_its_size(width: int, height: int, lossless: bool) -> None:
    for mode in ("RGB", "RGBA"):
        image = Image.new(mode, (width, height))
        assert webp_size(pictures.saved(image, "WEBP", lossless=lossless, method=0)) == (width, height)


@given(st.lists(st.integers(), unique=True, min_size=1), st.data())
def test_moving_keeps_every_photo_and_the_order_of_the_others(ids: list[int], data) -> None:
    one = data.draw(st.sampled_from(ids))
    for place in ("first", "up", "down"):
        order = moved(ids, one, place)
        assert [known for known in order if known != one] == [known for known in ids if known != one]
        assert sorted(order) == sorted(ids)
        step = order.index(one) - ids.index(one)
        assert (
            step
            == {
                "first": -ids.index(one),
                "up": 0 if one == ids[0] else -1,
                "down": 0 if one == ids[-1] else 1,
            }[place]
        )
