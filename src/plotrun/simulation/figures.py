"""What plugins tell a simulation about plots and disks: answers to two hooks."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class PlotFigures:
    """How long a plot of a job takes when nothing else uses its disks."""

    phases: tuple[float, ...] = ()
    """Seconds of each phase; one figure for a plotter without phases. Empty: what this machine
    has measured counts."""
    traffic: int | None = None
    """Bytes written to and read from the temporary directories, together; None: a usual figure."""


@dataclass(frozen=True)
class DiskFigures:
    """A disk as a simulation begins. None is what the disk itself tells."""

    capacity: int | None = None
    """Bytes of the file system."""
    free: int | None = None
    """Bytes free."""
    bandwidth: int | None = None
    """Bytes a second, read and written together."""
