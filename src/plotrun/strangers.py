"""Plotters that plotrun did not start: recognised in the process table, shown and counted."""

from __future__ import annotations

import os
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from plotrun.model import Stage, Worker
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
    these or below one: for that the file systems are asked, which may take for ever.
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
    return [
        _as_worker(process, plotter, _placed(recognised, process.directory, real))
        for process, plotter, recognised in found.values()
        if not _below(process.parent, found.keys(), parents)
        and (process.worker is None or process.worker not in own)
    ]


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
        argv=process.argv,
        process=process.ref,
    )
