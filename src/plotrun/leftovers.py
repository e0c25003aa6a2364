"""What dead plotters have left in temporary directories, told from what is alive or a plot.

`scan` looks at a directory; `judge` decides by what it is given and touches no disk. Only files
whose whole name is known of a plotter, and workers' own directories, are ever looked at. Links
are not followed.
"""

from __future__ import annotations

import os
import re
import shutil
import stat
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from plotrun.model import PlotFormat, Stage
from plotrun.plotfile import NotAPlot, is_plot_name, read_plot, v1_plot_bytes
from plotrun.process_files import open_elsewhere
from plotrun.words import duration_words
from plotrun.workdir import PREFIX, bytes_taken, least_whole_bytes

_OWN = re.compile(re.escape(PREFIX) + r"([0-9a-f]{8})")
_WHOLE_SUFFIXES = (".plot.tmp", ".plot.2.tmp", ".plot2.tmp")
"""What a plot that is whole may be called before it has its final name."""

SLACK = 60.0
"""Seconds by which a plotter may have started before the system says so: that is told to a second,
and clocks are set."""

Identity = tuple[int, int]
"""Device and inode of a file."""


@dataclass(frozen=True)
class Item:
    """A temporary file, a finished plot, or a worker's own directory, as it was seen."""

    path: Path
    worker: str | None
    """The worker whose own directory it is."""
    plot_id: str | None
    """The plot that its name tells."""
    bytes: int
    changed_at: float
    """The latest change of anything in it."""
    files: tuple[Identity, ...]
    plots: tuple[Path, ...] = ()
    """Plots in it, or what may be one: it stays."""
    trouble: str | None = None
    """Why it cannot be judged: it stays."""

    @property
    def group(self) -> str:
        """What it belongs to: all of that goes, or nothing."""
        return self.worker or self.plot_id or str(self.path)


@dataclass(frozen=True)
class Kept:
    """What looks like a leftover and stays."""

    path: Path
    why: str


@dataclass(frozen=True)
class Alive:
    """What is alive on this machine."""

    workers: Mapping[str, Stage]
    """Those that the store knows, ended ones too."""
    marked: Collection[str]
    """Workers, of whatever plotrun, of which a process runs."""
    plotters: Sequence[tuple[float, frozenset[Path] | None]]
    """Running plotters: when each started, and the real paths of its directories (None: they are
    not known)."""
    open_files: Mapping[Identity, int]
    """Open files, each with a process that has it open."""


def scan(directory: Path, patterns: Sequence[str], is_dst: bool) -> list[Item]:
    """What in *directory* may be a leftover, by the *patterns* of plotters.

    Finished plots are told of unless plots belong there anyway (*is_dst*).

    Raises:
        OSError: it cannot be listed.
    """
    known = [re.compile(pattern) for pattern in patterns]
    found = []
    with os.scandir(directory) as entries:
        for entry in entries:
            if entry.is_dir(follow_symlinks=False):
                own = _OWN.fullmatch(entry.name)
                if own is not None:
                    found.append(_own_directory(directory / entry.name, own[1]))
            elif entry.is_file(follow_symlinks=False):
                match = next(filter(None, (p.fullmatch(entry.name) for p in known)), None)
                if match is not None or (is_plot_name(entry.name) and not is_dst):
                    found.append(_file(directory / entry.name, match["id"] if match else None))
    return found


def _file(path: Path, plot_id: str | None) -> Item:
    try:
        status = path.lstat()
    except OSError as error:  # gone meanwhile, or a disk in trouble
        return Item(path, None, plot_id, 0, 0.0, (), (), error.strerror or str(error))
    plots = (path,) if _may_be_plot(path) else ()
    identity = (status.st_dev, status.st_ino)
    return Item(path, None, plot_id, bytes_taken(status), _changed(status), (identity,), plots)


def _own_directory(path: Path, worker: str) -> Item:
    taken, changed, files, plots, trouble = 0, 0.0, list[Identity](), list[Path](), None
    try:
        device = path.lstat().st_dev
        for each, status in _below(path):
            changed = max(changed, _changed(status))
            if status.st_dev != device:
                trouble = f"another file system is mounted in it: {each}"
            if stat.S_ISREG(status.st_mode):
                taken += bytes_taken(status)
                files.append((status.st_dev, status.st_ino))
                plots += [each] if _may_be_plot(each) else []
    except OSError as error:
        trouble = error.strerror or str(error)
    return Item(path, worker, None, taken, changed, tuple(files), tuple(plots), trouble)


def _below(path: Path) -> Iterator[tuple[Path, os.stat_result]]:
    """The directory itself and all that is in it.

    Raises:
        OSError: something in it cannot be looked at.
    """
    status = path.lstat()
    yield path, status
    if stat.S_ISDIR(status.st_mode):
        for each in sorted(path.iterdir()):
            yield from _below(each)


def _changed(status: os.stat_result) -> float:
    return max(status.st_mtime, status.st_ctime)


def _may_be_plot(path: Path) -> bool:
    """Whether it is a finished plot, or may be one that has not got its final name."""
    if is_plot_name(path.name):
        return True
    if not path.name.endswith(_WHOLE_SUFFIXES):
        return False
    try:
        plot = read_plot(path)
    except NotAPlot:
        return False
    except OSError:
        return True  # nobody knows
    # How large a compressed plot or one of V2 is to be, its header does not tell.
    return plot.format is not PlotFormat.V1 or plot.size >= least_whole_bytes(
        v1_plot_bytes(plot.k), plot.k
    )


def judge(
    items: Iterable[Item], alive: Alive, now: float, least_age: float
) -> tuple[list[Item], list[Kept]]:
    """Which *items* are leftovers, and which look like some and stay.

    What was changed less than *least_age* seconds ago stays, unless the store knows that its
    worker has ended: a plotter may run where its process cannot be seen.
    """
    groups: dict[str, list[Item]] = {}
    for item in items:
        groups.setdefault(item.group, []).append(item)
    leftovers, kept = list[Item](), list[Kept]()
    for group in groups.values():
        reasons = [_why_alive(item, alive, now, least_age) for item in group]
        why = next((reason for reason in reasons if reason is not None), None)
        for item in group:
            if why is not None:
                kept += [Kept(item.path, why)] if why else []
            elif item.plots:
                kept += [Kept(plot, _how_to_keep(item, plot, alive)) for plot in item.plots]
            else:
                leftovers.append(item)
    return leftovers, kept


def _why_alive(item: Item, alive: Alive, now: float, least_age: float) -> str | None:
    """Why it, and all of its group, stays; empty where that goes without saying."""
    if item.trouble is not None:
        return item.trouble
    if item.worker is not None:
        if alive.workers.get(item.worker, Stage.ENDED) is not Stage.ENDED:
            return ""
        if item.worker in alive.marked:
            return "a process of this worker is running"
    for identity in item.files:
        if identity in alive.open_files:
            return f"open in process {alive.open_files[identity]}"
    for started, directories in alive.plotters:
        # What lay still before a plotter was started is not its own.
        if item.changed_at >= started - SLACK and (
            directories is None or _is_among(item, directories)
        ):
            return "a plotter is at work in this directory"
    ended = item.worker is not None and item.worker in alive.workers
    if not ended and now - item.changed_at < least_age:
        return f"changed {duration_words(max(0.0, now - item.changed_at))} ago"
    return None


def _is_among(item: Item, directories: frozenset[Path]) -> bool:
    place = Path(os.path.realpath(item.path.parent))
    return place in directories or any(
        d.is_relative_to(place / item.path.name) for d in directories
    )


def _how_to_keep(item: Item, plot: Path, alive: Alive) -> str:
    if item.worker is not None and item.worker in alive.workers:
        return f"a plot: `plotrun retry {item.worker}` delivers it"
    if is_plot_name(plot.name):
        return "a finished plot: move it to a destination"
    return "it may be a whole plot: name it ….plot and move it to a destination"


def remove(item: Item) -> None:
    """Remove a leftover, unless any process of the machine has it open.

    Raises:
        OSError: it cannot be removed.
    """
    if item.plots or item.trouble is not None:
        raise ValueError(f"{item.path} is no leftover")
    for path, status in _below(item.path):
        if stat.S_ISREG(status.st_mode):
            _expect_closed(path)
    if item.worker is not None:
        shutil.rmtree(item.path)
    else:
        item.path.unlink()


def _expect_closed(path: Path) -> None:
    # Should it have become a link meanwhile, that is not followed.
    descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0))
    try:
        words = open_elsewhere(descriptor, path)
    finally:
        os.close(descriptor)
    if words is not None:
        raise OSError(f"{path} is {words}")


def own_files(items: Iterable[Item], opened: Collection[Identity]) -> list[Item]:
    """Of *items*, the temporary files of a plotter by hand: those of plots it has files open of.

    *opened* are the files that its processes have open; *items* are of its own directories.
    """
    seen = list(items)
    ids = {item.plot_id for item in seen if any(identity in opened for identity in item.files)}
    return [item for item in seen if item.plot_id is not None and item.plot_id in ids]
