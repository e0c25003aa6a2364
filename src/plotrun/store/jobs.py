"""What is stored of jobs beside their workers."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from plotrun.model import STAGES_WITH_PLOTTER, Event, EventKind, Job, JobState, Stage, Worker
from plotrun.store.asked_starts import AskedStart, AskedStarts
from plotrun.store.database import Database
from plotrun.store.events import Events


@dataclass(frozen=True)
class JobRecord:
    """What is stored of a job beside its workers."""

    name: str
    made: int = 0
    failures_in_row: int = 0
    last_failure_at: float | None = None
    last_start_at: float | None = None
    last_start_of_any: float | None = None
    listed_at: float | None = None
    paused: str | None = None
    ended: bool = False
    holds: tuple[str, ...] = ()
    delivered: Mapping[str, int] = field(default_factory=dict)
    """Plots delivered by each worker that has not ended."""
    asked: Sequence[AskedStart] = ()
    """Starts that were asked for and are still to come, in the order in which they are tried."""
    next_time: float | None = None
    events_paused: bool = False


class Jobs:
    """Jobs by name, whether or not the settings have them."""

    def __init__(self, database: Database, events: Events, asked: AskedStarts) -> None:
        self._db = database
        self._events = events
        self._asked = asked
        asked.changed = self.forget
        self._known: dict[str, JobRecord] = {}
        """What was read last: it is asked for many times between two changes."""
        self._seen = (-1, 0)

    def forget(self) -> None:
        """What is stored of jobs or of their workers changes in the present transaction."""
        self._known.clear()

    @contextlib.contextmanager
    def _writing(self) -> Iterator[None]:
        with self._db.writing():
            self.forget()
            yield

    def record(self, name: str) -> JobRecord:
        """What is stored of a job; a new one has made nothing."""
        with self._db.reading():  # all of it from one moment
            seen = self._db.changes_of_others(), self._events.starts
            if seen != self._seen:
                self._seen = seen
                self.forget()
            if name not in self._known:
                self._known[name] = self._read(name)
            return self._known[name]

    def _read(self, name: str) -> JobRecord:
        ((made,),) = self._db.rows("SELECT count(*) FROM deliveries WHERE job = ?", name)
        starts = self._last_starts(name)
        rows = self._db.rows(
            "SELECT failures_in_row, last_failure_at, listed_at, paused, ended, holds, "
            "events_paused FROM jobs WHERE name = ?",
            name,
        )
        delivered = dict(
            self._db.rows(
                "SELECT worker, count(*) FROM deliveries WHERE job = ? AND worker IN "
                "(SELECT id FROM workers WHERE stage != ?) GROUP BY worker",
                name,
                Stage.ENDED,
            )
        )
        if not rows:
            return JobRecord(name, made, 0, None, *starts, delivered=delivered)
        failures, failed_at, listed_at, paused, ended, holds, events_paused = rows[0]
        return JobRecord(
            name,
            made,
            failures,
            failed_at,
            *starts,
            listed_at,
            paused,
            bool(ended),
            tuple(json.loads(holds)),
            delivered,
            self._asked.of(name),
            self._asked.next_time(name),
            bool(events_paused),
        )

    def _last_starts(self, job: str) -> tuple[float | None, float | None]:
        """When the last plotter of *job* was started, or is about to be; and the last of any."""
        mine = self._db.rows(
            "SELECT coalesce(json_extract(record, '$.started_at'), created_at) FROM workers "
            "WHERE job = ? AND (json_extract(record, '$.started_at') IS NOT NULL "
            "OR stage IN (?, ?, ?)) ORDER BY created_at DESC LIMIT 1",
            job,
            *sorted(STAGES_WITH_PLOTTER),
        )
        # Events have an index of their kinds, workers none of their starts.
        any_job = self._db.rows(
            "SELECT at FROM events WHERE kind = ? ORDER BY number DESC LIMIT 1",
            EventKind.PLOTTER_STARTED,
        )
        return mine[0][0] if mine else None, any_job[0][0] if any_job else None

    def set_holds(self, name: str, holds: Sequence[str]) -> None:
        """Write why a job may not start now, to be shown."""
        with self._writing():
            self._db.run(
                "INSERT INTO jobs (name, holds) VALUES (?, ?) "
                "ON CONFLICT (name) DO UPDATE SET holds = excluded.holds",
                name,
                json.dumps(list(holds)),
            )

    def note_listed(self, jobs: Sequence[Job], now: float) -> None:
        """Write which jobs the settings have, for commands that do not read the settings.

        *now* is remembered as the time at which a new one was first seen.
        """
        with self._writing():
            self._db.run("DELETE FROM listed_jobs")
            names = json.dumps([job.name for job in jobs])
            self._db.run(
                "DELETE FROM asked_starts WHERE job NOT IN (SELECT value FROM json_each(?))", names
            )
            for position, job in enumerate(jobs):
                self._db.run(
                    "INSERT INTO listed_jobs VALUES (?, ?, ?, ?)",
                    position,
                    job.name,
                    job.plotter,
                    job.plots,
                )
                self._db.run(
                    "INSERT INTO jobs (name, listed_at) VALUES (?, ?) ON CONFLICT (name) "
                    "DO UPDATE SET listed_at = coalesce(listed_at, excluded.listed_at)",
                    job.name,
                    now,
                )

    def listed(self) -> list[tuple[str, str, int]]:
        """Name, plotter and number of plots of each job that the settings had last."""
        rows = self._db.rows("SELECT name, plotter, wanted FROM listed_jobs ORDER BY position")
        return [(name, plotter, wanted) for name, plotter, wanted in rows]

    def last_deliveries(self, name: str, count: int) -> list[float]:
        """When the job's latest plots were delivered, the last one first."""
        rows = self._db.rows(
            "SELECT delivered_at FROM deliveries WHERE job = ? ORDER BY delivered_at DESC LIMIT ?",
            name,
            count,
        )
        return [at for (at,) in rows]

    def set_ended(self, name: str, ended: bool, events: Sequence[Event] = ()) -> None:
        """Write whether a job has made all of its plots."""
        with self._writing():
            self._db.run(
                "INSERT INTO jobs (name, ended) VALUES (?, ?) "
                "ON CONFLICT (name) DO UPDATE SET ended = excluded.ended",
                name,
                int(ended),
            )
            self._events.add(events)

    def set_paused(self, name: str, reason: str | None) -> None:
        """Pause a job, or lift its pause and forget its failures."""
        with self._writing():
            self._db.run("INSERT OR IGNORE INTO jobs (name) VALUES (?)", name)
            self._db.run("UPDATE jobs SET paused = ? WHERE name = ?", reason, name)
            if reason is None:
                self.forget_failures(name)

    def forget_failures(self, name: str) -> None:
        """Let a job start again that waits, or has stopped, because of failures."""
        with self._writing():
            self._db.run("UPDATE jobs SET failures_in_row = 0 WHERE name = ?", name)


def job_state(record: JobRecord, workers: Sequence[Worker]) -> JobState:
    """A job's state: what is stored, and what its living workers will bring.

    The workers must have been looked at before the record was read, and not after: so a plot
    that is delivered in between is counted twice for a moment, and never not at all. A plot too
    many would be the result of that.
    """
    mine = [worker for worker in workers if worker.job == record.name]
    return JobState(
        name=record.name,
        made=record.made,
        expected=sum(w.plots_to_come(record.delivered.get(w.id, 0)) for w in mine),
        running=sum(worker.occupies_slot for worker in mine),
        failures_in_row=record.failures_in_row,
        last_failure_at=record.last_failure_at,
        last_start_at=record.last_start_at,
        last_start_of_any=record.last_start_of_any,
        listed_at=record.listed_at,
        paused=record.paused,
        starts_asked=sum(each.left for each in record.asked),
        next_time=record.next_time,
    )
