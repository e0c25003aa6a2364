"""Figures for ``plotrun simulate``, written into the settings."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from plotrun import (
    Bytes,
    DiskFigures,
    Durations,
    Help,
    Job,
    PlotFigures,
    SettingsSection,
    by_directory,
    hookimpl,
)

if TYPE_CHECKING:
    from plotrun import Settings


@dataclass(frozen=True)
class SimulatedDisk:
    """``[plugins.simulation.disks."/some/directory"]``."""

    capacity: Annotated[Bytes | None, Help("Size of the disk. Default: what it has.")] = None
    free: Annotated[
        Bytes | None, Help("What is free on it. Default: all of its `capacity`, or what is free.")
    ] = None
    bandwidth: Annotated[Bytes | None, Help("What it reads and writes in a second, together.")] = (
        None
    )


@dataclass(frozen=True)
class SimulationSettings:
    """``[plugins.simulation]``."""

    disks: Annotated[
        Annotated[Mapping[Path, SimulatedDisk], by_directory(SimulatedDisk)] | None,
        Help(
            "For `plotrun simulate`: a table for each directory whose disk is to be another one, "
            'such as `[plugins.simulation.disks."/mnt/nvme0"]`, with any of `capacity`, `free` '
            "and `bandwidth` (in a second)."
        ),
    ] = None


@dataclass(frozen=True)
class SimulationJobKeys:
    """The keys added to every job."""

    simulated_phases: Annotated[
        Durations | None,
        Help(
            "For `plotrun simulate`: how long each phase of a plot takes that has its disks for "
            "itself; one duration for a plotter without phases. Default: as this machine's last "
            "plots."
        ),
    ] = None
    simulated_traffic: Annotated[
        Bytes | None,
        Help(
            "For `plotrun simulate`: what a plot writes to its temporary directories and reads "
            "from them, together. Default: 12 times its temporary space."
        ),
    ] = None


@hookimpl
def plotrun_settings() -> SettingsSection:
    """What the settings may say of simulations."""
    return SettingsSection("simulation", SimulationSettings, SimulationJobKeys)


@hookimpl
def plotrun_simulated_plot(job: Job) -> PlotFigures:
    """The figures of the job."""
    keys = job.keys(SimulationJobKeys)
    return PlotFigures(keys.simulated_phases or (), keys.simulated_traffic)


@hookimpl
def plotrun_simulated_disk(path: Path, settings: Settings) -> DiskFigures | None:
    """The figures of the directory, or of the nearest one around it."""
    disks = settings.section(SimulationSettings).disks or {}
    for directory in (path, *path.parents):
        if directory in disks:
            told = disks[directory]
            return DiskFigures(told.capacity, told.free, told.bandwidth)
    return None
