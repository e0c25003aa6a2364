"""What outlasts a restart: messages that are not sent yet, and the counts for the summary.

A file of its own in the state directory, for its owner's eyes only. There are no URLs in it: a
service is known by its name and the place of its URL.
"""

from __future__ import annotations

import json
import logging
import os
import threading
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

FORM = 1
"""Number of the file's form; one of another form is put aside."""
MOST = 100
"""Messages that are kept for one URL; the oldest go first."""
OLDEST = 86400.0
"""Seconds after which a message is not worth sending any more."""

log = logging.getLogger("plotrun.alerts")


@dataclass(frozen=True)
class Message:
    """What is to be told."""

    at: float
    """When it happened, seconds since the epoch."""
    title: str
    body: str


@dataclass
class Counts:
    """What has happened since the last summary."""

    since: float
    plots: int = 0
    timed: int = 0
    """Plots whose duration is known, and how many seconds they took together."""
    seconds: float = 0.0
    failures: int = 0
    plot_bytes: int = 0
    """Of the last plot delivered."""


@dataclass
class _State:
    counts: Counts
    unsent: dict[str, list[Message]] = field(default_factory=dict)


class Kept:
    """Messages and counts, in memory and on the disk."""

    def __init__(self, directory: Path, now: float) -> None:
        self._file = directory / "alerts.json"
        self._lock = threading.Lock()
        self._trouble: str | None = None
        self._state = self._read(now)

    @property
    def counts(self) -> Counts:
        """To be changed by the thread of events alone, which then calls `save`."""
        return self._state.counts

    def reset_counts(self, now: float) -> None:
        """Begin to count anew."""
        self._state.counts = Counts(now, plot_bytes=self._state.counts.plot_bytes)
        self.save()

    def unsent(self, key: str) -> tuple[Message, ...]:
        """What waits to be sent, the oldest first."""
        with self._lock:
            return tuple(self._state.unsent.get(key, ()))

    def add(self, key: str, message: Message) -> None:
        """Keep a message until it is sent."""
        with self._lock:
            waiting = self._state.unsent.setdefault(key, [])
            waiting.append(message)
            del waiting[:-MOST]
        self.save()

    def remove(self, key: str, messages: Sequence[Message]) -> None:
        """Forget messages that were sent, or are too old."""
        gone = set(messages)
        with self._lock:
            waiting = self._state.unsent.get(key, [])
            waiting[:] = [message for message in waiting if message not in gone]
        self.save()

    def forget_others(self, keys: Sequence[str]) -> None:
        """Forget what waits for services that the settings do not name any more."""
        with self._lock:
            unsent = self._state.unsent
            self._state.unsent = {key: unsent[key] for key in keys if key in unsent}
        self.save()

    def save(self) -> None:
        """Write all of it, in one step; if that fails, go on without."""
        with self._lock:
            unsent = {k: [asdict(m) for m in v] for k, v in self._state.unsent.items() if v}
            state = {"form": FORM, "counts": asdict(self._state.counts), "unsent": unsent}
            trouble = self._write(json.dumps(state))
            if trouble is not None and trouble != self._trouble:
                log.warning("alerts: %s: %s: unsent messages are not kept", self._file, trouble)
            self._trouble = trouble

    def _write(self, text: str) -> str | None:
        growing = self._file.with_suffix(".growing")
        try:
            self._file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            descriptor = os.open(growing, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            with os.fdopen(descriptor, "w", encoding="utf-8") as file:
                file.write(text)
            growing.replace(self._file)
        except OSError as error:
            return error.strerror or str(error)
        return None

    def _read(self, now: float) -> _State:
        try:
            return _state_of(json.loads(self._file.read_text("utf-8")))
        except FileNotFoundError:
            pass
        except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
            # The file holds no more than messages of a day: it is not worth stopping for.
            log.warning("alerts: %s cannot be used: %s", self._file, type(error).__name__)
        return _State(Counts(now))


def _state_of(read: Any) -> _State:
    if read["form"] != FORM:
        raise ValueError("another form")
    unsent = {key: [Message(**each) for each in rows] for key, rows in read["unsent"].items()}
    return _State(Counts(**read["counts"]), unsent)
