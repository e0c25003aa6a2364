"""A worker's own directories: made, searched for finished plots, removed.

Blocking: these run in threads. Nothing outside a directory named ``plotrun-<worker id>`` is ever
removed, and no finished plot inside it.
"""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path

from plotrun.model import Plot
from plotrun.plotfile import PLOT_SUFFIXES, NotAPlot, is_plot_name, read_plot

PREFIX = "plotrun-"
FINISHED = "finished"
"""Directory in a worker's own where its plotter puts finished plots. Apart from the temporary
files: MadMax does not tell of a plot that is finished where it was made."""


def own_name(worker: str) -> str:
    """Name of a worker's own directory."""
    return f"{PREFIX}{worker}"


def make_directory(directory: Path) -> None:
    """Make a worker's own directory; the one around it must exist.

    Raises:
        OSError: it cannot be made.
    """
    directory.mkdir(exist_ok=True)


def new_plots(
    directory: Path, known: Collection[str], plot_ids: Collection[str] | None
) -> list[Plot]:
    """Finished plots that lie directly in *directory*, without those named in *known*.

    With *plot_ids*, only plots with these ids: the directory is shared with other plots.
    """
    found = []
    for path in _plot_files(directory):
        if path.name in known:
            continue
        if plot_ids is not None and not any(plot_id in path.name for plot_id in plot_ids):
            continue
        try:
            plot = read_plot(path)
        except (NotAPlot, OSError):
            continue  # what it is, clear_directory leaves for the user to see
        if plot_ids is None or plot.plot_id in plot_ids:
            found.append(plot)
    return found


def temporary_bytes(*directories: Path | None) -> int:
    """Bytes on the disk that the files in *directories* take, without finished plots."""
    return sum(taken for _, taken in files_in(*directories))


def files_in(*directories: Path | None) -> Iterator[tuple[str, int]]:
    """The files in *directories* and their bytes on the disk, without finished plots."""
    for directory in filter(None, directories):
        for folder, folders, names in os.walk(directory):
            if FINISHED in folders:
                folders.remove(FINISHED)
            for name in names:
                path = f"{folder}/{name}"
                with contextlib.suppress(OSError):  # gone meanwhile
                    yield path, bytes_taken(os.stat(path, follow_symlinks=False))  # noqa: PTH116 - by the thousand


def bytes_taken(status: os.stat_result) -> int:
    """Bytes on the disk; holes take none."""
    return int(getattr(status, "st_blocks", status.st_size // 512)) * 512


def least_whole_bytes(expected: int, k: int | None) -> int:
    """The least bytes of a whole plot, given what is expected.

    A plot's size is a matter of chance: its standard deviation is 4 % at k=18 (measured) and
    falls by the square root of two with every k; at k=32 it is nothing.
    """
    spread = 0.2 * 2.0 ** ((18 - k) / 2) if k is not None else 0.0
    return int(expected * (0.95 - spread))


def rescue_whole(directory: Path, suffix: str, least_size: int) -> list[Path]:
    """Give whole plots, whose plotter died before it could, their final names.

    A file counts as whole if it has the header of a plot and *least_size* bytes; the caller
    knows from the log that all phases were done.
    """
    rescued = []
    for path in sorted(directory.glob(f"*{suffix}")):
        try:
            plot = read_plot(path)
        except (NotAPlot, OSError):
            continue
        final = path.with_name(path.name.removesuffix(suffix) + PLOT_SUFFIXES[0])
        if plot.size >= least_size and not final.exists():
            path.rename(final)
            rescued.append(final)
    return rescued


def rescue_plots(
    places: Mapping[Path, Path], sizes: Mapping[str, int], suffix: str | None
) -> list[Path]:
    """Take whole plots out of their plotter's sight: into `FINISHED` in the worker's own directory.

    *places* are directories to look in, each with the worker's own on the same file system. A
    file counts as whole if it has the header of one of the plot ids in *sizes*, and at least so
    many bytes; the caller knows from the log that all phases were done. Answers what has such a
    name and is not whole: then not all is rescued.
    """
    left = []
    for place, own in places.items():
        for path in sorted(place.glob("*")):
            name = path.name
            if suffix is not None and name.endswith(suffix):
                name = name.removesuffix(suffix) + PLOT_SUFFIXES[0]
            if not any(plot_id in name for plot_id in sizes) or path.is_symlink():
                continue
            if not is_plot_name(name):
                continue
            try:
                plot = read_plot(path)
                whole = plot.plot_id in sizes and plot.size >= sizes[plot.plot_id]
            except (NotAPlot, OSError):
                whole = False
            if whole:
                (own / FINISHED).mkdir(parents=True, exist_ok=True)
                path.rename(own / FINISHED / name)
            else:
                left.append(path)
    return left


def half_copies(final_dir: Path, plot_ids: Collection[str]) -> list[Path]:
    """Files in *final_dir* that are named after one of the plots, and are no plots."""
    with contextlib.suppress(OSError), os.scandir(final_dir) as entries:
        return sorted(
            Path(entry.path)
            for entry in entries
            if any(plot_id in entry.name for plot_id in plot_ids) and not is_plot_name(entry.name)
        )
    return []


def _plot_files(directory: Path) -> list[Path]:
    try:
        with os.scandir(directory) as entries:
            names = [e.name for e in entries if is_plot_name(e.name) and _regular(e)]
    except OSError:
        return []
    return [directory / name for name in sorted(names)]


def _regular(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_file(follow_symlinks=False)
    except OSError:
        return False


def clear_directory(directory: Path, worker: str) -> list[Path]:
    """Remove a worker's own directory; answers the finished plots that kept it from going.

    Those should not be there: every plot has been delivered before. But if one is, everything
    else goes and it stays.

    Raises:
        OSError: something in it cannot be removed.
    """
    assert directory.name == own_name(worker), directory
    if not os.path.lexists(directory) or directory.is_symlink():
        return []
    files = [
        Path(folder) / name
        for folder, _, names in os.walk(directory, onerror=_raise)
        for name in names
    ]
    kept = [file for file in files if is_plot_name(file.name)]
    if not kept:
        shutil.rmtree(directory)
        return []
    for file in files:
        if file not in kept:
            file.unlink(missing_ok=True)
    return kept


def _raise(error: OSError) -> None:
    """What cannot be listed may hold a plot: it is not removed."""
    raise error
