"""What plotrun knows, on disk: SQLite in the state directory. The only file that touches it.

WAL mode: the command line reads while a runner writes. A commit is on the disk before the step
it announces is taken (``synchronous = FULL``).

Paths may hold bytes that are no text; they are kept in JSON, where the standard library's
escapes carry them (PEP 383).
"""

from __future__ import annotations

import contextlib
import json
import sqlite3
import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from plotrun.model import (
    STAGES_WITH_PLOTTER,
    Event,
    EventKind,
    Job,
    JobState,
    Measured,
    Progress,
    Stage,
    Worker,
)
from plotrun.records import as_json, worker_from_json
from plotrun.store_schema import FORMS

FILE_NAME = "plotrun.sqlite3"
EVENTS_KEPT = 100_000


class StoreError(Exception):
    """The state cannot be read or written; the message says why and what to do."""


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


class Store:
    """The state of one state directory. May be used from any thread."""

    def __init__(self, state_dir: Path) -> None:
        """Open the state, making it if there is none.

        Raises:
            StoreError: it cannot be opened, or was made by a newer plotrun.
        """
        self.file = state_dir / FILE_NAME
        self._lock = threading.RLock()
        try:
            make_state_dir(state_dir)
            self._db = sqlite3.connect(
                self.file, timeout=30, isolation_level=None, check_same_thread=False
            )
            self._db.execute("PRAGMA journal_mode = WAL")
            self._db.execute("PRAGMA synchronous = FULL")
            self._make()
        except (OSError, sqlite3.Error) as error:
            raise StoreError(
                f"{self.file}: cannot be opened ({error}): check that the directory is writable"
            ) from error

    def _make(self) -> None:
        (version,) = self._db.execute("PRAGMA user_version").fetchone()
        if version > len(FORMS):
            raise StoreError(
                f"{self.file}: made by a newer plotrun (form {version}, this one knows "
                f"{len(FORMS)}): install that version again"
            )
        if version < len(FORMS):
            with self._writing():
                (version,) = self._db.execute("PRAGMA user_version").fetchone()
                for statements in FORMS[version:]:  # unless another has made them meanwhile
                    for statement in statements.split(";\n"):
                        self._db.execute(statement)
                self._db.execute(f"PRAGMA user_version = {len(FORMS)}")

    def close(self) -> None:
        """Close the database."""
        with self._lock:
            self._db.close()

    @contextlib.contextmanager
    def _writing(self) -> Iterator[None]:
        """One transaction: all of it or nothing."""
        with self._lock:
            try:
                self._db.execute("BEGIN IMMEDIATE")
                yield
                self._db.execute("COMMIT")
            except BaseException as error:
                if self._db.in_transaction:
                    self._db.execute("ROLLBACK")
                if isinstance(error, sqlite3.OperationalError):
                    raise StoreError(f"{self.file}: cannot be written: {error}") from error
                raise

    def _rows(self, query: str, *values: Any) -> list[tuple[Any, ...]]:
        with self._lock:
            return self._db.execute(query, values).fetchall()

    def _run(self, statement: str, *values: Any) -> None:
        with self._lock:
            self._db.execute(statement, values)

    # Workers

    def save_worker(self, worker: Worker, events: Sequence[Event] = ()) -> None:
        """Write a worker's record, together with the events that tell of the change."""
        with self._writing():
            self._save(worker)
            self._add_events(events)

    def _save(self, worker: Worker) -> None:
        self._run(
            "INSERT INTO workers VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO UPDATE SET "
            "stage = excluded.stage, ended_at = excluded.ended_at, failed = excluded.failed, "
            "record = excluded.record",
            worker.id,
            worker.job,
            worker.stage,
            worker.created_at,
            worker.ended_at,
            int(worker.outcome == "failed"),
            json.dumps(as_json(worker)),
        )

    def save_delivered(
        self, number: int, measured: Measured, worker: Worker, events: Sequence[Event]
    ) -> None:
        """Write that a plot of *worker* is delivered: it counts from now on, and only once."""
        (plot,) = (work.plot for work in worker.plots if work.number == number)
        with self._writing():
            self._save(worker)
            self._run(
                "INSERT OR IGNORE INTO deliveries VALUES (?, ?, ?, ?, ?)",
                worker.id,
                number,
                worker.job,
                events[0].at,
                plot.size,
            )
            self._run(
                "INSERT OR IGNORE INTO measured VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                worker.id,
                number,
                worker.plotter,
                worker.k,
                worker.size_key,
                events[0].at,
                measured.bytes,
                measured.tmp_bytes,
                measured.seconds,
                measured.delivery_seconds,
                measured.longest_silence,
                json.dumps(measured.phases),
            )
            self._add_events(events)

    def measured(
        self, plotter: str, k: int | None, count: int, size_key: str | None = None
    ) -> list[Measured]:
        """The last plots of a plotter and k, the latest first; only those of one *size_key*."""
        rows = self._rows(
            "SELECT bytes, tmp_bytes, seconds, delivery_seconds, longest_silence, phases "
            "FROM measured WHERE plotter = ? AND k IS ? AND size_key = coalesce(?, size_key) "
            "ORDER BY at DESC LIMIT ?",
            plotter,
            k,
            size_key,
            count,
        )
        return [_measured(*row) for row in rows]

    def save_failed(self, worker: Worker, events: Sequence[Event]) -> None:
        """Write a worker's failure and count it."""
        with self._writing():
            self._save(worker)
            self._run(
                "INSERT INTO jobs (name, failures_in_row, last_failure_at) VALUES (?, 1, ?) "
                "ON CONFLICT (name) DO UPDATE SET failures_in_row = failures_in_row + 1, "
                "last_failure_at = excluded.last_failure_at",
                worker.job,
                events[0].at,
            )
            self._add_events(events)

    def save_ended(self, worker: Worker, events: Sequence[Event]) -> None:
        """Write a worker's end; a success ends a row of failures."""
        with self._writing():
            self._save(worker)
            self._run("DELETE FROM progress WHERE worker = ?", worker.id)
            self._run("DELETE FROM finish_requests WHERE worker = ?", worker.id)
            if worker.outcome == "done":
                self._run("UPDATE jobs SET failures_in_row = 0 WHERE name = ?", worker.job)
            self._add_events(events)

    def save_progress(self, progress: Mapping[str, Progress], events: Sequence[Event]) -> None:
        """Write how far living workers are, and events that announce no step."""
        with self._writing():
            for worker, now in progress.items():
                self._run(
                    "INSERT INTO progress VALUES (?, ?) "
                    "ON CONFLICT (worker) DO UPDATE SET record = excluded.record",
                    worker,
                    json.dumps(as_json(now)),
                )
            self._add_events(events)

    def alive_workers(self) -> list[Worker]:
        """Workers that have not ended, oldest first."""
        rows = self._rows(
            "SELECT workers.record, progress.record FROM workers "
            "LEFT JOIN progress ON progress.worker = workers.id "
            "WHERE stage != ? ORDER BY created_at",
            Stage.ENDED,
        )
        return [
            worker_from_json(json.loads(record) | ({"progress": json.loads(now)} if now else {}))
            for record, now in rows
        ]

    def failed_workers(self, count: int) -> list[Worker]:
        """The workers that failed last, latest first."""
        return self.ended_workers(count, failed=True)

    def ended_workers(
        self, count: int, job: str | None = None, failed: bool | None = None
    ) -> list[Worker]:
        """The workers that ended last, latest first; of one job, or by how they ended."""
        rows = self._rows(
            "SELECT record FROM workers WHERE stage = ? AND job = coalesce(?, job) "
            "AND failed = coalesce(?, failed) ORDER BY ended_at DESC LIMIT ?",
            Stage.ENDED,
            job,
            failed,
            count,
        )
        return [worker_from_json(json.loads(record)) for (record,) in rows]

    def request_finish(self, workers: Sequence[str]) -> None:
        """Ask that these workers' plotters end after the plot under way."""
        with self._writing():
            for worker in workers:
                self._run("INSERT OR IGNORE INTO finish_requests VALUES (?)", worker)

    def finish_requests(self) -> frozenset[str]:
        """Workers whose plotters are to end after the plot under way."""
        return frozenset(worker for (worker,) in self._rows("SELECT worker FROM finish_requests"))

    # Jobs

    def job(self, name: str) -> JobRecord:
        """What is stored of a job; a new one has made nothing."""
        with self._lock:  # all of it from one moment
            ((made,),) = self._rows("SELECT count(*) FROM deliveries WHERE job = ?", name)
            starts = self._last_starts(name)
            rows = self._rows(
                "SELECT failures_in_row, last_failure_at, listed_at, paused, ended, holds "
                "FROM jobs WHERE name = ?",
                name,
            )
            delivered = dict(
                self._rows(
                    "SELECT worker, count(*) FROM deliveries WHERE job = ? AND worker IN "
                    "(SELECT id FROM workers WHERE stage != ?) GROUP BY worker",
                    name,
                    Stage.ENDED,
                )
            )
            if not rows:
                return JobRecord(name, made, 0, None, *starts, delivered=delivered)
            failures, failed_at, listed_at, paused, ended, holds = rows[0]
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
            )

    def _last_starts(self, job: str) -> tuple[float | None, float | None]:
        """When the last plotter of *job* was started, or is about to be; and the last of any."""
        mine = self._rows(
            "SELECT coalesce(json_extract(record, '$.started_at'), created_at) FROM workers "
            "WHERE job = ? AND (json_extract(record, '$.started_at') IS NOT NULL "
            "OR stage IN (?, ?, ?)) ORDER BY created_at DESC LIMIT 1",
            job,
            *sorted(STAGES_WITH_PLOTTER),
        )
        # Events have an index of their kinds, workers none of their starts.
        any_job = self._rows(
            "SELECT at FROM events WHERE kind = ? ORDER BY number DESC LIMIT 1",
            EventKind.PLOTTER_STARTED,
        )
        return mine[0][0] if mine else None, any_job[0][0] if any_job else None

    def set_holds(self, name: str, holds: Sequence[str]) -> None:
        """Write why a job may not start now, to be shown."""
        self._run(
            "INSERT INTO jobs (name, holds) VALUES (?, ?) "
            "ON CONFLICT (name) DO UPDATE SET holds = excluded.holds",
            name,
            json.dumps(list(holds)),
        )

    def list_jobs(self, jobs: Sequence[Job], now: float) -> None:
        """Write which jobs the settings have, for commands that do not read the settings.

        *now* is remembered as the time at which a new one was first seen.
        """
        with self._writing():
            self._run("DELETE FROM listed_jobs")
            for position, job in enumerate(jobs):
                self._run(
                    "INSERT INTO listed_jobs VALUES (?, ?, ?, ?)",
                    position,
                    job.name,
                    job.plotter,
                    job.plots,
                )
                self._run(
                    "INSERT INTO jobs (name, listed_at) VALUES (?, ?) ON CONFLICT (name) "
                    "DO UPDATE SET listed_at = coalesce(listed_at, excluded.listed_at)",
                    job.name,
                    now,
                )

    def listed_jobs(self) -> list[tuple[str, str, int]]:
        """Name, plotter and number of plots of each job that the settings had last."""
        rows = self._rows("SELECT name, plotter, wanted FROM listed_jobs ORDER BY position")
        return [(name, plotter, wanted) for name, plotter, wanted in rows]

    def set_ended(self, name: str, ended: bool, events: Sequence[Event] = ()) -> None:
        """Write whether a job has made all of its plots."""
        with self._writing():
            self._run(
                "INSERT INTO jobs (name, ended) VALUES (?, ?) "
                "ON CONFLICT (name) DO UPDATE SET ended = excluded.ended",
                name,
                int(ended),
            )
            self._add_events(events)

    def set_paused(self, name: str, reason: str | None) -> None:
        """Pause a job, or lift its pause and forget its failures."""
        with self._writing():
            self._run("INSERT OR IGNORE INTO jobs (name) VALUES (?)", name)
            self._run("UPDATE jobs SET paused = ? WHERE name = ?", reason, name)
            if reason is None:
                self._run("UPDATE jobs SET failures_in_row = 0 WHERE name = ?", name)

    # Directories in turn

    def save_created(self, worker: Worker, events: Sequence[Event]) -> None:
        """Write a new worker, and that its temporary directories were chosen just now.

        One commit: it stands between a plotter's exit and the next one's start.
        """
        own = {worker.tmp_dir, worker.tmp2_dir} - {None}
        with self._writing():
            self._save(worker)
            for path in sorted(directory.parent for directory in own if directory):
                self._use(path)
            self._add_events(events)

    def use(self, path: Path) -> None:
        """Note that a directory was chosen just now."""
        with self._writing():
            self._use(path)

    def _use(self, path: Path) -> None:
        self._run(
            "INSERT INTO uses SELECT ?, coalesce(max(number), 0) + 1 FROM uses WHERE true "
            "ON CONFLICT (path) DO UPDATE SET number = excluded.number",
            json.dumps(str(path)),
        )

    def uses(self) -> dict[Path, int]:
        """When each directory was chosen last: a number that grows with every choice."""
        rows = self._rows("SELECT path, number FROM uses")
        return {Path(json.loads(path)): number for path, number in rows}

    # Events

    def add_events(self, events: Sequence[Event]) -> None:
        """Write events."""
        with self._writing():
            self._add_events(events)

    def _add_events(self, events: Sequence[Event]) -> None:
        for event in events:
            self._run(
                "INSERT INTO events (at, kind, job, worker, data) VALUES (?, ?, ?, ?, ?)",
                event.at,
                event.kind,
                event.job,
                event.worker,
                json.dumps(dict(event.data)),
            )

    def last_events(self, count: int) -> list[Event]:
        """The latest events, in the order in which they happened."""
        rows = self._rows(
            "SELECT at, kind, job, worker, data FROM events ORDER BY number DESC LIMIT ?", count
        )
        return [
            Event(EventKind(kind), at, job, worker, json.loads(data))
            for at, kind, job, worker, data in reversed(rows)
        ]

    def events_since(self, kind: EventKind, since: EventKind) -> list[Event]:
        """Events of one kind after the last event of another."""
        rows = self._rows(
            "SELECT at, kind, job, worker, data FROM events WHERE kind = ? AND number > "
            "coalesce((SELECT max(number) FROM events WHERE kind = ?), 0) ORDER BY number",
            kind,
            since,
        )
        return [
            Event(EventKind(kind), at, job, worker, json.loads(data))
            for at, kind, job, worker, data in rows
        ]

    def forget_old_events(self) -> None:
        """Keep the last `EVENTS_KEPT` events."""
        self._run(
            "DELETE FROM events WHERE number <= (SELECT max(number) FROM events) - ?", EVENTS_KEPT
        )

    # Logs

    def one_more_kept(self, limit: int, worker: str) -> bool:
        """Whether this worker is one of the next *limit* whose logs are kept.

        They are counted from the moment at which *limit* was written into the settings.
        """
        with self._writing():
            rows = self._rows("SELECT workers FROM kept_logs WHERE wanted = ?", limit)
            workers = json.loads(rows[0][0]) if rows else []
            if worker not in workers:
                if len(workers) >= limit:
                    return False
                workers.append(worker)
            self._run("DELETE FROM kept_logs")
            self._run("INSERT INTO kept_logs VALUES (?, ?)", limit, json.dumps(workers))
            return True


def make_state_dir(state_dir: Path) -> None:
    """Make the state directory, if there is none, for its owner's eyes only.

    It holds the user's commands, and there may be passwords in them.
    """
    state_dir.parent.mkdir(parents=True, exist_ok=True)
    state_dir.mkdir(mode=0o700, exist_ok=True)


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
    )


def _measured(
    size: int,
    tmp_bytes: int | None,
    seconds: float | None,
    delivery_seconds: float | None,
    longest_silence: float,
    phases: str,
) -> Measured:
    known = tuple(json.loads(phases))
    return Measured(size, tmp_bytes, seconds, delivery_seconds, longest_silence, known)
