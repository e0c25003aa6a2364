"""What plotrun knows, on disk: SQLite in the state directory. The only files that touch it.

WAL mode: the command line reads while a runner writes. A commit is on the disk before the step
it announces is taken (``synchronous = FULL``).

Paths may hold bytes that are no text; they are kept in JSON, where the standard library's
escapes carry them (PEP 383), or as the bytes that they are.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from plotrun.model import Event, Measured, Progress, Stage, Worker
from plotrun.records import as_json, worker_from_json
from plotrun.store.asked_starts import AskedStart, AskedStarts, Asker
from plotrun.store.database import Database, StoreError, has_state, make_state_dir
from plotrun.store.due_events import DueEvent, DueEvents
from plotrun.store.events import Events
from plotrun.store.headers import Headers
from plotrun.store.jobs import JobRecord, Jobs, job_state
from plotrun.store.measured import MeasuredPlots
from plotrun.store.removals import Removals
from plotrun.store.requests import Request, Requests

__all__ = [
    "AskedStart",
    "Asker",
    "DueEvent",
    "JobRecord",
    "Request",
    "Store",
    "StoreError",
    "has_state",
    "job_state",
    "make_state_dir",
]


class Store:
    """The state of one state directory. May be used from any thread."""

    def __init__(self, state_dir: Path, lasting: bool = True) -> None:
        """Open the state, making it if there is none; *lasting*: over a power cut.

        Raises:
            StoreError: it cannot be opened, or was made by a newer plotrun.
        """
        self._db = Database(state_dir, lasting)
        self.file = self._db.file
        self.events = Events(self._db)
        self.asked = AskedStarts(self._db, self.events)
        self.due = DueEvents(self._db, self.events, self.asked)
        self.jobs = Jobs(self._db, self.events, self.asked)
        self.measured = MeasuredPlots(self._db)
        self.headers = Headers(self._db)
        self.removals = Removals(self._db, self.events)
        self.requests = Requests(self._db)

    def close(self) -> None:
        """Close the database."""
        self._db.close()

    def copy_to(self, state_dir: Path) -> None:
        """Copy all of it, as it is at one moment, into another state directory."""
        self._db.copy_to(state_dir)

    # Workers

    def save_emitting(self, due: Sequence[DueEvent], save: Callable[[], None]) -> None:
        """Write by *save* a step that emits these events, and the events, in one commit."""
        with self._db.writing():
            save()
            self.due.add(due)

    def forget_living(self) -> None:
        """Forget workers that have not ended: for a state that is only played with."""
        with self._db.writing():
            self._db.run("DELETE FROM workers WHERE stage != ?", Stage.ENDED)
            self.due.forget_all()
            self.jobs.forget()

    def save_worker(self, worker: Worker, events: Sequence[Event] = ()) -> None:
        """Write a worker's record, together with the events that tell of the change."""
        with self._db.writing():
            self._save(worker)
            self.events.add(events)

    def _save(self, worker: Worker) -> None:
        self.jobs.forget()
        self._db.run(
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
        with self._db.writing():
            self._save(worker)
            self._db.run(
                "INSERT OR IGNORE INTO deliveries VALUES (?, ?, ?, ?, ?)",
                worker.id,
                number,
                worker.job,
                events[0].at,
                plot.size,
            )
            self.measured.add(worker, number, events[0].at, measured)
            self.removals.delivered(plot.path)
            self.events.add(events)

    def save_failed(self, worker: Worker, events: Sequence[Event]) -> None:
        """Write a worker's failure and count it."""
        with self._db.writing():
            self._save(worker)
            self._db.run(
                "INSERT INTO jobs (name, failures_in_row, last_failure_at) VALUES (?, 1, ?) "
                "ON CONFLICT (name) DO UPDATE SET failures_in_row = failures_in_row + 1, "
                "last_failure_at = excluded.last_failure_at",
                worker.job,
                events[0].at,
            )
            self.events.add(events)

    def save_ended(self, worker: Worker, events: Sequence[Event]) -> None:
        """Write a worker's end; a success ends a row of failures."""
        with self._db.writing():
            self._save(worker)
            self._db.run("DELETE FROM progress WHERE worker = ?", worker.id)
            self._db.run("DELETE FROM finish_requests WHERE worker = ?", worker.id)
            self.requests.forget(worker.id)
            if worker.outcome == "done":
                self._db.run("UPDATE jobs SET failures_in_row = 0 WHERE name = ?", worker.job)
            self.events.add(events)

    def save_progress(self, progress: Mapping[str, Progress], events: Sequence[Event]) -> None:
        """Write how far living workers are, and events that announce no step."""
        with self._db.writing():
            for worker, now in progress.items():
                self._db.run(
                    "INSERT INTO progress VALUES (?, ?) "
                    "ON CONFLICT (worker) DO UPDATE SET record = excluded.record",
                    worker,
                    json.dumps(as_json(now)),
                )
            self.events.add(events)

    def alive_workers(self) -> list[Worker]:
        """Workers that have not ended, oldest first."""
        rows = self._db.rows(
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
        rows = self._db.rows(
            "SELECT record FROM workers WHERE stage = ? AND job = coalesce(?, job) "
            "AND failed = coalesce(?, failed) ORDER BY ended_at DESC LIMIT ?",
            Stage.ENDED,
            job,
            failed,
            count,
        )
        return [worker_from_json(json.loads(record)) for (record,) in rows]

    def worker(self, name: str) -> Worker | None:
        """The worker of this id, living or ended, as it was written with its last step."""
        rows = self._db.rows("SELECT record FROM workers WHERE id = ?", name)
        return worker_from_json(json.loads(rows[0][0])) if rows else None

    def stages(self) -> dict[str, Stage]:
        """The stage of each worker there ever was."""
        rows = self._db.rows("SELECT id, stage FROM workers")
        return {worker: Stage(stage) for worker, stage in rows}

    def named(self, prefix: str) -> list[Worker]:
        """Ended workers whose id, or the id of one of whose plots, begins so; latest first."""
        rows = self._db.rows(
            "SELECT record FROM workers WHERE stage = ? AND "
            "(substr(id, 1, length(?)) = ? OR instr(record, ?)) ORDER BY ended_at DESC",
            Stage.ENDED,
            prefix,
            prefix,
            f'"{prefix}',  # an id of a plot, where it begins
        )
        workers = (worker_from_json(json.loads(record)) for (record,) in rows)
        return [worker for worker in workers if worker.is_named(prefix)]

    def reopen(self, worker: Worker, now: float) -> None:
        """Write the record of an ended worker that is to be taken up again."""
        with self._db.writing():
            self._save(worker)
            self.requests.put(Request.RETRY, [worker.id], now)

    def request_finish(self, workers: Sequence[str]) -> None:
        """Ask that these workers' plotters end after the plot under way."""
        with self._db.writing():
            for worker in workers:
                self._db.run("INSERT OR IGNORE INTO finish_requests VALUES (?)", worker)

    def finish_requests(self) -> frozenset[str]:
        """Workers whose plotters are to end after the plot under way."""
        return frozenset(
            worker for (worker,) in self._db.rows("SELECT worker FROM finish_requests")
        )

    # Directories in turn

    def save_created(
        self, worker: Worker, events: Sequence[Event], asked: AskedStart | None = None
    ) -> None:
        """Write a new worker, and that its temporary directories were chosen just now.

        It is one of the starts that were *asked* for, if it is.
        One commit: it stands between a plotter's exit and the next one's start.
        """
        own = {worker.tmp_dir, worker.tmp2_dir} - {None}
        with self._db.writing():
            self._save(worker)
            for path in sorted(directory.parent for directory in own if directory):
                self._use(path)
            if asked is not None:
                self.asked.one_started(asked.number)
            self.events.add(events)

    def use(self, path: Path) -> None:
        """Note that a directory was chosen just now."""
        with self._db.writing():
            self._use(path)

    def _use(self, path: Path) -> None:
        self._db.run(
            "INSERT INTO uses SELECT ?, coalesce(max(number), 0) + 1 FROM uses WHERE true "
            "ON CONFLICT (path) DO UPDATE SET number = excluded.number",
            json.dumps(str(path)),
        )

    def uses(self) -> dict[Path, int]:
        """When each directory was chosen last: a number that grows with every choice."""
        rows = self._db.rows("SELECT path, number FROM uses")
        return {Path(json.loads(path)): number for path, number in rows}

    # Logs

    def one_more_kept(self, limit: int, worker: str) -> bool:
        """Whether this worker is one of the next *limit* whose logs are kept.

        They are counted from the moment at which *limit* was written into the settings.
        """
        with self._db.writing():
            rows = self._db.rows("SELECT workers FROM kept_logs WHERE wanted = ?", limit)
            workers = json.loads(rows[0][0]) if rows else []
            if worker not in workers:
                if len(workers) >= limit:
                    return False
                workers.append(worker)
            self._db.run("DELETE FROM kept_logs")
            self._db.run("INSERT INTO kept_logs VALUES (?, ?)", limit, json.dumps(workers))
            return True
