"""A tiny store that speaks as much of the S3 protocol as we use, on 127.0.0.1: put, get, head, delete, list."""

import contextlib
import re
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, unquote, urlsplit
from xml.sax.saxutils import escape

PAGE = 2  # keys of one answer of a list, so that lists have several


@dataclass
class Bucket:
    """What the server holds and how it behaves: `failing` answers 503, `failures` only so often, `slow` in seconds."""

    port: int = 0
    files: dict[str, tuple[bytes, str, datetime]] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    failing: bool = False
    failures: int = 0
    slow: float = 0.0
    signatures: list[str] = field(default_factory=list)

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self.port}"


def error(code: str) -> bytes:
    return f"<?xml version='1.0'?><Error><Code>{code}</Code><Message>{code}</Message></Error>".encode()


def handler_of(bucket: Bucket) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *_: object) -> None:
            """Tests read `asked`."""

        def answer(self, status: int, body: bytes = b"", content_type: str = "application/xml") -> None:
            self.send_response(status)
            self.send_header("Content-Type", content_type)
            self.send_header("Content-Length", str(len(body)))
            if status == 200 and self.command in {"GET", "HEAD"}:
                self.send_header("ETag", '"x"')
                self.send_header("Last-Modified", "Tue, 24 Nov 2026 10:00:00 GMT")
            self.end_headers()
            if self.command != "HEAD":
                with contextlib.suppress(BrokenPipeError):  # a client that gave up waiting
                    self.wfile.write(body)

        def take(self) -> tuple[str, bytes] | None:
            """The asked key and the body; None where the server is to fail."""
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            bucket.asked.append(self.command)
            bucket.signatures.append(self.headers.get("Authorization", ""))
            time.sleep(bucket.slow)
            if bucket.failing or bucket.failures > 0:
                bucket.failures -= 1
                self.answer(503, error("SlowDown"))
                return None
            key = unquote(urlsplit(self.path).path).removeprefix("/photos-of-a-city").removeprefix("/")
            return key, body

        def do_PUT(self) -> None:
            if (asked := self.take()) is not None:
                kind = self.headers.get("Content-Type", "")
                bucket.files[asked[0]] = (asked[1], kind, datetime.now(UTC))
                self.answer(200)

        def do_GET(self) -> None:
            if (asked := self.take()) is None:
                return
            query = parse_qs(urlsplit(self.path).query)
            if "list-type" in query:
                self.answer(200, self.listed(query))
            elif asked[0] in bucket.files:
                data, kind, _ = bucket.files[asked[0]]
                self.answer(200, data, kind)
            else:
                self.answer(404, error("NoSuchKey"))

        do_HEAD = do_GET  # noqa: N815

        def do_DELETE(self) -> None:
            if (asked := self.take()) is not None:
                bucket.files.pop(asked[0], None)
                self.answer(204)

        def listed(self, query: dict[str, list[str]]) -> bytes:
            after = query.get("continuation-token", [""])[0]
            keys = sorted(key for key in bucket.files if key.startswith(query["prefix"][0]) and key > after)
            page = keys[:PAGE]
            rows = "".join(
                f"<Contents><Key>{escape(key)}</Key><Size>1</Size>"
                f"<LastModified>{bucket.files[key][2].isoformat()}</LastModified></Contents>"
                for key in page
            )
            more = len(keys) > PAGE
            token = f"<NextContinuationToken>{page[-1]}</NextContinuationToken>" if more else ""
            return (
                "<?xml version='1.0'?><ListBucketResult>"
                f"<IsTruncated>{str(more).lower()}</IsTruncated>{token}{rows}</ListBucketResult>"
            ).encode()

    return Handler


@contextmanager
def serving() -> Iterator[Bucket]:
    bucket = Bucket()
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler_of(bucket))
    bucket.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield bucket
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


SIGNED = re.compile(r"AWS4-HMAC-SHA256 Credential=key-of-tests/\d{8}/eu-north-1/s3/aws4_request")
