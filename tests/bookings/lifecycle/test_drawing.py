"""The documentation shows the life cycle that the program has."""

from bookings.lifecycle.drawing import life_cycle
from marketplace.settings import ROOT


def test_the_documented_life_cycle_is_the_real_one() -> None:
    text = (ROOT / "docs" / "bookings.md").read_text(encoding="utf-8")
    drawn = text.partition("<!-- flask bookings draw -->\n")[2].partition("<!-- end -->")[0]
    assert drawn.strip() == life_cycle().strip()
