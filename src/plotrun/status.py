"""What there is to see: from the store and the process table, whether or not a runner is up.

`gather` answers plain data; docs/status.md describes its JSON form, whose number is `FORM`.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from plotrun.estimate import done, seconds_left
from plotrun.lock import running
from plotrun.logparser import LogParser
from plotrun.model import EventKind, PlotWork, Progress, Worker
from plotrun.plotter import Plotter
from plotrun.process_table import is_alive, is_suspended, process_table
from plotrun.store import Request, Store, job_state
from plotrun.strangers import strangers

FORM = 1
"""Number of the JSON form; it changes when a field goes or changes its meaning."""
FAILURES_SHOWN = 10
CHUNK = 1024 * 1024


def gather(state_dir: Path, store: Store, plotters: Sequence[Plotter]) -> dict[str, Any]:
    """The state of everything now, for a command: by the store and the process table."""
    runner = running(state_dir)
    by_name = {plotter.name: plotter for plotter in plotters}
    own = progress_by_logs(state_dir, store.alive_workers(), by_name)
    others = strangers(process_table(), plotters, {worker.id for worker in own})
    return assemble(store, own, others, runner.pid if runner else None)


def progress_by_logs(
    state_dir: Path, workers: Sequence[Worker], plotters: Mapping[str, Plotter]
) -> list[Worker]:
    """Living workers with what their logs say, where no runner is up that has read them."""
    if running(state_dir) is not None:
        return list(workers)
    return [
        replace(w, progress=_read_progress(w, plotters.get(w.plotter))) if w.job else w
        for w in workers
    ]


def assemble(
    store: Store, own: Sequence[Worker], others: Sequence[Worker], runner_pid: int | None
) -> dict[str, Any]:
    """The state of everything, given the workers."""
    now, suspended = time.time(), store.requests.of(Request.SUSPEND)
    return {
        "form": FORM,
        "at": now,
        "state_dir": str(store.file.parent),
        "runner": {"running": runner_pid is not None, "pid": runner_pid},
        "jobs": [_job(store, *listed, own) for listed in store.jobs.listed()],
        "workers": [worker_row(worker, now, suspended, own=True) for worker in own]
        + [worker_row(worker, now, suspended, own=False) for worker in others],
        "failed": [_failed(worker) for worker in store.failed_workers(FAILURES_SHOWN)],
        "plugin_failures": [
            dict(event.data)
            for event in store.events.since(EventKind.PLUGIN_FAILED, EventKind.RUNNER_STARTED)
        ],
    }


def _job(
    store: Store, name: str, plotter: str, wanted: int, workers: Sequence[Worker]
) -> dict[str, Any]:
    record = store.jobs.record(name)
    state = job_state(record, workers)
    return {
        "name": name,
        "plotter": plotter,
        "wanted": wanted,
        "made": state.made,
        "expected": state.expected,
        "running": state.running,
        "failures_in_row": state.failures_in_row,
        "paused": state.paused,
        "events_paused": record.events_paused,
        "asked": [
            {"asked_by": each.words, "count": each.left, "started": each.started}
            for each in record.asked
        ],
        "next_time": state.next_time,
        "ended": record.ended,
        "holds": list(record.holds),
    }


def worker_row(
    worker: Worker, now: float, suspended: Mapping[str, float], own: bool
) -> dict[str, Any]:
    """A worker as docs/status.md describes it; *suspended* has the times of the user's wish."""
    ref, progress = worker.process, worker.progress
    return {
        "id": worker.id,
        "own": own,
        "job": worker.job or None,
        "plotter": worker.plotter,
        "stage": str(worker.stage),
        "k": worker.k,
        "plot_id": progress.plot_id,
        "tmp": _text(worker.tmp),
        "dst": _text(worker.dst),
        "log": _text(worker.log),
        "pid": ref.pid if ref else None,
        "alive": is_alive(ref) if ref else None,
        "suspended": is_suspended(ref) if ref else False,
        "suspended_since": suspended.get(worker.id),
        "created_at": worker.created_at,
        "started_at": worker.started_at,
        "seconds": now - (worker.started_at or worker.created_at),
        "phase": progress.phase,
        "step": progress.step,
        "fraction": done(worker, now),
        "seconds_left": seconds_left(worker, now),
        "trouble": progress.trouble,
        "stuck_since": progress.still_since,
        "plots_wanted": worker.plots_wanted,
        "plots": [_plot(work, worker) for work in worker.plots],
    }


def _plot(work: PlotWork, worker: Worker) -> dict[str, Any]:
    copies = worker.progress.copies
    copy = next((each for each in copies if each.number == work.number), None)
    speed = copy.speed if copy else None
    return {
        "number": work.number,
        "plot_id": work.plot.plot_id,
        "path": str(work.plot.path),
        "k": work.plot.k,
        "format": str(work.plot.format),
        "size": work.plot.size,
        "stage": str(work.stage),
        "dst": _text(work.dst),
        "waiting": work.waiting,
        "copied": copy.bytes if copy else None,
        "copy_speed": speed,
        "copy_seconds_left": (work.plot.size - copy.bytes) / speed if copy and speed else None,
        "post": work.post,
    }


def _failed(worker: Worker) -> dict[str, Any]:
    return {
        "id": worker.id,
        "job": worker.job,
        "ended_at": worker.ended_at,
        "reason": worker.reason,
        "exit_code": worker.exit_code,
        "log": _text(worker.log),
    }


def _text(path: Path | None) -> str | None:
    return None if path is None else str(path)


def _read_progress(worker: Worker, plotter: Plotter | None) -> Progress:
    """Progress by the log itself: with no runner up nobody else has read its latest lines."""
    if worker.log is None or plotter is None:
        return worker.progress
    parser, progress = LogParser(plotter.rules), Progress()
    try:
        with worker.log.open("rb") as file:
            while chunk := file.read(CHUNK):
                progress = plotter.advance(progress, parser.feed(chunk))
    except OSError:
        return worker.progress
    # When its plot was begun only the runner has seen.
    begun = worker.progress if progress.plots_started == worker.progress.plots_started else None
    return replace(progress, since=begun.since if begun else None)
