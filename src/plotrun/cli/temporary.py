"""Temporary files, as commands look for them: in directories that may not answer."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from pathlib import Path

from plotrun import leftovers
from plotrun.leftovers import Item
from plotrun.model import Worker
from plotrun.plotter import Plotter
from plotrun.process_table import open_files
from plotrun.process_tree import tree
from plotrun.threads import in_daemon_thread

SECONDS = 60.0
"""How long a directory may take to be searched: on a spinning disk thousands of files take some."""


def patterns_of(plotters: Iterable[Plotter]) -> list[str]:
    """What temporary files are called, by all plotters."""
    return list(dict.fromkeys(name for plotter in plotters for name in plotter.temporary_files))


def scan_all(
    directories: Mapping[Path, bool], patterns: list[str]
) -> tuple[list[Item], dict[Path, str]]:
    """What is in the directories (each with whether plots belong there), and which cannot be
    searched, with the reason."""

    async def scan(path: Path, is_dst: bool) -> list[Item] | str:
        work = in_daemon_thread(lambda: leftovers.scan(path, patterns, is_dst), "search")
        try:
            return await asyncio.wait_for(work, SECONDS)
        except TimeoutError:
            return "not answering"
        except OSError as error:
            return error.strerror or str(error)

    async def scan_each() -> list[list[Item] | str]:
        return await asyncio.gather(*(scan(path, dst) for path, dst in directories.items()))

    items, troubles = list[Item](), dict[Path, str]()
    for path, found in zip(directories, asyncio.run(scan_each()), strict=True):
        if isinstance(found, str):
            troubles[path] = found
        else:
            items += found
    return items, troubles


def files_by_hand(worker: Worker, plotters: Iterable[Plotter]) -> list[Item]:
    """Temporary files that are known to be of a plotter that plotrun did not start."""
    if worker.process is None:
        return []
    opened = open_files(process.pid for process in tree(worker.process))
    places = {path: True for path in (worker.tmp_dir, worker.tmp2_dir) if path is not None}
    items, _ = scan_all(places, patterns_of(plotters))
    return leftovers.own_files(items, opened)
