"""Events between jobs that have been emitted and not been acted on: now due, or after a delay."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from plotrun.model import Event
from plotrun.store.asked_starts import AskedStarts
from plotrun.store.database import Database
from plotrun.store.events import Events


@dataclass(frozen=True)
class DueEvent:
    """An event between jobs, and when it comes."""

    name: str
    due_at: float
    job: str | None = None
    """The job that emitted it; None: the user did."""
    worker: str | None = None
    number: int = 0
    """Given by the store."""


class DueEvents:
    """Each is written in the same commit as the step that emitted it, and acted on once."""

    def __init__(self, database: Database, events: Events, asked: AskedStarts) -> None:
        self._db = database
        self._events = events
        self._asked = asked

    def add(self, events: Sequence[DueEvent]) -> None:
        """Write that these come; not those of a job whose events are paused."""
        with self._db.writing():
            for event in events:
                self._db.run(
                    "INSERT INTO due_events (name, due_at, job, worker) SELECT ?, ?, ?, ? "
                    "WHERE NOT EXISTS (SELECT 1 FROM jobs WHERE name IS ? AND events_paused)",
                    event.name,
                    event.due_at,
                    event.job,
                    event.worker,
                    event.job,
                )

    def all(self) -> list[DueEvent]:
        """All that have not been acted on, in the order in which they come."""
        rows = self._db.rows(
            "SELECT name, due_at, job, worker, number FROM due_events ORDER BY due_at, number"
        )
        return [DueEvent(*row) for row in rows]

    def act(self, acted: Mapping[DueEvent, Mapping[str, int]], told: Sequence[Event]) -> None:
        """Ask for the starts of each of these events, by job; they have come, and are no more."""
        with self._db.writing():
            for event, starts in acted.items():
                self._db.run("DELETE FROM due_events WHERE number = ?", event.number)
                for job, count in starts.items():
                    self._asked.by_event(job, event.name, count)
            self._events.add(told)

    def forget_all(self) -> None:
        """None of them comes, and nothing that they asked for."""
        with self._db.writing():
            self._db.run("DELETE FROM due_events")
            self._db.run("DELETE FROM asked_starts")

    def pause(self, job: str, paused: bool) -> None:
        """Let a job emit nothing until that is lifted; what it has emitted still comes."""
        with self._db.writing():
            self._asked.changed()
            self._db.run(
                "INSERT INTO jobs (name, events_paused) VALUES (?, ?) "
                "ON CONFLICT (name) DO UPDATE SET events_paused = excluded.events_paused",
                job,
                int(paused),
            )
