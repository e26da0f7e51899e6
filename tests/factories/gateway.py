"""A gateway for text messages that runs beside the tests: a real HTTP server that does as it is told."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

TOKEN = "gateway-token-1"


@dataclass
class Taken:
    """One message as the gateway was given it."""

    to: str
    sender: str
    text: str
    key: str
    token: str
    path: str


@dataclass
class FakeGateway:
    """`answers` are played in order, the last one again and again: a status, or "hang", "drip", "garbage"."""

    port: int = 0
    answers: list[Any] = field(default_factory=lambda: [200])
    body: bytes = b'{"id": "m-1"}'
    taken: list[Taken] = field(default_factory=list)
    released: threading.Event = field(default_factory=threading.Event)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/messages?route=city"

    def next_answer(self) -> Any:
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]


@contextmanager
def fake_gateway() -> Iterator[FakeGateway]:
    gateway = FakeGateway()

    class Handler(BaseHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            """Quiet."""

        def do_POST(self) -> None:
            given = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            gateway.taken.append(
                Taken(
                    given["to"], given["from"], given["text"], self.headers["Idempotency-Key"],
                    self.headers["Authorization"], self.path,
                )
            )  # fmt: skip
            with suppress(OSError):  # the other side may have hung up
                self.answer(gateway.next_answer())

        def do_GET(self) -> None:
            gateway.taken.append(Taken("", "", "", "", "", self.path))
            self.answer(200)

        def answer(self, what: Any) -> None:
            if what == "hang":
                gateway.released.wait(30)
                return
            if what == "drip":
                for letter in b"HTTP/1.1 200 OK\r\nX-Slow: " + b"a" * 2000:
                    self.wfile.write(bytes([letter]))
                    if gateway.released.wait(0.05):
                        return
                return
            if what == "garbage":
                self.wfile.write(b"\x00\xff not http at all\n\n")
                return
            self.send_response(what)
            if 300 <= what < 400:
                self.send_header("Location", f"http://127.0.0.1:{gateway.port}/elsewhere")
            self.send_header("Content-Length", str(len(gateway.body)))
            self.end_headers()
            self.wfile.write(gateway.body)

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    gateway.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield gateway
    finally:
        gateway.released.set()
        server.shutdown()
        server.server_close()
        thread.join()
