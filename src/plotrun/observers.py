"""Handing events to observers: each has a thread and a queue of its own, and delays nobody."""

from __future__ import annotations

import contextlib
import logging
import queue
import threading
import time
from collections.abc import Callable
from functools import partial
from typing import Any

from plotrun.manager import Plugins
from plotrun.model import Event

QUEUE_LENGTH = 10_000
"""Events that may wait for a slow observer; beyond that the newest are dropped."""

log = logging.getLogger(__name__)


class Observers:
    """The plugins that answer ``plotrun_event``."""

    def __init__(self, plugins: Plugins) -> None:
        self._observers = [
            _Observer(name, partial(_call, plugins, name, function))
            for name, function in plugins.implementations("plotrun_event")
        ]

    def tell(self, event: Event) -> None:
        """Put an event into every queue."""
        for observer in self._observers:
            observer.tell(event)

    def stop(self, patience: float = 5.0) -> None:
        """Let observers finish what they have, for *patience* seconds at most."""
        deadline = time.monotonic() + patience
        for observer in self._observers:
            with contextlib.suppress(queue.Full):
                observer.queue.put_nowait(None)
        for observer in self._observers:
            if observer.thread.is_alive():
                observer.thread.join(max(0.0, deadline - time.monotonic()))


def _call(plugins: Plugins, name: str, function: Callable[..., Any], event: Event) -> None:
    plugins.call(name, "plotrun_event", function, event=event)


class _Observer:
    def __init__(self, name: str, take: Callable[[Event], None]) -> None:
        self.name = name
        self.queue: queue.Queue[Event | None] = queue.Queue(QUEUE_LENGTH)
        self.thread = threading.Thread(target=self._run, name=f"observer {name}", daemon=True)
        self._take = take
        self._dropped = 0

    def tell(self, event: Event) -> None:
        if self.thread.ident is None:
            self.thread.start()
        try:
            self.queue.put_nowait(event)
        except queue.Full:
            self._dropped += 1
            if self._dropped == 1:
                log.warning("plugin %s does not keep up: events are dropped", self.name)

    def _run(self) -> None:
        while (event := self.queue.get()) is not None:
            self._take(event)
