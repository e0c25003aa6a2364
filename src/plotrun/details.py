"""All that is known of one worker, as plain data: what ``plotrun details`` shows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import psutil

from plotrun.follow import last_lines
from plotrun.model import ProcessRef, Worker
from plotrun.process_tree import tree
from plotrun.settings.problems import urls_hidden
from plotrun.settings.schema import Schema
from plotrun.status import worker_row
from plotrun.workdir import temporary_bytes

HIDDEN = "***"
"""Stands for a value that is kept secret."""
LAST_LINES = 10


def details(
    worker: Worker,
    ref: ProcessRef | None,
    schema: Schema,
    suspended: Mapping[str, float],
    now: float,
) -> dict[str, Any]:
    """The worker's row of ``status --json``, and what else there is to know; *ref* is its plotter,
    if that runs. Of secrets in its settings or its command line there are only stars.
    """
    hidden = _secrets(worker, schema)
    own = bool(worker.job)
    return worker_row(worker, now, suspended, own) | {
        "plot_ids": [*dict.fromkeys(filter(None, (*worker.plot_ids, worker.progress.plot_id)))],
        "plots_made": worker.plots_seen,
        "tmp_dir": _text(worker.tmp_dir),
        "tmp2_dir": _text(worker.tmp2_dir),
        "final_dir": _text(worker.final_dir),
        "tmp_bytes": temporary_bytes(worker.tmp_dir, worker.tmp2_dir) if own else None,
        **_usage(ref),
        "command_line": [_masked(word, hidden) for word in worker.argv],
        "settings": {
            key: HIDDEN if key in hidden else _masked(value, hidden)
            for key, value in worker.settings.items()
        },
        "plotter_ended_at": worker.plotter_ended_at,
        "ended_at": worker.ended_at,
        "outcome": worker.outcome,
        "reason": worker.reason,
        "exit_code": worker.exit_code,
        "log_lines": last_lines(worker.log, LAST_LINES) if worker.log else [],
    }


def _secrets(worker: Worker, schema: Schema) -> dict[str, str]:
    """The secret values that it was started with, by their keys."""
    if worker.plotter not in schema.plotters:  # nobody knows which are: none is shown
        return {key: str(value) for key, value in worker.settings.items()}
    keys = schema.job_keys(worker.plotter)
    return {
        key: str(value)
        for key, value in worker.settings.items()
        if key not in keys or keys[key].help.secret
    }


def _masked(value: Any, hidden: Mapping[str, str]) -> Any:
    """A value without secrets, and without what is behind ``://`` of URLs."""
    if isinstance(value, Mapping):
        return {key: _masked(each, hidden) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_masked(each, hidden) for each in value]
    if not isinstance(value, str):
        return value
    for secret in filter(None, hidden.values()):
        value = value.replace(secret, HIDDEN)
    return urls_hidden(value)


def _usage(ref: ProcessRef | None) -> dict[str, Any]:
    """Processes of the plotter, memory and CPU of all of them together."""
    pids, memory, seconds = list[int](), 0, 0.0
    for process in tree(ref) if ref is not None else ():
        try:
            pids.append(process.pid)
            memory += process.memory_info().rss
            times = process.cpu_times()
            seconds += times.user + times.system
        except psutil.Error:
            continue  # ended meanwhile, or another user's
    return {
        "pids": pids,
        "memory_bytes": memory if pids else None,
        "cpu_seconds": seconds if pids else None,
    }


def _text(path: object) -> str | None:
    return None if path is None else str(path)
