"""One URL: its messages are sent one after the other, in a thread of its own."""

from __future__ import annotations

import logging
import threading
from collections.abc import Sequence
from typing import TYPE_CHECKING

from plotrun import duration_words, moment_words

from .attempt import LIMIT, Attempt
from .kept import OLDEST, Kept, Message
from .urls import Url

if TYPE_CHECKING:
    from plotrun import Clock

FIRST_WAIT = 10.0
"""Seconds before the second try; the wait doubles with each."""
LONGEST_WAIT = 900.0
LATE = 120.0
"""Seconds after which a message says when it happened."""
MOST_TOGETHER = 20
"""Messages that are written out when several are sent as one."""
LONGEST = 1000
"""Characters of a message: the least that services take is 1024, by Pushover."""

log = logging.getLogger("plotrun.alerts")


class Channel:
    """Sends what `Kept` holds under its key, and tries again with longer and longer waits."""

    def __init__(self, key: str, url: Url, kept: Kept, clock: Clock) -> None:
        self.key = key
        self._url, self._kept, self._clock = url, kept, clock
        self._changed = threading.Condition()
        self._closing = False
        self._tries = 0
        self._trouble: str | None = None
        self._attempt: tuple[Attempt, Sequence[Message]] | None = None
        """One that has not ended in time, and what it brings."""
        self._thread = threading.Thread(target=self._run, name=f"alerts {key}", daemon=True)

    def open(self) -> None:
        """Begin to send."""
        self._thread.start()

    def send(self, message: Message) -> None:
        """Send a message; kept until it is sent."""
        self._kept.add(self.key, message)
        with self._changed:
            self._changed.notify()

    def close(self) -> None:
        """Try once more what waits, unless the service is known to be dead; then end."""
        with self._changed:
            self._closing = True
            self._changed.notify()

    def wait_for_end(self, seconds: float) -> None:
        """Until all is sent that can be, for *seconds* at most."""
        self._thread.join(seconds)

    def _run(self) -> None:
        while self._is_due():
            waiting = self._fresh()
            if waiting:
                self._sent_or_not(waiting)

    def _is_due(self) -> bool:
        """Wait until something is to be sent and may be; False: the end."""
        with self._changed:
            if self._tries and not self._closing:
                wait = min(LONGEST_WAIT, FIRST_WAIT * 2.0 ** min(self._tries - 1, 20))
                self._changed.wait_for(lambda: self._closing, wait)
            self._changed.wait_for(lambda: self._closing or self._kept.unsent(self.key))
            return not self._closing or bool(not self._tries and self._kept.unsent(self.key))

    def _fresh(self) -> Sequence[Message]:
        """What is to be sent, without what is too old."""
        waiting, now = self._kept.unsent(self.key), self._clock.now()
        old = [message for message in waiting if now - message.at > OLDEST]
        if old:
            log.warning("alerts: %s: %s messages are too old and not sent", self.key, len(old))
            self._kept.remove(self.key, old)
        return [message for message in waiting if message not in old]

    def _sent_or_not(self, waiting: Sequence[Message]) -> None:
        if self._attempt is None:
            message = together(waiting, self._clock.now())
            self._attempt = Attempt(self._url, message.title, message.body), waiting
        attempt, brought = self._attempt
        if attempt.ended(LIMIT):
            self._attempt = None
        trouble = attempt.trouble
        if trouble is None:
            if self._trouble is not None:
                log.info("alerts: %s: messages are delivered again", self.key)
            self._kept.remove(self.key, brought)
            self._tries = 0
        else:
            self._tries += 1
            if trouble != self._trouble:
                wait = duration_words(FIRST_WAIT)
                words = "alerts: %s: not delivered: %s; tried again in %s, then more seldom"
                log.warning(words, self.key, trouble, wait)
        self._trouble = trouble


def together(messages: Sequence[Message], now: float) -> Message:
    """One message for all that wait, so that a service that comes back is not flooded."""
    if len(messages) == 1:
        (message,) = messages
        late = now - message.at > LATE
        body = f"{moment_words(message.at, now)}: {message.body}" if late else message.body
        return Message(message.at, message.title, _shortened(body))
    shown = messages[-MOST_TOGETHER:]
    lines = [f"{moment_words(each.at, now)}: {each.body}" for each in shown]
    if len(messages) > len(shown):
        lines.insert(0, f"{len(messages) - len(shown)} earlier ones are left out")
    while len("\n".join(lines)) > LONGEST and len(lines) > 1:
        longest = max(range(len(lines)), key=lambda n: len(lines[n]))
        lines[longest] = _shortened(lines[longest], LONGEST // len(lines) - 1)
    title = f"{messages[-1].title.partition(':')[0]}: {len(messages)} messages"
    return Message(messages[-1].at, title, "\n".join(lines))


def _shortened(text: str, longest: int = LONGEST) -> str:
    return text if len(text) <= longest else f"{text[: longest - 1]}…"
