"""From a file that somebody hands in to files that we serve: nothing of the first one's bytes is kept.

What it is follows from its content, never from its name. Its size is read from its head and refused before anything is
unpacked. What is kept is drawn anew pixel by pixel in sRGB, upright, so that no place, no time, no camera and nothing
hidden behind the picture comes along. The same file always gives the same bytes.
"""

import io
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from PIL import Image, ImageCms

from marketplace.errors import N_, FieldError, Invalid
from spaces.photos.rules import (
    LEAST_HEIGHT,
    LEAST_WIDTH,
    MOST_BYTES,
    MOST_PIXELS,
    STEEPEST,
    WIDTHS,
)

WEBP_QUALITY, JPEG_QUALITY = 80, 82
WAIT_SECONDS = 20.0
HEIC = (b"heic", b"heix", b"hevc", b"heim", b"heis", b"mif1", b"msf1")
MIMES = {"JPEG": "image/jpeg", "PNG": "image/png", "WEBP": "image/webp"}
# The EXIF tag of how a camera was held, and what sets its picture upright.
ORIENTATION = 0x0112
TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
SIDEWAYS = frozenset(TURNS[code] for code in (5, 6, 7, 8))
NOT_A_PHOTO = N_("This is not a JPEG, PNG or WebP picture.")
BROKEN = N_("The picture is broken or not whole. Save it again and add it once more.")
# Fifty million pixels take two hundred megabytes, twice that where colours are converted: one at a time in a process.
_unpacking = threading.BoundedSemaphore(1)


@dataclass(frozen=True)
class Rendition:
    """One file to keep: its step among `rules.WIDTHS`, the ending of its name, and its bytes."""

    width: int
    ending: str
    content_type: str
    data: bytes


@dataclass(frozen=True)
class Prepared:
    """A photo ready to be kept; `width` and `height` are those of its largest file."""

    digest: str
    content_type: str
    width: int
    height: int
    renditions: list[Rendition]


def refused(code: str, text: str, **values: Any) -> Invalid:
    return Invalid(FieldError("file", code, text, tuple(values.items())))


def prepare(data: bytes) -> Prepared:
    """The files to keep of a photo that was handed in. Raises Invalid about the field `file`."""
    if not data:
        raise refused("empty", N_("The file is empty."))
    if len(data) > MOST_BYTES:
        raise refused("too-large", N_("The file is larger than %(most)d MB."), most=MOST_BYTES // 1024**2)
    kind = kind_of(data)
    with alone():
        image = drawn_anew(opened(data, kind))
        renditions = list(renditions_of(image))
    width, height = sized(image, WIDTHS[-1])
    return Prepared(sha256(data).hexdigest(), MIMES[kind], width, height, renditions)


def kind_of(data: bytes) -> str:
    """JPEG, PNG or WEBP by the first bytes, with Pillow's names."""
    if data.startswith(b"\xff\xd8\xff"):
        return "JPEG"
    if data.startswith(b"\x89PNG\r\n\x1a\n"):
        return "PNG"
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "WEBP"
    if data[4:8] == b"ftyp" and data[8:12] in HEIC:
        text = N_(
            "This is a HEIC picture, which many browsers cannot show. Save it as JPEG and add it again."
        )
        raise refused("heic", text)
    head = data[:1024].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if head.startswith((b"<?xml", b"<svg", b"<!--", b"<!doctype svg")) and b"<svg" in data[:65536].lower():
        text = N_("This is an SVG drawing, which can hold scripts. Save it as PNG or JPEG and add it again.")
        raise refused("svg", text)
    raise refused("not-a-photo", NOT_A_PHOTO)


@contextmanager
def alone() -> Iterator[None]:
    """Raises Invalid where others are at it for too long."""
    if not _unpacking.acquire(timeout=WAIT_SECONDS):
        raise refused("busy", N_("Many photos are being added just now. Add this one again in a moment."))
    try:
        yield
    finally:
        _unpacking.release()


def opened(data: bytes, kind: str) -> Image.Image:
    """The picture with its head read and its size allowed; nothing is unpacked yet."""
    if kind == "WEBP":  # Pillow makes room for a whole WebP as soon as it is opened
        require_size(*webp_size(data))
    try:
        image = Image.open(io.BytesIO(data), formats=[kind])
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise too_many_pixels() from None
    except Exception:  # noqa: BLE001 - a broken file makes the library raise almost anything
        raise refused("broken", BROKEN) from None
    require_size(*image.size)
    # A JPEG of a phone may bring a depth map along as a second picture; only the first one is drawn.
    if kind != "JPEG" and getattr(image, "n_frames", 1) > 1:
        raise refused("animated", N_("This picture moves. Add one that stands still."))
    return image


def webp_size(data: bytes) -> tuple[int, int]:
    """Width and height as the head of a WebP file says (RFC 9649)."""
    try:
        chunk = data[12:16]
        if chunk == b"VP8X":
            return (
                int.from_bytes(data[24:27], "little") + 1,
                int.from_bytes(data[27:30], "little") + 1,
            )
        if chunk == b"VP8L" and data[20] == 0x2F:
            bits = int.from_bytes(data[21:25], "little")
            return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
        if chunk == b"VP8 " and data[23:26] == b"\x9d\x01\x2a":
            width, height = struct.unpack("<HH", data[26:30])
            return width & 0x3FFF, height & 0x3FFF
    except (IndexError, struct.error):
        pass
    raise refused("broken", BROKEN)


def too_many_pixels() -> Invalid:
    text = N_("The picture has more than %(most)d million pixels. Make it smaller and add it again.")
    return refused("too-many-pixels", text, most=MOST_PIXELS // 1_000_000)


def require_size(width: int, height: int) -> None:
    """Raises Invalid for what is too large to unpack, too small to show, or too long to fit a page."""
    if width * height > MOST_PIXELS:
        raise too_many_pixels()
    if max(width, height) < LEAST_WIDTH or min(width, height) < LEAST_HEIGHT:
        text = N_(
            "The picture is only %(width)d × %(height)d pixels. It should be at least %(least_width)d × %(least_height)d."
        )
        raise refused(
            "too-small", text, width=width, height=height, least_width=LEAST_WIDTH, least_height=LEAST_HEIGHT
        )
    if max(width, height) > STEEPEST * min(width, height):
        text = N_("The picture is too long and narrow: one side is more than %(times)d times the other.")
        raise refused("too-long", text, times=STEEPEST)


def drawn_anew(image: Image.Image) -> Image.Image:
    """Unpacked, upright, in sRGB on white, at most as wide as the largest file, and nothing but pixels."""
    profile = image.info.get("icc_profile")
    try:
        turn = turn_of(image)
        image.draft(
            None, (WIDTHS[-1], WIDTHS[-1])
        )  # a large JPEG is unpacked at a half, a quarter or an eighth
        image.load()
        small = smaller(plain(image), sideways=turn in SIDEWAYS)
        flat = on_white(small if turn is None else small.transpose(turn), profile)
    except Exception:  # noqa: BLE001 - a broken file makes the library raise almost anything
        raise refused("broken", BROKEN) from None
    anew = Image.new("RGB", flat.size)
    anew.paste(flat)
    return anew


def turn_of(image: Image.Image) -> Image.Transpose | None:
    """How the camera was held."""
    try:
        return TURNS.get(image.getexif().get(ORIENTATION, 1))
    except Exception:  # noqa: BLE001 - notes about a picture that cannot be read do not make it a worse picture
        return None


def plain(image: Image.Image) -> Image.Image:
    """In a mode that can be made smaller without stripes: one of L, RGB, RGBA, CMYK."""
    if image.mode.startswith("I") or image.mode == "F":
        # Sixteen bits of grey: the upper eight are kept.
        return image.convert("I").point(lambda value: value * (1 / 256)).convert("L")
    if image.mode in {"L", "RGB", "RGBA", "CMYK"} and "transparency" not in image.info:
        return image
    has_alpha = "a" in image.mode.lower() or "transparency" in image.info
    return image.convert("RGBA" if has_alpha else "RGB")


def smaller(image: Image.Image, *, sideways: bool) -> Image.Image:
    """At most as wide, once it is upright, as the largest file."""
    width, height = image.size[::-1] if sideways else image.size
    if width <= WIDTHS[-1]:
        return image
    size = (WIDTHS[-1], max(1, round(height * WIDTHS[-1] / width)))
    return image.resize(size[::-1] if sideways else size, Image.Resampling.LANCZOS, reducing_gap=3.0)


def on_white(image: Image.Image, profile: bytes | None) -> Image.Image:
    """Without transparency, in the colours that browsers take for granted."""
    if image.mode == "RGBA":
        white = Image.new("RGBA", image.size, "white")
        image = Image.alpha_composite(white, image).convert("RGB")
    if profile and image.mode in {"RGB", "CMYK"}:
        try:
            converted = ImageCms.profileToProfile(
                image,
                ImageCms.ImageCmsProfile(io.BytesIO(profile)),
                ImageCms.createProfile("sRGB"),
                outputMode="RGB",
            )
        except (ImageCms.PyCMSError, OSError, ValueError):
            converted = None  # a profile that cannot be used is as good as none
        if converted is not None:
            return converted
    return image.convert("RGB")


def sized(image: Image.Image, width: int) -> tuple[int, int]:
    """Width and height of the file of this step; never larger than the picture."""
    if image.width <= width:
        return image.size
    return width, max(1, round(image.height * width / image.width))


def renditions_of(image: Image.Image) -> Iterator[Rendition]:
    for step in WIDTHS:
        size = sized(image, step)
        shown = image if size == image.size else image.resize(size, Image.Resampling.LANCZOS)
        yield Rendition(step, "webp", "image/webp", saved(shown, "WEBP", quality=WEBP_QUALITY, method=4))
    yield Rendition(
        WIDTHS[-1],
        "jpg",
        "image/jpeg",
        saved(image, "JPEG", quality=JPEG_QUALITY, optimize=True, progressive=True),
    )


def saved(image: Image.Image, kind: str, **options: Any) -> bytes:
    out = io.BytesIO()
    image.save(out, kind, **options)
    return out.getvalue()
