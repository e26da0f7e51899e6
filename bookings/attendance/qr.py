"""A code to be read by a phone's camera, as a drawing in the page."""

import segno
from markupsafe import Markup


def qr_svg(address: str) -> Markup:
    """The address as an inline SVG without styles or scripts; its size is left to the page."""
    drawn = segno.make(address, error="m", micro=False)
    # Made by the library from black and white squares: nothing of the address is in it as text.
    return Markup(drawn.svg_inline(omitsize=True, svgclass="qr", lineclass=None, border=4, light="#fff"))  # noqa: S704
