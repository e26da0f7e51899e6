"""Habits that a linter does not know: who may commit, who may ask the time, who may import GeoPandas."""

import ast
from pathlib import Path

import pytest

from marketplace.settings import ROOT
from tests.architecture.sources import PACKAGES, python_files, relative, tree_of

DOMAIN = {"actions.py", "rules.py", "policy.py", "queries.py", "notices.py"}
# `marketplace/geo.py` for one point, these for tables of places (house style, section 7); the demo computes outlines.
GEOPANDAS = (
    "spaces/demo/",
    "spaces/districts/",
    "spaces/transfer/",
    "partners/portfolio/",
    "marketplace/geo.py",
)


def calls(path: Path) -> list[tuple[int, str]]:
    """(line, dotted name) of every call."""
    return [(n.lineno, ast.unparse(n.func)) for n in ast.walk(tree_of(path)) if isinstance(n, ast.Call)]


@pytest.mark.parametrize("path", [p for p in python_files() if p.name in DOMAIN], ids=relative)
def test_domain_files_never_commit(path: Path) -> None:
    assert [line for line, name in calls(path) if name.endswith((".commit", ".rollback"))] == []


@pytest.mark.parametrize("path", [p for p in python_files() if p.name == "rules.py"], ids=relative)
def test_rules_do_not_ask_the_time(path: Path) -> None:
    asking = ("now", "datetime.now", "date.today", "datetime.utcnow", "time.time")
    assert [(line, name) for line, name in calls(path) if name in asking] == []


@pytest.mark.parametrize("path", list(python_files()), ids=relative)
def test_no_text_is_marked_inside_an_f_string(path: Path) -> None:
    """Where texts are gathered for translation those are not seen, and everybody would read them in English."""
    marked = [
        (call.lineno, ast.unparse(call))
        for string in ast.walk(tree_of(path))
        if isinstance(string, ast.JoinedStr)
        for call in ast.walk(string)
        if isinstance(call, ast.Call)
        and ast.unparse(call.func) in {"gettext", "ngettext", "lazy_gettext", "N_"}
        and any(isinstance(argument, ast.Constant) for argument in call.args)
    ]
    assert marked == []


def test_only_the_clock_asks_the_time() -> None:
    """Everything else takes it from `marketplace.clock.now` or as an argument."""
    asking = [
        f"{relative(path)}:{line}"
        for path in python_files()
        if relative(path) != "marketplace/clock.py" and not relative(path).startswith("marketplace/launch/")
        for line, name in calls(path)
        if name in {"datetime.now", "datetime.utcnow", "date.today", "datetime.date.today"}
    ]
    # The day that prices are looked up for when a search names none.
    assert [place for place in asking if not place.startswith("spaces/search/queries.py")] == []


def test_geopandas_stays_where_tables_of_places_are() -> None:
    strangers = []
    for path in python_files():
        for node in ast.walk(tree_of(path)):
            names = (
                [alias.name for alias in node.names]
                if isinstance(node, ast.Import)
                else [node.module or ""]
                if isinstance(node, ast.ImportFrom)
                else []
            )
            if any(name.partition(".")[0] == "geopandas" for name in names) and not relative(path).startswith(
                GEOPANDAS
            ):
                strangers.append(relative(path))
    assert strangers == []


def test_no_package_has_an_empty_folder_for_later() -> None:
    empty = [
        relative(folder)
        for package in PACKAGES
        for folder in (ROOT / package).rglob("*")
        if folder.is_dir()
        and "__pycache__" not in folder.parts
        and not any(
            f.is_file() and f.name != "__init__.py" and "__pycache__" not in f.parts
            for f in folder.rglob("*")
        )
    ]
    assert empty == []


def test_every_function_promises_types() -> None:
    """mypy is strict; this names the sinner without running it."""
    bare = [
        f"{relative(path)}:{node.lineno} {node.name}"
        for path in python_files()
        for node in ast.walk(tree_of(path))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.returns is None
    ]
    assert bare == []
