"""Services that take messages, on 127.0.0.1: over HTTP as Discord and ntfy do, and mail."""

from __future__ import annotations

import json
import queue
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult, LoginPassword

PATIENCE = 30.0
"""Seconds until a test gives up; nothing takes nearly as long."""


@dataclass(frozen=True)
class Posted:
    """A request that was answered with 200."""

    path: str
    body: str

    @property
    def text(self) -> str:
        """The message, in whatever way the service is told it."""
        told: dict[str, Any] = json.loads(self.body)
        parts = [told.get("title"), told.get("message"), told.get("content")]
        for embed in told.get("embeds", ()):
            parts += [embed.get("title"), embed.get("description")]
        return "\n".join(part for part in parts if part)


@dataclass
class Web:
    """A web server that answers as it is told, and 200 after that."""

    port: int = 0
    answers: list[int] = field(default_factory=list)
    """Statuses of the next requests."""
    hangs: threading.Event = field(default_factory=threading.Event)
    """Clear: requests are not answered before it is set."""
    tried: queue.SimpleQueue[int] = field(default_factory=queue.SimpleQueue)
    """The status of each answer."""
    taken: queue.SimpleQueue[Posted] = field(default_factory=queue.SimpleQueue)

    def next(self) -> Posted:
        """The next message that was taken."""
        return self.taken.get(timeout=PATIENCE)

    def texts(self, count: int) -> list[str]:
        """The next messages that were taken."""
        return [self.next().text for _ in range(count)]


@contextmanager
def web_server() -> Iterator[Web]:
    """A web server on a free port."""
    web = Web()
    web.hangs.set()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
            web.hangs.wait(PATIENCE)
            status = web.answers.pop(0) if web.answers else 200
            self.send_response(status)
            self.send_header("Content-Length", "2")
            self.end_headers()
            self.wfile.write(b"{}")
            if status == 200:
                web.taken.put(Posted(self.path, body))
            web.tried.put(status)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    web.port = server.server_address[1]
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    try:
        yield web
    finally:
        web.hangs.set()
        server.shutdown()
        server.server_close()


@dataclass
class Mail:
    """A mail server."""

    port: int
    taken: queue.SimpleQueue[EmailMessage]

    def next(self) -> EmailMessage:
        """The next mail that was taken."""
        return self.taken.get(timeout=PATIENCE)


class _AnyPort(Controller):
    """Knows which port it was given before it tries it."""

    def _trigger_server(self) -> None:
        assert self.server is not None
        self.port = self.server.sockets[0].getsockname()[1]
        super()._trigger_server()


@contextmanager
def mail_server(password: str) -> Iterator[Mail]:
    """A mail server that takes mails of the user "farmer"."""
    taken: queue.SimpleQueue[EmailMessage] = queue.SimpleQueue()

    class Handler:
        async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802
            mail = message_from_bytes(envelope.content, policy=policy.default)
            assert isinstance(mail, EmailMessage)
            taken.put(mail)
            return "250 OK"

    def check(server: Any, session: Any, envelope: Any, mechanism: str, data: Any) -> AuthResult:
        assert isinstance(data, LoginPassword)
        right = (data.login, data.password) == (b"farmer", password.encode())
        return AuthResult(success=right, handled=False)

    controller = _AnyPort(
        Handler(),
        hostname="127.0.0.1",
        port=0,
        authenticator=check,
        auth_require_tls=False,
        auth_required=True,
    )
    controller.start()
    try:
        yield Mail(controller.port, taken)
    finally:
        controller.stop()
