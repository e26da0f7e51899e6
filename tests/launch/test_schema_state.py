from pathlib import Path

from sqlalchemy.engine import Connection

from marketplace.launch.schema import has_city, head_of_files, is_up_to_date
from marketplace.settings import ROOT


def write(folder: Path, name: str, text: str) -> None:
    (folder / "versions").mkdir(exist_ok=True)
    (folder / "versions" / name).write_text(text)


def test_the_newest_file_is_the_head(tmp_path: Path) -> None:
    write(tmp_path, "0001_a.py", 'revision = "0001"\ndown_revision = None\n')
    write(tmp_path, "0002_b.py", "revision: str = '0002'\ndown_revision: str | None = '0001'\n")
    assert head_of_files(tmp_path) == "0002"


def test_two_heads_or_an_unreadable_file_leave_it_to_alembic(tmp_path: Path) -> None:
    write(tmp_path, "0001_a.py", 'revision = "0001"\ndown_revision = None\n')
    write(tmp_path, "0002_b.py", 'revision = "0002"\ndown_revision = None\n')
    assert head_of_files(tmp_path) is None
    write(tmp_path, "0002_b.py", "revision = make_revision()\n")
    assert head_of_files(tmp_path) is None
    assert head_of_files(tmp_path / "nowhere") is None


def test_a_migrated_database_is_up_to_date(connection: Connection) -> None:
    driver = connection.connection.driver_connection
    assert driver is not None
    assert is_up_to_date(driver, ROOT / "migrations")
    assert not has_city(driver)
    connection.exec_driver_sql("UPDATE alembic_version SET version_num = '0000'")
    assert not is_up_to_date(driver, ROOT / "migrations")
