"""What stops a start, each told in one sentence."""

import socket
from pathlib import Path

import pytest

from marketplace.launch.console import LaunchError
from marketplace.launch.run import require_free_port
from tests.launch.conftest import Start
from tests.launch.watching import processes_of

NOWHERE = "postgresql://tilaa:wordofpass@127.0.0.1:{port}/tilaa"


def test_a_taken_port_is_named_with_the_setting(start: Start, checkout: Path, port: int) -> None:
    with socket.create_server(("127.0.0.1", port)):
        refused = start()
        output, _ = refused.communicate(timeout=20)
    assert refused.returncode == 1
    assert output == (
        f"Port {port} is taken by another program: choose another with MARKETPLACE_PORT, "
        f"for example `MARKETPLACE_PORT={port + 1} make run`.\n"
    )
    assert processes_of(checkout) == []


@pytest.mark.parametrize(
    ("host", "port", "said"),
    [
        ("127.0.0.1", 70_000, "MARKETPLACE_PORT"),
        ("192.0.2.1", 8000, "MARKETPLACE_HOST"),
        ("::x", 8000, "MARKETPLACE_HOST"),
    ],
)
def test_an_address_that_is_not_ours_is_refused(host: str, port: int, said: str) -> None:
    with pytest.raises(LaunchError, match=said):
        require_free_port(host, port)


def test_an_unreachable_database_is_named_without_its_password(start: Start, port: int) -> None:
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        refused = start(MARKETPLACE_DATABASE_URL=NOWHERE.format(port=nobody.getsockname()[1]))
        output, _ = refused.communicate(timeout=20)
    assert refused.returncode == 1
    assert output.startswith("The database tilaa on 127.0.0.1:")
    assert "(MARKETPLACE_DATABASE_URL) is out of reach: Connection refused" in output
    assert "wordofpass" not in output
    assert output.count("\n") == 1


@pytest.mark.parametrize(
    "url", ["mysql://root:wordofpass@127.0.0.1/tilaa", "postgresql://tilaa:word:ofpass@host:x/y"]
)
def test_an_address_of_something_else_is_refused_without_repeating_it(start: Start, url: str) -> None:
    refused = start(MARKETPLACE_DATABASE_URL=url)
    output, _ = refused.communicate(timeout=20)
    assert refused.returncode == 1
    assert "MARKETPLACE_DATABASE_URL" in output
    assert "ofpass" not in output
    assert output.count("\n") == 1


def test_a_setting_that_is_not_a_number_is_refused(start: Start) -> None:
    refused = start(MARKETPLACE_PORT="eighty")
    output, _ = refused.communicate(timeout=20)
    assert refused.returncode == 1
    assert "MARKETPLACE_PORT must be a whole number" in output
    assert "Traceback" not in output
