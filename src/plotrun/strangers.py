"""Plotters that plotrun did not start: recognised in the process table, shown and counted."""

from __future__ import annotations

import contextlib
import os
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from plotrun.model import Progress, Stage, Worker
from plotrun.plotter import Plotter, Recognised
from plotrun.process_table import ProcessInfo


def strangers(
    table: Sequence[ProcessInfo],
    plotters: Sequence[Plotter],
    own: Collection[str],
    known: Collection[Path] = (),
) -> list[Worker]:
    """Running plotters that belong to none of the workers named in *own*, as workers.

    Of a plotter and the processes it was started by or has started, only the topmost counts.
    Directories that they call by another name are told by that of *known*, where they are one of
    these or below one; and their temporary files are measured. For that the file systems are asked,
    which may take for ever.
    """
    found: dict[int, tuple[ProcessInfo, Plotter, Recognised]] = {}
    for process in table:
        for plotter in plotters:  # those of plugins come first: they know better than the built-in
            recognised = plotter.recognise(process.argv)
            if recognised is not None:
                found[process.ref.pid] = (process, plotter, recognised)
                break
    parents = {process.ref.pid: process.parent for process in table}
    real = {Path(os.path.realpath(path)): path for path in known} if found else {}
    workers = [
        _as_worker(process, plotter, _placed(recognised, process.directory, real))
        for process, plotter, recognised in found.values()
        if not _below(process.parent, found.keys(), parents)
        and (process.worker is None or process.worker not in own)
    ]
    return _measured(workers) if known else workers


def _below(pid: int | None, plotters: Collection[int], parents: dict[int, int | None]) -> bool:
    seen = set()
    while pid is not None and pid not in seen:
        if pid in plotters:
            return True
        seen.add(pid)
        pid = parents.get(pid)
    return False


def _placed(found: Recognised, directory: Path | None, real: Mapping[Path, Path]) -> Recognised:
    """*found* with whole paths, as the settings name them; *real* has the settings' directories."""

    def place(path: Path | None) -> Path | None:
        if path is None:
            return None
        whole = Path(os.path.normpath((directory or Path("/")) / path))
        if not real or any(whole.is_relative_to(named) for named in real.values()):
            return whole
        there = Path(os.path.realpath(whole))
        for parent in (there, *there.parents):
            if parent in real:
                return real[parent] / there.relative_to(parent)
        return whole

    return replace(
        found, tmp=place(found.tmp), tmp2=place(found.tmp2), final_dir=place(found.final_dir)
    )


def _as_worker(process: ProcessInfo, plotter: Plotter, recognised: Recognised) -> Worker:
    return Worker(
        id=f"pid-{process.ref.pid}",
        job="",
        plotter=plotter.name,
        stage=Stage.PLOTTING,
        created_at=process.started_at,
        started_at=process.started_at,
        tmp=recognised.tmp,
        tmp_dir=recognised.tmp,
        tmp2_dir=recognised.tmp2,
        final_dir=recognised.final_dir,
        dst=recognised.final_dir,
        k=recognised.k,
        sizes=recognised.sizes,
        argv=process.argv,
        process=process.ref,
    )


def _measured(workers: Sequence[Worker]) -> list[Worker]:
    """*workers* with what their temporary files take: of a directory they share, equal parts."""
    sharing = Counter(d for w in workers for d in {w.tmp_dir, w.tmp2_dir} if d is not None)
    oldest = min((w.created_at for w in workers), default=0.0)
    used = {path: temporary_files(path, oldest) // count for path, count in sharing.items()}

    def progress(worker: Worker) -> Progress:
        tmp, tmp2 = worker.tmp_dir, worker.tmp2_dir
        in_tmp2 = used[tmp2] if tmp2 is not None and tmp2 != tmp else 0
        return replace(
            worker.progress, tmp_bytes=used[tmp] if tmp is not None else 0, tmp2_bytes=in_tmp2
        )

    return [replace(worker, progress=progress(worker)) for worker in workers]


def temporary_files(directory: Path, since: float) -> int:
    """Bytes of a plotter's temporary files that lie directly in *directory*.

    Those that have not changed *since*, seconds since the epoch, are of plotters that have ended.
    """
    total = 0
    with contextlib.suppress(OSError), os.scandir(directory) as entries:
        for entry in entries:
            with contextlib.suppress(OSError):  # gone meanwhile
                status = entry.stat(follow_symlinks=False)
                if entry.name.endswith(".tmp") and status.st_mtime >= since:
                    total += getattr(status, "st_blocks", status.st_size // 512) * 512
    return total
