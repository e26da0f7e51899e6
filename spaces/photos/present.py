"""A photo as pages and programs get it: addresses, sizes, and what it shows."""

from dataclasses import dataclass

from flask import url_for

from marketplace.db import Localised
from spaces.photos.rules import WIDTHS, Picture

THUMBNAIL, LARGEST = WIDTHS[0], WIDTHS[-1]


@dataclass(frozen=True)
class Shown:
    """A photo for an `img`: `srcset` has each real width once; `large` is the address of the largest file."""

    src: str
    srcset: str
    large: str
    width: int
    height: int
    alts: Localised
    credit: str


def address_of(key: str, width: int, ending: str = "webp", *, external: bool = False) -> str:
    return url_for("pictures.picture", name=f"{key}-{width}.{ending}", _external=external)


def thumbnail(key: str) -> str:
    return address_of(key, THUMBNAIL)


def sharing_address(picture: Picture) -> str:
    """The JPEG that other services show beside a link."""
    return address_of(picture.key, LARGEST, "jpg", external=True)


def addresses_of(picture: Picture, *, external: bool = False) -> list[tuple[int, str]]:
    """(real width, address) of each WebP, narrow ones first."""
    return [(width, address_of(picture.key, step, external=external)) for step, width in picture.sizes()]


def shown(picture: Picture) -> Shown:
    found = addresses_of(picture)
    return Shown(
        src=found[min(1, len(found) - 1)][1],
        srcset=", ".join(f"{address} {width}w" for width, address in found),
        large=found[-1][1],
        width=picture.width,
        height=picture.height,
        alts=picture.alts,
        credit=picture.credit,
    )
