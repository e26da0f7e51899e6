from pathlib import Path

import pytest

from marketplace.launch import browser
from marketplace.launch.browser import find_chromium
from marketplace.launch.console import LaunchError


def program(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("#!/bin/sh\n")
    path.chmod(0o755)
    return path


def test_the_chosen_one_comes_first(tmp_path: Path) -> None:
    chosen, system = program(tmp_path / "mine"), program(tmp_path / "bin" / "chromium")
    environ = {"MARKETPLACE_CHROMIUM": str(chosen), "PATH": str(system.parent)}
    assert find_chromium(environ=environ) == chosen


def test_a_chosen_one_that_is_missing_is_named(tmp_path: Path) -> None:
    with pytest.raises(LaunchError, match="MARKETPLACE_CHROMIUM names /nowhere/chromium"):
        find_chromium(environ={"MARKETPLACE_CHROMIUM": "/nowhere/chromium", "PATH": str(tmp_path)})


@pytest.mark.parametrize("name", ["chromium", "chromium-browser", "google-chrome"])
def test_the_systems_is_found_by_its_names(tmp_path: Path, name: str) -> None:
    system = program(tmp_path / name)
    assert find_chromium(environ={"PATH": str(tmp_path), "HOME": str(tmp_path)}) == system


def test_playwrights_newest_is_found_without_a_systems(tmp_path: Path) -> None:
    for build in ("chromium-999", "chromium-1187"):
        program(tmp_path / ".cache" / "ms-playwright" / build / "chrome-linux" / "chrome")
    found = find_chromium(environ={"PATH": str(tmp_path), "HOME": str(tmp_path)})
    assert "chromium-1187" in found.parts


def test_without_any_it_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(LaunchError, match="apt install chromium"):
        find_chromium(install=True, environ={"PATH": str(tmp_path), "HOME": str(tmp_path)})


def test_debians_package_is_installed_only_when_asked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program(tmp_path / "apt-get")
    environ = {"PATH": str(tmp_path), "HOME": str(tmp_path)}
    monkeypatch.setattr("os.geteuid", lambda: 0)
    monkeypatch.setattr(browser, "install_chromium", lambda: program(tmp_path / "chromium"))
    with pytest.raises(LaunchError):
        find_chromium(environ=environ)
    assert find_chromium(install=True, environ=environ) == tmp_path / "chromium"
