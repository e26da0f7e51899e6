from pathlib import Path

import psycopg
import pytest
import sqlalchemy

from marketplace.launch.console import LaunchError
from marketplace.launch.database import FAST, embedded_postgres, ensure_database, sqlalchemy_url
from tests.launch.watching import processes_of


def value(url: str, query: str) -> object:
    with psycopg.connect(url) as connection:
        row = connection.execute(query).fetchone()
        return row[0] if row else None


def test_data_outlives_the_server_and_commits_are_synchronous(checkout: Path) -> None:
    with embedded_postgres(checkout / "data") as url:
        assert (
            value(url, "SELECT current_setting('synchronous_commit') || current_setting('fsync')") == "onon"
        )
        with psycopg.connect(url) as connection:
            connection.execute("CREATE TABLE kept AS SELECT 42 AS answer")
    assert processes_of(checkout) == []
    with embedded_postgres(checkout / "data", settings=FAST) as url:
        assert (
            value(url, "SELECT current_setting('synchronous_commit') || current_setting('fsync')") == "offoff"
        )
        assert value(url, "SELECT answer FROM kept") == 42


def test_the_last_user_stops_the_server(checkout: Path) -> None:
    with embedded_postgres(checkout / "data", database="one", settings=FAST):
        with embedded_postgres(checkout / "data", database="two", settings=FAST) as url:
            assert value(url, "SELECT current_database()") == "two"
        assert value(url, "SELECT 1") == 1
    assert processes_of(checkout) == []


def test_databases_are_made_on_demand_and_sqlalchemy_reads_their_url(checkout: Path) -> None:
    with embedded_postgres(checkout / "data", settings=FAST) as url:
        other = ensure_database(url, "measure 1")
        assert ensure_database(url, "measure 1") == other
        engine = sqlalchemy.create_engine(sqlalchemy_url(other))
        with engine.connect() as connection:
            assert connection.scalar(sqlalchemy.text("SELECT current_database()")) == "measure 1"
        engine.dispose()


def test_a_path_too_long_for_a_socket_gets_a_short_one(checkout: Path) -> None:
    deep = checkout / ("d" * 60) / ("e" * 60)
    with embedded_postgres(deep / "data with space", settings=FAST) as url:
        assert value(url, "SELECT 1") == 1
        assert str(deep) not in url
        socket_folder = Path(url.partition("host=")[2].partition("&")[0])
        assert socket_folder.is_dir()
    assert not socket_folder.exists()


def test_a_creation_that_was_interrupted_starts_over(checkout: Path) -> None:
    half = checkout / "data.new"
    half.mkdir()
    (half / "PG_VERSION").write_text("18")
    with embedded_postgres(checkout / "data", settings=FAST) as url:
        assert value(url, "SELECT 1") == 1


def test_a_folder_with_something_else_is_left_alone(checkout: Path) -> None:
    (checkout / "data").mkdir()
    (checkout / "data" / "letter.txt").write_text("dear")
    with pytest.raises(LaunchError, match="holds something else"), embedded_postgres(checkout / "data"):
        pass
    assert (checkout / "data" / "letter.txt").exists()


def test_a_server_that_cannot_start_points_to_its_log(checkout: Path) -> None:
    wrong = {**FAST, "shared_buffers": "many"}
    with (
        pytest.raises(LaunchError, match=r"logs/data\.log says why"),
        embedded_postgres(checkout / "data", settings=wrong),
    ):
        pass
    assert "shared_buffers" in (checkout / "logs" / "data.log").read_text()
    assert processes_of(checkout) == []
