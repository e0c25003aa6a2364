"""Cleaning up after a worker: its own directories, and its logs as the settings say."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Iterable
from pathlib import Path

from plotrun.model import EventKind
from plotrun.threads import in_daemon_thread
from plotrun.workdir import clear_directory, half_copies
from plotrun.worker_record import WorkerRecord


async def clean_up(
    record: WorkerRecord, own: Iterable[Path], half_copied: Collection[str] | None
) -> None:
    """Remove the worker's *own* directories, but no plot in them, and its logs.

    *half_copied* are the ids of plots whose copy the plotter could not end, if there are any.
    """
    worker = record.worker
    for directory in own:
        try:
            kept = await in_daemon_thread(
                lambda d=directory: clear_directory(d, worker.id),  # type: ignore[misc]
                "clean up",
            )
            why = "a plot that was not delivered" if kept else None
            left = ", ".join(map(str, kept))
        except OSError as error:
            why, left = error.strerror or str(error), str(directory)
        if why is not None:
            await record.save(record.event(EventKind.LEFTOVER_KEPT, path=left, reason=why))
    if half_copied is not None:
        await _tell_of_half_copies(record, frozenset(half_copied))
    keep = await asyncio.to_thread(_keep_logs, record)
    await in_daemon_thread(lambda: _remove_files(record, keep), "remove logs")


async def _tell_of_half_copies(record: WorkerRecord, ids: frozenset[str]) -> None:
    """What a plotter left of a copy that failed: in the user's directory, so it stays."""
    final = record.worker.final_dir
    if final is None:
        return
    for path in await in_daemon_thread(lambda: half_copies(final, ids), "look for leftovers"):
        why = "half a copy that the plotter left; it may be removed"
        await record.save(record.event(EventKind.LEFTOVER_KEPT, path=str(path), reason=why))


def _keep_logs(record: WorkerRecord) -> bool:
    wanted = record.around.settings().general.keep_logs
    if isinstance(wanted, bool):
        return wanted
    return record.around.store.one_more_kept(wanted, record.worker.id)


def _remove_files(record: WorkerRecord, keep_logs: bool) -> None:
    worker = record.worker
    assert worker.log is not None
    results = record.around.store.file.parent / "commands"
    for file in results.glob(f"{worker.id}_*"):
        file.unlink(missing_ok=True)
    if worker.outcome == "done" and not keep_logs:
        for suffix in ("", "_pre", "_post"):
            worker.log.with_name(f"{worker.id}{suffix}.log").unlink(missing_ok=True)
