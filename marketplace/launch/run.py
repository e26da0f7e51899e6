"""`make run`: database, web server and worker of one checkout, started together and stopped together."""

import errno
import fcntl
import http.client
import json
import os
import select
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import psycopg
from psycopg.conninfo import conninfo_to_dict

from marketplace.launch.console import LaunchError, complain, say
from marketplace.launch.database import embedded_postgres
from marketplace.launch.processes import Child, Children, stop_leftovers
from marketplace.launch.schema import has_city, is_up_to_date
from marketplace.settings import ROOT, Settings, SettingsError, read_settings

WEB_WORKERS = 2
READY_SECONDS = 60
OLDEST_POSTGRES = 15
FAREWELLS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@dataclass(frozen=True)
class Commands:
    """What is started; tests put stand-ins here."""

    web: list[str]
    worker: list[str]
    migrate: list[str]
    load_demo: list[str]
    demo_accounts: list[str]


class Stopped(Exception):
    """Someone asked us to stop."""


def commands_for(settings: Settings) -> Commands:
    flask = [sys.executable, "-m", "flask", "--app", "wsgi"]
    web = [sys.executable, "-m", "granian", "--interface", "wsgi", "wsgi:app", "--no-ws"]
    address = ["--host", settings.host, "--port", str(settings.port)]
    # A request holds one database connection: more threads than connections would only wait.
    capacity = ["--workers", str(WEB_WORKERS), "--blocking-threads", str(settings.database_pool)]
    return Commands(
        web=[*web, *address, *capacity, "--workers-kill-timeout", "5"],
        worker=[*flask, "worker"],
        migrate=[*flask, "db", "upgrade"],
        load_demo=[*flask, "demo", "load", "--if-empty"],
        demo_accounts=[*flask, "demo", "accounts"],
    )


def main(root: Path = ROOT, commands: Commands | None = None) -> int:
    try:
        settings = read_settings()
    except SettingsError as error:
        complain(LaunchError(str(error)))
        return 1
    return Launch(root, settings, commands or commands_for(settings)).run()


class Launch:
    """One run from start to stop."""

    def __init__(self, root: Path, settings: Settings, commands: Commands) -> None:
        self.root = root
        self.settings = settings
        self.commands = commands
        self.asked_to_stop = threading.Event()
        self.terminal = Terminal()

    def run(self) -> int:
        """Start everything, wait, stop everything. Returns the exit code: 0 when asked to stop."""
        for farewell in FAREWELLS:
            if signal.getsignal(farewell) != signal.SIG_IGN:  # as under nohup
                signal.signal(farewell, lambda *_: self.asked_to_stop.set())
        try:
            with only_one(self.root):
                stop_leftovers(self.root)
                require_free_port(self.settings.host, self.settings.port)
                with self.database() as url:
                    self.serve(url)
        except LaunchError as error:
            complain(error)
            return 1
        except psycopg.Error as error:
            complain(LaunchError(f"The database refused: {error}"))
            return 1
        except Stopped:
            say("Stopped.")
        return 0

    @contextmanager
    def database(self) -> Iterator[str]:
        """URL of the database that the settings name, or of the embedded one."""
        if self.settings.database_url:
            require_database(self.settings.database_url)
            yield self.settings.database_url
        else:
            say("Starting PostgreSQL (data in instance/postgres)")
            with embedded_postgres(self.root / "instance" / "postgres") as url:
                yield url

    def serve(self, url: str) -> None:
        """Run web and worker until asked to stop (Stopped) or until one of them ends (LaunchError)."""
        settings = {"MARKETPLACE_DATABASE_URL": url, "PYTHONUNBUFFERED": "1"}
        children = Children(self.root, {**os.environ, **settings})
        try:
            self.fill(children, url)
            say("Starting the web server and the worker")
            web = children.start("web", self.commands.web)
            children.start("worker", self.commands.worker)
            self.wait_until_ready(children, web)
            say(self.welcome(url))
            while True:
                self.check(children)
                self.asked_to_stop.wait(0.25)
        finally:
            if children.running and self.asked_to_stop.is_set():
                say("\nStopping")
            children.stop()

    def fill(self, children: Children, url: str) -> None:
        """Bring the tables up to date and load the demo city where there is none."""
        with psycopg.connect(libpq_url(url)) as connection:
            migrated = is_up_to_date(connection, self.root / "migrations")
            filled = migrated and has_city(connection)
        if not migrated:
            say("Updating the database tables")
            self.finish(children, "migrate", self.commands.migrate)
        if not filled and not self.settings.is_production:
            say("Loading the demo city where the database is empty")
            self.finish(children, "demo", self.commands.load_demo)

    def finish(self, children: Children, name: str, command: list[str]) -> None:
        """Run a command to its end, still answering to Ctrl-C."""
        child = children.start(name, command)
        while child.process.poll() is None:
            self.check_stop()
            self.asked_to_stop.wait(0.05)
        if child.process.returncode:
            raise ended(child)
        children.forget(child)

    def check_stop(self) -> None:
        if self.asked_to_stop.is_set() or self.terminal.has_gone():
            raise Stopped

    def check(self, children: Children) -> None:
        """Raises Stopped when asked to stop and LaunchError when a process ended by itself."""
        self.check_stop()
        if (child := children.ended()) is not None:
            raise ended(child)

    def wait_until_ready(self, children: Children, web: Child) -> None:
        deadline = time.monotonic() + READY_SECONDS
        while not is_ready(self.settings.host, self.settings.port):
            self.check(children)
            if time.monotonic() > deadline:
                raise LaunchError(
                    f"Not ready after {READY_SECONDS} seconds; instance/logs/{web.log.name} says why.\n{tail(web.log)}"
                )
            self.asked_to_stop.wait(0.05)

    def welcome(self, url: str) -> str:
        lines = [f"\nTilaa is ready: {self.settings.base_url}"]
        if not self.settings.is_production and (accounts := self.demo_accounts(url)):
            lines += ["", accounts]
        return "\n".join([*lines, "", "Logs are in instance/logs. Stop with Ctrl-C."])

    def demo_accounts(self, url: str) -> str:
        """The demo accounts as the application lists them; remembered, for asking takes a second."""
        memory = self.root / "instance" / "demo-accounts.json"
        with psycopg.connect(libpq_url(url)) as connection:
            identity = connection.execute(
                "SELECT system_identifier || '/' || oid FROM pg_control_system(), pg_database "
                "WHERE datname = current_database()"
            ).fetchone()
        key = str(identity[0]) if identity else ""
        with suppress(FileNotFoundError, ValueError):
            remembered = json.loads(memory.read_text())
            if key in remembered:
                return str(remembered[key])
        env = {**os.environ, "MARKETPLACE_DATABASE_URL": url}
        listed = subprocess.run(
            self.commands.demo_accounts,
            cwd=self.root,
            env=env,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            check=False,
        )
        if listed.returncode:
            return ""  # the product runs all the same
        accounts = listed.stdout.decode().strip()
        memory.write_text(json.dumps({key: accounts}))
        return accounts


@contextmanager
def only_one(root: Path) -> Iterator[None]:
    """Hold the checkout for this run. Raises LaunchError when another run holds it."""
    (root / "instance").mkdir(exist_ok=True)
    with (root / "instance" / "run.lock").open("a+") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.seek(0)
            raise LaunchError(
                f"Tilaa is already running in this folder (process {lock.read().strip()})."
            ) from None
        lock.truncate(0)
        lock.write(str(os.getpid()))
        lock.flush()
        yield


def require_free_port(host: str, port: int) -> None:
    """Raises LaunchError when nothing can listen there."""
    if not 0 < port < 65_536:
        raise LaunchError(f"MARKETPLACE_PORT must be between 1 and 65535, not {port}.")
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind, protocol) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
    except PermissionError:
        raise LaunchError(
            f"Port {port} is reserved for administrators: set MARKETPLACE_PORT above 1023."
        ) from None
    except socket.gaierror:
        raise LaunchError(f"MARKETPLACE_HOST {host} is not an address of this machine.") from None
    except OSError as error:
        if error.errno != errno.EADDRINUSE:
            raise LaunchError(f"MARKETPLACE_HOST {host} is not an address of this machine.") from None
        raise LaunchError(
            f"Port {port} is taken by another program: choose another with MARKETPLACE_PORT, "
            f"for example `MARKETPLACE_PORT={port + 1} make run`."
        ) from None


def require_database(url: str) -> None:
    """Raises LaunchError, never showing the password, when the database cannot be used."""
    try:
        parts = conninfo_to_dict(libpq_url(url))
    except psycopg.ProgrammingError:
        raise LaunchError(
            "MARKETPLACE_DATABASE_URL is not a PostgreSQL address such as postgresql://user:password@host/database."
        ) from None
    place = f"{parts.get('dbname', '')} on {parts.get('host', 'this machine')}:{parts.get('port', 5432)}"
    try:
        with psycopg.connect(libpq_url(url), connect_timeout=5) as connection:
            version = connection.info.server_version // 10_000
    except psycopg.OperationalError as error:
        reason = str(error).partition("\n")[0].rpartition("failed: ")[2].removeprefix("FATAL:").strip()
        if password := parts.get("password"):
            reason = reason.replace(str(password), "***")
        raise LaunchError(
            f"The database {place} (MARKETPLACE_DATABASE_URL) is out of reach: {reason}"
        ) from None
    if version < OLDEST_POSTGRES:
        raise LaunchError(
            f"The database {place} is PostgreSQL {version}; Tilaa needs {OLDEST_POSTGRES} or newer."
        )


class Terminal:
    """The terminal we were started from, if any.

    When its window closes the kernel tells only the session's first process. A shell passes that on; where `make`
    comes first, as in `ssh -t host make run`, nobody does.
    """

    def __init__(self) -> None:
        self.poll = select.poll()
        for descriptor in (0, 1, 2):
            if os.isatty(descriptor):
                self.poll.register(descriptor, select.POLLHUP)

    def has_gone(self) -> bool:
        return any(event & select.POLLHUP for _, event in self.poll.poll(0))


def libpq_url(url: str) -> str:
    return url.replace("postgresql+psycopg://", "postgresql://", 1)


def is_ready(host: str, port: int) -> bool:
    """Whether the web server says that it and its database are ready."""
    reachable = {"0.0.0.0": "127.0.0.1", "": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104 - compared only
    connection = http.client.HTTPConnection(reachable, port, timeout=5)
    try:
        connection.request("GET", "/health/ready")
        return connection.getresponse().status == http.HTTPStatus.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def ended(child: Child) -> LaunchError:
    code = child.process.returncode
    how = f"exit code {code}" if code >= 0 else f"signal {-code}"
    return LaunchError(
        f"{tail(child.log)}\n\nThe {child.name} process ended ({how}); all of it is in instance/logs/{child.log.name}."
    )


def tail(log: Path, lines: int = 15) -> str:
    return "\n".join(log.read_text(errors="replace").splitlines()[-lines:])


if __name__ == "__main__":
    sys.exit(main())
