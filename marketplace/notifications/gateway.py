"""The port through which text messages leave, and what stands behind it: nothing, or a gateway that speaks HTTP.

The gateway gets `POST` with `Authorization: Bearer`, `Idempotency-Key` and
`{"from": sender, "to": "+358401234567", "text": "…"}`; it answers 2xx when it has taken the message, with its own
`{"id": "…"}` if it likes. What it answers beside that is never kept: it may repeat the number.
"""

import http.client
import json
import socket
import ssl
import threading
from typing import Protocol
from urllib.parse import urlsplit

from marketplace.settings import Settings

# Worth another try: too early, too fast, or an error that is the gateway's own.
AGAIN = frozenset({408, 425, 429})
LONGEST_ANSWER = 2048
LONGEST_ID = 100


class SmsAway(Exception):
    """The gateway cannot be asked just now; the message is tried again with the same key."""


class SmsRefused(Exception):
    """The gateway will not take this message, however often it is asked."""


class SmsSender(Protocol):
    """Whoever brings text messages to phones."""

    @property
    def is_there(self) -> bool:
        """Whether there is a way to send at all; if not, pages do not speak of text messages."""
        ...

    def send(self, number: str, text: str, *, key: str) -> str | None:
        """Hand over one message; returns the sender's own id for it, if it gave one.

        One `key` is one message, however often it is handed over. Raises SmsAway, SmsRefused.
        """
        ...


class NoSms:
    """No text messages: mail is the only way to people."""

    is_there = False

    def send(self, number: str, text: str, *, key: str) -> str | None:
        raise SmsRefused("no gateway is set")


class HttpGateway:
    """A gateway at `url`. Opens no connection before the first message.

    The standard library is enough here: it follows no redirects, asks no proxy of the environment, and lets us hold a
    deadline for the whole answer, which the others only hold for each read.
    """

    is_there = True

    def __init__(self, url: str, *, token: str, sender: str, seconds: float) -> None:
        parts = urlsplit(url)
        self._secure, self._host = parts.scheme == "https", parts.hostname or ""
        self._port = parts.port
        self._target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        self._token, self._sender, self._seconds = token, sender, seconds

    def send(self, number: str, text: str, *, key: str) -> str | None:
        body = json.dumps({"from": self._sender, "to": number, "text": text}, ensure_ascii=False).encode()
        headers = {
            "Authorization": f"Bearer {self._token}",
            "Content-Type": "application/json; charset=utf-8",
            "Accept": "application/json",
            "Idempotency-Key": key,
            "Connection": "close",
        }
        try:
            status, answer = self._post(body, headers)
        except (OSError, http.client.HTTPException, ValueError) as error:
            # Its own words may hold what the other side said.
            raise SmsAway(type(error).__name__) from None
        if 200 <= status < 300:
            return given_id(answer)
        if status in AGAIN or status >= 500:
            raise SmsAway(f"HTTP {status}")
        raise SmsRefused(f"HTTP {status}")

    def _post(self, body: bytes, headers: dict[str, str]) -> tuple[int, bytes]:
        """(status, the beginning of the answer's body), or an error when the time is up."""
        connection = self._connection()
        watch: threading.Timer | None = None
        try:
            connection.connect()
            watch = threading.Timer(self._seconds, hang_up, [connection.sock])
            watch.daemon = True
            watch.start()
            connection.request("POST", self._target, body, headers)
            response = connection.getresponse()
            try:
                return response.status, response.read(LONGEST_ANSWER)
            except (OSError, http.client.HTTPException):
                # It has said whether it took the message; the rest is its own id, which we can do without.
                return response.status, b""
        finally:
            if watch is not None:
                watch.cancel()
            connection.close()

    def _connection(self) -> http.client.HTTPConnection:
        if self._secure:
            context = ssl.create_default_context()
            return http.client.HTTPSConnection(self._host, self._port, timeout=self._seconds, context=context)
        return http.client.HTTPConnection(self._host, self._port, timeout=self._seconds)


def hang_up(connected: socket.socket) -> None:
    """End what a thread waits for on this socket; below TLS, whose own end would wait for the other side."""
    try:
        socket.socket.shutdown(connected, socket.SHUT_RDWR)
    except OSError:
        return


def given_id(answer: bytes) -> str | None:
    """The gateway's id for the message, where its answer is what it should be."""
    try:
        found = json.loads(answer)
    except ValueError:
        return None
    name = found.get("id") if isinstance(found, dict) else None
    return name[:LONGEST_ID] if isinstance(name, str) and name.isprintable() else None


def open_sender(settings: Settings) -> SmsSender:
    """The gateway that the settings name, or none."""
    if not settings.sms_url:
        return NoSms()
    return HttpGateway(
        settings.sms_url,
        token=settings.sms_token,
        sender=settings.sms_sender,
        seconds=settings.sms_timeout_seconds,
    )
