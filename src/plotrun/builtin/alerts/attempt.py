"""One try to send a message by Apprise, with a time limit, and why it failed."""

from __future__ import annotations

import contextvars
import logging
import re
import threading

from plotrun import printable

from .urls import Url, open_url, quiet_apprise

LIMIT = 30.0
"""Seconds that anybody waits for an answer."""
_CAUSES = {
    r"refused": "connection refused",
    r"resolve|Name or service not known|getaddrinfo|nodename": "the name of the host is not found",
    r"timed out|timeout": "no answer in time",
    r"certificate|SSL|TLS": "no secure connection (certificate, TLS)",
    r"unreachable|No route": "the network is not reachable",
    r"authenticat|\b535\b": "user or password refused",
    r"reset by peer|aborted|RemoteDisconnected|EOF|closed": "the connection was broken off",
}
"""What exceptions say, in words without addresses."""
_LONGEST = 200

_heard: contextvars.ContextVar[list[logging.LogRecord] | None] = contextvars.ContextVar(
    "heard", default=None
)


class _Listener(logging.Handler):
    """Keeps what Apprise logs during an attempt for this attempt."""

    def emit(self, record: logging.LogRecord) -> None:
        heard = _heard.get()
        if heard is not None:
            heard.append(record)


_listener = _Listener()


class Attempt:
    """A message on its way, in a thread that nobody has to wait for."""

    def __init__(self, url: Url, title: str, body: str) -> None:
        self._url, self._title, self._body = url, title, body
        self._trouble: str | None = None
        self._done = threading.Event()
        threading.Thread(target=self._run, name="alert on its way", daemon=True).start()

    def ended(self, seconds: float) -> bool:
        """Wait for its end; False if it has not ended by then, and goes on."""
        return self._done.wait(seconds)

    @property
    def trouble(self) -> str | None:
        """Why it was not delivered; None if it was. Holds nothing of the URL."""
        return self._trouble if self._done.is_set() else f"no answer within {LIMIT:.0f}s"

    def _run(self) -> None:
        heard: list[logging.LogRecord] = []
        _heard.set(heard)
        try:
            self._trouble = None if self._send() else self._why(heard)
        except Exception as error:  # the words of an exception may hold the URL
            self._trouble = f"Apprise failed: {type(error).__name__}"
        finally:
            self._done.set()

    def _send(self) -> bool:
        apprise = quiet_apprise()
        logger = logging.getLogger("apprise")
        logger.setLevel(logging.DEBUG)  # the causes of broken connections are told there only
        if _listener not in logger.handlers:
            logger.addHandler(_listener)
        sender = open_url(self._url)
        if sender is None:
            raise ValueError
        text = apprise.NotifyFormat.TEXT
        return bool(sender.notify(self._body, title=self._title, body_format=text))

    def _why(self, heard: list[logging.LogRecord]) -> str:
        told = [r for r in heard if r.levelno >= logging.WARNING]
        words = told[0].getMessage() if told else "it was not taken"
        words = printable(self._url.without_secrets(words).strip().rstrip("."))[:_LONGEST]
        said = [r.getMessage() for r in heard if "xception" in r.getMessage()]
        for pattern, cause in _CAUSES.items():
            if any(re.search(pattern, text, re.IGNORECASE) for text in said):
                return f"{words}: {cause}"
        return words
