"""The README tells every setting with its default, and none that does not exist."""

import re
from dataclasses import fields

import pytest

from marketplace.settings import PREFIX, ROOT, Settings

README = ROOT / "README.md"
ROW = re.compile(r"^\|\s*`(MARKETPLACE_[A-Z_]+)`\s*\|\s*(.*?)\s*\|", re.MULTILINE)


@pytest.fixture(scope="module")
def readme() -> str:
    if not README.exists():
        pytest.skip("there is no README.md yet")
    return README.read_text(encoding="utf-8")


def shown(value: object) -> str:
    """A default as the table writes it."""
    if value == "":
        return ""
    if isinstance(value, bool):
        return str(int(value))
    return str(value)


def test_the_table_is_complete(readme: str) -> None:
    assert set(dict(ROW.findall(readme))) == {PREFIX + field.name.upper() for field in fields(Settings)}


def test_the_table_tells_the_defaults(readme: str) -> None:
    rows = {name: default.strip("`") for name, default in ROW.findall(readme)}
    assert rows == {PREFIX + field.name.upper(): shown(field.default) for field in fields(Settings)}


def test_the_readme_stays_short(readme: str) -> None:
    assert len(readme.splitlines()) < 150
