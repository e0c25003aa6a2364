"""Reading many logs: in this process if they are few, else in one process for each core."""

from __future__ import annotations

import os
import signal
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from plotrun.analysis.files import find_files
from plotrun.analysis.forms import FinishedLog
from plotrun.analysis.plots import FinishedPlot
from plotrun.analysis.reader import LogRead, LogReader, Skipped

Tables = Sequence[tuple[str, FinishedLog]]

FEW = 48 * 1024 * 1024
"""Bytes up to which one process is as fast as several: those take 30 ms to start (measured on two
cores)."""
BATCH_FILES = 32
"""Files handed to a process at a time: their answers are sent back together."""


@dataclass
class Findings:
    """What the logs told, in the order of their names."""

    plots: list[FinishedPlot] = field(default_factory=list)
    unfinished: int = 0
    files: int = 0
    """How many files were found."""
    skipped: Counter[Skipped] = field(default_factory=Counter)


def analyze(paths: Iterable[str], tables: Tables, processes: int | None = None) -> Findings:
    """Finished plots in the files *paths*, and in all files below directories among them.

    *processes*: how many read; None chooses by the number of bytes. What is found does not depend
    on it. Nothing is raised for what cannot be read: it is counted.
    """
    found = find_files(paths)
    findings = Findings(files=len(found.files))
    if found.unreadable:
        findings.skipped[Skipped.UNREADABLE] = found.unreadable
    if processes is None:
        few = sum(size for _, size in found.files) < FEW or len(found.files) < 2
        processes = 1 if few else _cores()
    for read in _read([path for path, _ in found.files], tables, processes):
        findings.plots += read.plots
        findings.unfinished += read.unfinished
        if read.skipped is not None:
            findings.skipped[read.skipped] += 1
    return findings


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _read(paths: Sequence[str], tables: Tables, processes: int) -> Iterator[LogRead]:
    done = 0
    if processes > 1:
        from concurrent.futures import ProcessPoolExecutor
        from concurrent.futures.process import BrokenProcessPool

        size = max(1, min(BATCH_FILES, len(paths) // (4 * processes)))
        batches = [paths[at : at + size] for at in range(0, len(paths), size)]
        try:
            with ProcessPoolExecutor(processes, initializer=_begin, initargs=(tables,)) as pool:
                for batch in pool.map(_read_batch, batches):
                    yield from batch
                    done += len(batch)
        except BrokenProcessPool:  # one of them was killed, for want of memory perhaps
            pass
    reader = LogReader(tables)
    for path in paths[done:]:
        yield reader.read(path)


_reader: LogReader | None = None
"""The reader of this process, if it is one that `_read` started."""


def _begin(tables: Tables) -> None:
    global _reader
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is told once, by the process in front
    _reader = LogReader(tables)


def _read_batch(paths: Sequence[str]) -> list[LogRead]:
    assert _reader is not None
    return [_reader.read(path) for path in paths]
