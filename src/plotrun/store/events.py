"""Events as they were told, the last `KEPT` of them."""

from __future__ import annotations

import json
from collections.abc import Sequence

from plotrun.model import Event, EventKind
from plotrun.store.database import Database

KEPT = 100_000


class Events:
    """What happened, in the order in which it was written."""

    def __init__(self, database: Database) -> None:
        self.starts = 0
        """Starts of plotters that were written here: each is the last one from then on."""
        self._db = database

    def add(self, events: Sequence[Event]) -> None:
        """Write events, all or none."""
        with self._db.writing():
            for event in events:
                self._add(event)

    def _add(self, event: Event) -> None:
        self.starts += event.kind is EventKind.PLOTTER_STARTED
        self._db.run(
            "INSERT INTO events (at, kind, job, worker, data) VALUES (?, ?, ?, ?, ?)",
            event.at,
            event.kind,
            event.job,
            event.worker,
            json.dumps(dict(event.data)),
        )

    def last(
        self, count: int, job: str | None = None, worker: str | None = None, after: int = 0
    ) -> list[Event]:
        """The latest events, in the order in which they happened.

        Only those of a job or of workers whose id begins so, and with a number above *after*;
        a negative *count*: all of them.
        """
        rows = self._db.rows(
            "SELECT at, kind, job, worker, data FROM events WHERE number > ? "
            "AND (? IS NULL OR job = ?) AND (? IS NULL OR substr(worker, 1, length(?)) = ?) "
            "ORDER BY number DESC LIMIT ?",
            after,
            *(job, job),
            *(worker, worker, worker),
            count,
        )
        return [
            Event(EventKind(kind), at, job, worker, json.loads(data))
            for at, kind, job, worker, data in reversed(rows)
        ]

    def newest(self) -> int:
        """The number of the latest event; they grow by one."""
        ((number,),) = self._db.rows("SELECT coalesce(max(number), 0) FROM events")
        return int(number)

    def since(self, kind: EventKind, after: EventKind) -> list[Event]:
        """Events of one kind after the last event of another."""
        rows = self._db.rows(
            "SELECT at, kind, job, worker, data FROM events WHERE kind = ? AND number > "
            "coalesce((SELECT max(number) FROM events WHERE kind = ?), 0) ORDER BY number",
            kind,
            after,
        )
        return [
            Event(EventKind(kind), at, job, worker, json.loads(data))
            for at, kind, job, worker, data in rows
        ]

    def forget_old(self) -> None:
        """Keep the last `KEPT` events."""
        self._db.run(
            "DELETE FROM events WHERE number <= (SELECT max(number) FROM events) - ?", KEPT
        )
