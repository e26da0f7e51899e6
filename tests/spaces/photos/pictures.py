"""Pictures as people hand them in, good and bad, made here byte by byte."""

import io
import struct
import zlib
from typing import Any

from PIL import Image, ImageDraw
from PIL.TiffImagePlugin import IFDRational


def drawing(width: int = 1200, height: int = 900, *, mode: str = "RGB") -> Image.Image:
    """Red on the left, blue on the right, so that turning and mirroring show."""
    image = Image.new("RGB", (width, height), (200, 30, 30))
    ImageDraw.Draw(image).rectangle((width // 2, 0, width, height), fill=(30, 30, 200))
    return image if mode == "RGB" else image.convert(mode, palette=Image.Palette.ADAPTIVE)


def saved(image: Image.Image, kind: str = "JPEG", **options: Any) -> bytes:
    out = io.BytesIO()
    image.save(out, kind, **options)
    return out.getvalue()


def jpeg(width: int = 1200, height: int = 900, **options: Any) -> bytes:
    return saved(drawing(width, height), "JPEG", **options)


def exif_of_a_phone(*, orientation: int = 1) -> Image.Exif:
    """Camera, time and the place it was taken at."""
    exif = Image.Exif()
    exif[0x010F] = "Kamera Oy"
    exif[0x0112] = orientation
    exif[0x0132] = "2026:05:11 18:00:00"
    gps = exif.get_ifd(0x8825)
    gps[1], gps[2] = "N", (IFDRational(60), IFDRational(11), IFDRational(2))
    gps[3], gps[4] = "E", (IFDRational(24), IFDRational(57), IFDRational(10))
    return exif


def chunk(name: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))


def png_of_size(width: int, height: int, *, pixels: bytes = b"") -> bytes:
    """A PNG whose head promises this size, whatever its pixels hold."""
    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", head)
        + chunk(b"IDAT", zlib.compress(pixels or b"\x00" * 100))
        + chunk(b"IEND", b"")
    )


def bomb() -> bytes:
    """A small PNG that is 20,000 × 20,000 pixels of nothing: 1.2 GB unpacked."""
    squeeze = zlib.compressobj(9)
    row = b"\x00" * (20_000 * 3 + 1)
    body = b"".join(squeeze.compress(row * 100) for _ in range(200)) + squeeze.flush()
    head = struct.pack(">IIBBBBB", 20_000, 20_000, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", body) + chunk(b"IEND", b"")


def profile_bomb() -> bytes:
    """A good PNG with a colour profile of a hundred megabytes, squeezed to a hundred kilobytes."""
    good = saved(drawing(640, 480), "PNG")
    body = b"bomb\x00\x00" + zlib.compress(b"\x00" * 100_000_000, 9)
    return good[:33] + chunk(b"iCCP", body) + good[33:]


def webp_of_size(width: int, height: int) -> bytes:
    """A WebP whose head promises this canvas."""
    head = b"\x10\x00\x00\x00" + (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little")
    body = b"WEBPVP8X" + struct.pack("<I", len(head)) + head
    return b"RIFF" + struct.pack("<I", len(body)) + body


def moving(kind: str) -> bytes:
    frames = [drawing(), drawing().transpose(Image.Transpose.ROTATE_180)]
    return saved(frames[0], kind, save_all=True, append_images=frames[1:], duration=100)


SVG = b'<?xml version="1.0"?>\n<svg xmlns="http://www.w3.org/2000/svg" width="800" height="600"><rect/></svg>'
SVG_WITH_SCRIPT = b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'
HTML = b"<!doctype html><script>alert(document.cookie)</script>"
HEIC = b"\x00\x00\x00\x24ftypheic\x00\x00\x00\x00mif1heic" + b"\x00" * 400
