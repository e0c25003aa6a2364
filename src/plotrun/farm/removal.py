"""Removing one plot file, and nothing but that: everything is looked at again at the last moment.

Blocking. Directories and the file are held open meanwhile, and each name is looked up in the
directory that is open, so that no link and no other directory can be put in their places. What the
system leaves open is the moment between the last look at the file's name and its removal.
"""

from __future__ import annotations

import contextlib
import errno
import os
import stat
from collections.abc import Callable, Iterator
from pathlib import Path, PurePath

from plotrun.farm.found import FoundPlot
from plotrun.farm.look import NOT_BLOCKING, facts_of
from plotrun.process_files import open_elsewhere

_DIRECTORY = os.O_RDONLY | getattr(os, "O_DIRECTORY", 0)


class Stays(Exception):  # noqa: N818 - reads as what it says
    """The plot is not removed; the message says why."""


def why_open(plot: FoundPlot) -> str | None:
    """Which process has the plot open, in words; None: none has.

    Raises:
        Stays: it is not what it was when it was found.
    """
    with _held(plot) as (descriptor, _):
        return open_elsewhere(descriptor, plot.path)


def remove(plot: FoundPlot, intend: Callable[[], None]) -> None:
    """Remove *plot*. *intend* is called right before, when nothing speaks against it any more.

    Raises:
        Stays: it is not what it was when it was found, or is open in a process.
    """
    with _held(plot) as (descriptor, directory):
        opened = open_elsewhere(descriptor, plot.path)
        if opened is not None:
            raise Stays(opened)
        intend()
        name = PurePath(plot.name).name
        now = os.stat(name, dir_fd=directory, follow_symlinks=False)
        if not os.path.samestat(now, os.fstat(descriptor)):
            raise Stays("another file has taken its name")
        os.unlink(name, dir_fd=directory)
        with contextlib.suppress(OSError):  # not every file system can
            os.fsync(directory)


@contextlib.contextmanager
def _held(plot: FoundPlot) -> Iterator[tuple[int, int]]:
    """The plot's file and the directory that it is in, both open: they are what was found."""
    if os.unlink not in os.supports_dir_fd:  # Windows
        raise Stays("this system does not let a file be held while it is removed")
    with contextlib.ExitStack() as opened:
        try:
            directory = _open(opened, plot.directory, _DIRECTORY, None)
            device = os.fstat(directory).st_dev
            *inner, name = PurePath(plot.name).parts
            for part in inner:
                directory = _open(opened, part, _DIRECTORY | NOT_BLOCKING, directory)
            descriptor = _open(opened, name, os.O_RDONLY | NOT_BLOCKING, directory)
            status = os.fstat(descriptor)
            if device != plot.device or status.st_dev != device:
                raise Stays("it is not on the disk where it was found")
            _compare(plot, descriptor, status)
            yield descriptor, directory
        except OSError as error:
            if error.errno == errno.ELOOP:
                raise Stays("it is a link") from error
            raise Stays(error.strerror or str(error)) from error


def _open(opened: contextlib.ExitStack, path: str | Path, flags: int, at: int | None) -> int:
    descriptor = os.open(path, flags, dir_fd=at)
    opened.callback(os.close, descriptor)
    return descriptor


def _compare(plot: FoundPlot, descriptor: int, status: os.stat_result) -> None:
    if not stat.S_ISREG(status.st_mode):
        raise Stays("it is no file")
    now = (status.st_ino, status.st_size, status.st_mtime_ns)
    if now != (plot.inode, plot.size, plot.changed_ns) or facts_of(descriptor) != plot.facts:
        raise Stays("it has changed since it was found")
    if status.st_nlink != 1:
        raise Stays("it has another name: removing it frees nothing")
