"""Every hook of plotrun: the contract with plugins, to be read from top to bottom.

An implementation has the same name, is marked with ``@plotrun.hookimpl``, and takes any of the
arguments named here, or none. ``tryfirst=True`` and ``trylast=True`` order it among the others.
A hook that raises never stops the runner: the failure is logged and shown by ``plotrun status``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import pluggy

from plotrun.model import Candidate, Command, Event, Hold, Job, JobState, Memory, Plot, Worker
from plotrun.plotter import Plotter
from plotrun.settings.schema import SettingsSection

if TYPE_CHECKING:
    import click

    from plotrun.clock import Clock
    from plotrun.farm.farm import Farm
    from plotrun.settings.settings import Settings
    from plotrun.simulation.figures import DiskFigures, PlotFigures


class Runner(Protocol):
    """What a plugin may ask of the runner."""

    settings: Settings
    clock: Clock

    @property
    def workers(self) -> list[Worker]:
        """All workers that are alive, and plotters that plotrun did not start."""
        ...

    def wake(self) -> None:
        """Look again whether something may start."""
        ...

    def stop(self) -> None:
        """Start nothing more and end; plotters go on."""
        ...


hookspec = pluggy.HookspecMarker("plotrun")


@hookspec
def plotrun_plotters() -> Sequence[Plotter]:  # type: ignore[empty-body]
    """The plotters that this plugin brings. Called once, when the plugin is loaded."""


@hookspec
def plotrun_settings() -> SettingsSection:  # type: ignore[empty-body]
    """The part of the settings that this plugin reads: a section, keys of every job, or both.

    It is checked with the rest, so that a wrong value is an error message with file and line.
    Read it with ``settings.section(Model)`` and ``job.keys(Model)``.
    """


@hookspec(firstresult=True)
def plotrun_choose_plotter(job: Job) -> str | None:
    """The name of the plotter that makes this job's next plot. Default: the job's ``plotter``.

    The plotter chosen must read the same keys as the job's own.
    """


@hookspec
def plotrun_hold(
    job: Job,
    state: JobState,
    workers: Sequence[Worker],
    clock: Clock,
    settings: Settings,
    memory: Memory | None,
) -> Hold | str | None:
    """A reason why the job may not start a worker now, or None.

    Asked before every start, on the event loop: answer from what is given, without waiting.
    One reason is enough to hold the start; all of them are shown. An implementation that
    raises holds the start.

    ``workers`` are all that are alive, of every job, also those that plotrun did not start.
    ``memory`` is the machine's; None where nobody has asked for it.
    """


@hookspec
def plotrun_filter_tmp(
    job: Job,
    second: bool,
    candidates: Sequence[Candidate],
    workers: Sequence[Worker],
    settings: Settings,
) -> Mapping[Path, str] | None:
    """Temporary directories that may not take a worker now, each with the reason.

    Asked once nothing else holds the start, for ``tmp`` and again (*second*) for ``tmp2``. The
    job is held while none is left. Filters are called one after the other, each with the
    candidates that are left. One that raises rejects all of them.
    """


@hookspec(firstresult=True)
def plotrun_choose_tmp(
    job: Job, second: bool, candidates: Sequence[Candidate], workers: Sequence[Worker]
) -> Path | None:
    """One of the temporary directories that the filters left, of ``tmp`` or (*second*) ``tmp2``."""


@hookspec
def plotrun_filter_dst(
    job: Job,
    plot: Plot | None,
    needed: int,
    candidates: Sequence[Candidate],
    settings: Settings,
) -> Mapping[Path, str] | None:
    """Destinations that cannot take the plot, each with the reason.

    Filters are called one after the other, each with the candidates that are left. One that
    raises rejects all of them. ``plot`` is None when the destination has to be chosen before
    the plot is made; ``needed`` is its size in bytes, expected or real. Asked again right before
    the file is written, with ``needed`` 0.
    """


@hookspec(firstresult=True)
def plotrun_choose_dst(
    job: Job, plot: Plot | None, needed: int, candidates: Sequence[Candidate]
) -> Path | None:
    """One of the destinations that the filters left."""


@hookspec(firstresult=True)
def plotrun_could_make_room(
    job: Job, plot: Plot | None, needed: int, candidates: Sequence[Candidate], farm: Farm
) -> Path | None:
    """A destination on which room for ``needed`` bytes could be made, or None. Remove nothing.

    Called in a thread when no destination has room. ``candidates`` are those that would take
    the plot if they had. ``plot`` is None when it is not made yet. Be quick, and ask ``farm``
    for the plots that lie in destinations: the destinations that it is asked for are looked at,
    and the hook is called once more if room is to be made now.
    """


@hookspec(firstresult=True)
def plotrun_make_room(
    job: Job, plot: Plot | None, needed: int, candidate: Candidate, farm: Farm
) -> bool | None:
    """Free space on the destination that ``plotrun_could_make_room`` answered; whether it is done.

    Called in a thread, when the plot is finished, checked and promised the room there. ``plot``
    is None when the destination has to be chosen before the plot is made. ``farm.make_room``
    removes plots, written down before and after. Whether the plot fits then is asked anew.
    """


@hookspec(firstresult=True)
def plotrun_simulated_plot(job: Job, settings: Settings) -> PlotFigures | None:
    """How long a plot of the job takes, for ``plotrun simulate``. Default: as measured."""


@hookspec(firstresult=True)
def plotrun_simulated_disk(path: Path, settings: Settings) -> DiskFigures | None:
    """A directory's disk, for ``plotrun simulate``. Default: as it is now."""


@hookspec
def plotrun_pre_command(job: Job, worker: Worker) -> Command | str | None:
    """A command to run before the plotter starts."""


@hookspec
def plotrun_post_command(job: Job, worker: Worker, plot: Plot) -> Command | str | None:
    """A command to run once a plot is delivered; ``%plot%`` stands for its path."""


@hookspec
def plotrun_check_plot(plot: Plot, job: Job, settings: Settings) -> str | None:
    """Why the plot is bad, or None. Called in a thread before the plot is delivered.

    A bad plot is not delivered and not deleted: it stays where it is and an event says so.
    An implementation that raises rejects nothing.
    """


@hookspec(firstresult=True)
def plotrun_deliver(job: Job, plot: Plot, dst: Path) -> Path | None:
    """Bring the plot to ``dst`` in a way of its own, and answer the file's new path.

    Called in a thread. None leaves it to plotrun. Raise OSError when it failed: the plot then
    waits and another destination is tried. The source must be gone only when the new file is
    whole.
    """


@hookspec
def plotrun_event(event: Event) -> None:
    """Something happened. Each observer has a thread and a queue of its own: take your time."""


@hookspec
def plotrun_commands(cli: click.Group) -> None:
    """Add commands to the command line, with ``@cli.command()``."""


@hookspec
def plotrun_started(runner: Runner) -> None:
    """The runner begins, before anything is started."""


@hookspec
def plotrun_stopping(runner: Runner) -> None:
    """The runner ends; plotters go on."""
