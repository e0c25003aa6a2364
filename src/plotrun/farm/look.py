"""Looking at a destination: which plots lie there. Blocking; a dead disk may block for ever."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from plotrun.farm.found import FoundPlot, Inventory, PlotFacts, pool_of
from plotrun.plotfile import HEADER_BYTES, NotAPlot, is_plot_name, parse_header
from plotrun.store.headers import KnownHeader
from plotrun.workdir import PREFIX

NOT_BLOCKING = getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_NOFOLLOW", 0)
"""What is opened by a name that was a plot's a moment ago may be a pipe or a link by now."""


def look_into(
    directory: Path, below: bool, known: Mapping[str, KnownHeader], step: Callable[[], None]
) -> tuple[Inventory, dict[str, KnownHeader]]:
    """The plots in *directory*, and with *below* in directories below it; no links.

    Headers are read only of files that are not *known* with their present size and time; what
    was read is answered beside. *step* is called for every file.
    """
    plots: list[FoundPlot] = []
    others: dict[str, str] = {}
    headers: dict[str, KnownHeader] = {}
    try:
        for name, entry, status in _files(directory, below):
            step()
            header = known.get(name)
            if header is None or header.changed(status):
                try:
                    header = KnownHeader(status.st_size, status.st_mtime_ns, read_facts(entry))
                except OSError as error:
                    others[name] = error.strerror or str(error)
                    continue
            headers[name] = header
            if header.facts is None:
                others[name] = "it is no plot"
            else:
                plots.append(_found(directory, name, header.facts, status))
    except OSError as error:
        return Inventory(directory, trouble=error.strerror or str(error)), headers
    return Inventory(directory, tuple(plots), others), headers


def _files(directory: Path, below: bool) -> Iterator[tuple[str, str, os.stat_result]]:
    """Name from *directory*, path and state of each regular file that is named like a plot."""
    device = directory.stat().st_dev
    waiting = [""]
    while waiting:
        inner = waiting.pop()
        with os.scandir(directory / inner) as entries:
            for entry in entries:
                name = f"{inner}{os.sep}{entry.name}" if inner else entry.name
                if is_plot_name(entry.name):
                    status = entry.stat(follow_symlinks=False)
                    if stat.S_ISREG(status.st_mode):
                        yield name, entry.path, status
                elif below and entry.is_dir(follow_symlinks=False):
                    hidden = entry.name.startswith((".", PREFIX))
                    if not hidden and entry.stat(follow_symlinks=False).st_dev == device:
                        waiting.append(name)


def _found(directory: Path, name: str, facts: PlotFacts, status: os.stat_result) -> FoundPlot:
    return FoundPlot(
        directory=directory,
        name=name,
        facts=facts,
        size=status.st_size,
        allocated=allocated_bytes(status),
        changed_ns=status.st_mtime_ns,
        device=status.st_dev,
        inode=status.st_ino,
        links=status.st_nlink,
    )


def allocated_bytes(status: os.stat_result) -> int:
    """Bytes that a file takes of its file system; POSIX counts them in blocks of 512."""
    return status.st_blocks * 512 if hasattr(status, "st_blocks") else status.st_size


def read_facts(path: str | Path) -> PlotFacts | None:
    """What the header of a file says; None: it is no plot.

    Raises:
        OSError: it cannot be read.
    """
    descriptor = os.open(path, os.O_RDONLY | NOT_BLOCKING)
    try:
        return facts_of(descriptor)
    finally:
        os.close(descriptor)


def facts_of(descriptor: int) -> PlotFacts | None:
    """The same of a file that is open.

    Raises:
        OSError: it cannot be read.
    """
    os.lseek(descriptor, 0, os.SEEK_SET)
    try:
        header = parse_header(os.read(descriptor, HEADER_BYTES))
    except NotAPlot:
        return None
    return PlotFacts(
        header.plot_id.hex(), header.k, header.format, header.compression, pool_of(header.memo)
    )
