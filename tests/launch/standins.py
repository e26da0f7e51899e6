"""Stand-ins for the application's commands, and a start with them. Run by path, in a process of its own."""

import os
import signal
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import NoReturn

import psycopg

from marketplace.launch.run import Commands, main


class Answer(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()


def web() -> None:
    ThreadingHTTPServer(("127.0.0.1", int(os.environ["MARKETPLACE_PORT"])), Answer).serve_forever()


def worker() -> None:
    threading.Event().wait()


def deaf_worker() -> None:
    """One that neither stops when asked nor keeps to one process."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    os.fork()
    threading.Event().wait()


def broken_worker() -> NoReturn:
    sys.exit("the worker cannot go on")


def migrate() -> None:
    with psycopg.connect(os.environ["MARKETPLACE_DATABASE_URL"]) as connection:
        connection.execute("CREATE TABLE alembic_version (version_num text)")
        connection.execute("INSERT INTO alembic_version VALUES ('0001')")
        connection.execute("CREATE TABLE city (id int)")


def load_demo() -> None:
    with psycopg.connect(os.environ["MARKETPLACE_DATABASE_URL"]) as connection:
        connection.execute("INSERT INTO city VALUES (1)")


def accounts() -> None:
    sys.stdout.write("aino@example.org\n")


def launch(root: str, worker_name: str = "worker") -> NoReturn:
    def command(name: str) -> list[str]:
        return [sys.executable, __file__, name]

    commands = Commands(
        web=command("web"),
        worker=command(worker_name),
        migrate=command("migrate"),
        load_demo=command("load_demo"),
        demo_accounts=command("accounts"),
    )
    sys.exit(main(Path(root), commands))


if __name__ == "__main__":
    globals()[sys.argv[1]](*sys.argv[2:])
