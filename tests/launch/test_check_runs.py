from pathlib import Path

import pytest

from marketplace.launch.check import run_checks


def test_only_failures_show_their_output(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    checks = {"good": ("/bin/sh", "-c", "echo all quiet"), "bad": ("/bin/sh", "-c", "echo line 7; exit 1")}
    assert run_checks(checks, tmp_path) == 1
    said = capsys.readouterr().out
    assert "ok     good" in said
    assert "FAILED bad" in said
    assert said.rstrip().endswith("line 7")
    assert said.count("all quiet") == 0


def test_all_well_is_silent_success(tmp_path: Path) -> None:
    assert run_checks({"good": ("/bin/sh", "-c", "true")}, tmp_path) == 0
