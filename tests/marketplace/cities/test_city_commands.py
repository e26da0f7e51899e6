"""An operator makes a city and gives it its looks."""

import pytest
from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session

from marketplace.cities.models import City, VatRate
from marketplace.cities.theme import theme_problems

GREEN = {
    "brand": "#0e5740",
    "brand-strong": "#06352a",
    "brand-soft": "#e8f3ee",
    "tint": "#f3f5ef",
    "tint-2": "#dbe8df",
    "accent": "#f2a65a",
    "accent-soft": "#fdeedd",
    "focus": "#8a3ffc",
}


def test_a_city_is_made_with_its_standard_rate(app: Flask, session: Session, connection: object) -> None:
    result = app.test_cli_runner().invoke(
        args=["city", "create", "merikyla", "--name", "fi=Merikylä", "--name", "sv=Havsby", "--crs", "3067"]
    )
    assert result.exit_code == 0, result.output
    city = session.scalars(select(City).where(City.slug == "merikyla")).one()
    assert city.names == {"fi": "Merikylä", "sv": "Havsby"}
    assert session.scalars(select(VatRate.basis_points).where(VatRate.city_id == city.id)).all() == [2550]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["Big City", "--name", "fi=A"], "small letters"),
        (["town", "--name", "de=Stadt"], "fi, sv or en"),
        (["town", "--name", "fi=A", "--zone", "Europe/Atlantis"], "time zone"),
        (["town", "--name", "fi=A", "--crs", "4326"], "metres"),
        (["town", "--name", "fi=A", "--crs", "1"], "metres"),
        (["town", "--name", "fi=A", "--vat", "2550"], "between 0 and 100"),
        (["town", "--name", "Kaupunki"], "NAME=VALUE"),
    ],
)
def test_a_wrong_value_is_named(app: Flask, connection: object, arguments: list[str], words: str) -> None:
    result = app.test_cli_runner().invoke(args=["city", "create", *arguments])
    assert result.exit_code != 0
    assert words in result.output


def test_a_city_is_dressed(app: Flask, session: Session, city: City) -> None:
    colours = [part for name, value in GREEN.items() for part in ("--colour", f"{name}={value}")]
    result = app.test_cli_runner().invoke(
        args=[
            "city",
            "set",
            "helsinki",
            "--product-name",
            "Tila Merikylä",
            "--host",
            "tilat.example.org",
            *colours,
        ]
    )
    assert result.exit_code == 0, result.output
    session.expire_all()
    assert city.product_name == "Tila Merikylä"
    assert city.host == "tilat.example.org"
    assert city.theme == GREEN
    response = app.test_client().get("/theme.css", headers={"Host": "tilat.example.org"})
    assert "--city-brand:#0e5740;" in response.text


def test_colours_that_are_hard_to_read_are_refused(app: Flask, session: Session, city: City) -> None:
    result = app.test_cli_runner().invoke(args=["city", "set", "helsinki", "--colour", "brand=#88aaff"])
    assert result.exit_code != 0
    assert "contrast" in result.output
    session.expire_all()
    assert city.theme == {}


def test_a_logo_comes_from_the_static_folder_only(app: Flask, city: City) -> None:
    result = app.test_cli_runner().invoke(args=["city", "set", "helsinki", "--logo", "../../wsgi.py"])
    assert result.exit_code != 0
    assert "static" in result.output


def test_the_default_theme_keeps_its_contrasts() -> None:
    assert theme_problems({}) == []
    assert theme_problems({"accent": "red"}) != []
