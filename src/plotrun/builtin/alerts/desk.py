"""Makes messages of events, and hands them to the services that want them."""

from __future__ import annotations

import logging
import socket
import threading
import time
from typing import TYPE_CHECKING

from plotrun import Event, EventKind, event_words, moment_words, printable, size_words

from . import summary
from .channel import Channel
from .flood import Gate
from .kept import Kept, Message
from .settings import SUMMARY, AlertsSettings, Service, tags_of, words_with
from .urls import Url

if TYPE_CHECKING:
    from plotrun import Clock, Settings

TICK = 1.0
"""Seconds between two looks at what was gathered, and at the time of the day."""

log = logging.getLogger("plotrun.alerts")


class Desk:
    """Takes events in one thread; another one looks at the clock."""

    def __init__(self, settings: Settings, clock: Clock, kept: Kept) -> None:
        self.settings = settings
        self.wanted = settings.section(AlertsSettings)
        self._clock = clock
        self._lock = threading.Lock()
        self._host = socket.gethostname()
        self._kept = kept
        self._gates: dict[tuple[int, str], Gate] = {}
        self._closing = threading.Event()
        self._channels = [
            [Channel(key, url, kept, clock) for key, url in keyed(service, self.wanted)]
            for service in self.wanted.services
        ]

    def open(self) -> None:
        """Begin to send, first what an earlier runner left unsent."""
        every = [channel for row in self._channels for channel in row]
        self._kept.forget_others([channel.key for channel in every])
        if self.wanted.summary is None:
            self._kept.reset_counts(self._clock.now())
        names = {job.name for job in self.settings.jobs}
        for service in self.wanted.services:
            for job in sorted(set(service.jobs or ()) - names):
                log.warning("alerts: service %s: there is no job %s", service.name, printable(job))
        for channel in every:
            channel.open()
        threading.Thread(target=self._ticks, name="alerts", daemon=True).start()

    def close(self, seconds: float) -> None:
        """Send what can be sent within *seconds*; the rest is kept."""
        self._closing.set()
        self._flush(wait=False)
        every = [channel for row in self._channels for channel in row]
        for channel in every:
            channel.close()
        deadline = time.monotonic() + seconds
        for channel in every:
            channel.wait_for_end(max(0.0, deadline - time.monotonic()))

    def take(self, event: Event) -> None:
        """Tell those who want to know; count for the summary."""
        self._count(event)
        kind = str(event.kind)
        for number, service in enumerate(self.wanted.services):
            if kind not in service.events:
                continue
            if service.jobs is not None and event.job is not None and event.job not in service.jobs:
                continue
            words = self._words(event)
            with self._lock:
                if self._gate(number, kind).passes(words, event.at):
                    self._send(number, kind, words, event.at)

    def tick(self) -> None:
        """Tell what was gathered, if its time has come, and send the summary if it is due."""
        self._flush(wait=True)
        now, at = self._clock.now(), self.wanted.summary
        if at is None or self._kept.counts.since >= summary.last_time(at, now):
            return
        values = summary.values(self._kept.counts, self.settings, now)
        values |= {"host": self._host, "time": moment_words(now, now), "event": SUMMARY}
        values |= {"job": "", "worker": ""}
        template = self.wanted.template(SUMMARY)
        words = summary.words(values) if template is None else words_with(template, values)
        with self._lock:
            self._kept.reset_counts(now)
            for number, service in enumerate(self.wanted.services):
                if SUMMARY in service.events:
                    self._send(number, SUMMARY, words, now)

    def _ticks(self) -> None:
        while not self._closing.wait(TICK):
            try:
                self.tick()
            except Exception:
                log.exception("alerts: the summary, or what was gathered, cannot be told")
                return

    def _flush(self, wait: bool) -> None:
        now = self._clock.now()
        with self._lock:
            for (number, kind), gate in self._gates.items():
                words = gate.gathered(now, kind.replace("_", " "), wait)
                if words is not None:
                    self._send(number, kind, words, now)

    def _gate(self, number: int, kind: str) -> Gate:
        new = Gate(self.wanted.most_alike, self.wanted.alike_within)
        return self._gates.setdefault((number, kind), new)

    def _send(self, number: int, kind: str, words: str, at: float) -> None:
        title = f"plotrun {self._host}: {kind.replace('_', ' ')}"
        for channel in self._channels[number]:
            channel.send(Message(at, title, words))

    def _count(self, event: Event) -> None:
        if self.wanted.summary is None:
            return
        with self._lock:
            counts, data = self._kept.counts, event.data
            if event.kind is EventKind.WORKER_FAILED:
                counts.failures += 1
            elif event.kind is EventKind.PLOT_DELIVERED:
                counts.plots += 1
                counts.plot_bytes = data["size"]
                if data["seconds"] is not None:
                    counts.timed += 1
                    counts.seconds += data["seconds"]
            else:
                return
            self._kept.save()

    def _words(self, event: Event) -> str:
        template = self.wanted.template(str(event.kind))
        if template is None:
            return event_words(event) or str(event.kind).replace("_", " ")
        known = {
            "host": self._host,
            "time": moment_words(event.at, event.at),
            "event": str(event.kind).replace("_", " "),
            "job": event.job,
            "worker": event.worker,
        } | dict(event.data)
        if "size" in event.data:
            known["size"] = size_words(event.data["size"])
        return words_with(template, {tag: _text(known.get(tag)) for tag in tags_of(event.kind)})


def keyed(service: Service, wanted: AlertsSettings) -> list[tuple[str, Url]]:
    """The URLs of a service, each under a name that outlasts a restart and tells no secret."""
    same = [each for each in wanted.services if each.name == service.name]
    before = sum(len(each.urls) for each in same[: same.index(service)])
    return [
        (f"{service.name} {before + number} ({url.scheme})", url)
        for number, url in enumerate(service.urls, 1)
    ]


def _text(value: object) -> str:
    """A value in a message: lines stay lines, nothing else may move the cursor."""
    if value is None:
        return ""
    return "\n".join(printable(line) for line in str(value).split("\n"))
