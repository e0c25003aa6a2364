"""Which workers a command means: by id, plot, job, process, or all of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from plotrun.cli import EXIT_FAILED, EXIT_NOTHING_MATCHED, EXIT_USAGE
from plotrun.process_table import find_marked, is_alive, parents_of, process_table
from plotrun.words import printable

if TYPE_CHECKING:
    from plotrun.manager import Plugins
    from plotrun.model import ProcessRef, Worker
    from plotrun.settings.schema import Schema
    from plotrun.store import Store

ALL = "all"


class CommandError(click.ClickException):
    """Why a command does nothing: one line on standard error, and the exit code."""

    def __init__(self, message: str, exit_code: int = EXIT_FAILED) -> None:
        super().__init__(printable(message))
        self.exit_code = exit_code  # type: ignore[misc]  # click takes it from the instance

    def show(self, file: object = None) -> None:  # noqa: ARG002 - always standard error
        """Print it."""
        click.echo(f"error: {self.message}", err=True)


@dataclass(frozen=True)
class Living:
    """What commands that lay hands on workers look at and write to."""

    state_dir: Path
    store: Store
    plugins: Plugins
    schema: Schema
    workers: Sequence[Worker]
    """All that live, also plotters that plotrun did not start (without a job)."""


def open_living(settings: str | None) -> Living:
    """The workers of the state that the settings name, and other plotters of this machine.

    Raises:
        SettingsError: the settings cannot be read.
        StoreError: the state cannot be opened.
    """
    from plotrun.cli.opening import load_plugins_quietly, state_dir
    from plotrun.store import Store
    from plotrun.strangers import strangers

    directory, plugins = state_dir(settings), load_plugins_quietly(settings)
    store, schema = Store(directory), plugins.schema()
    own = store.alive_workers()
    plotters = tuple(schema.plotters.values())
    others = strangers(process_table(), plotters, {worker.id for worker in own})
    return Living(directory, store, plugins, schema, (*own, *others))


def select(
    names: Sequence[str],
    workers: Sequence[Worker],
    above: Callable[[int], Sequence[int]] = parents_of,
) -> list[Worker]:
    """The workers meant by *names*, each once.

    A name is a worker's id, a job, the beginning of the id of a worker or of one of its plots, or
    the number of its process or of one below it (*above* answers those above a process). ``all``
    are all that plotrun started: those of others must be named.

    Raises:
        CommandError: a name means none, or several that are not workers of one job.
    """
    found = {w.id: w for name in names for w in _meant(name, workers, above)}
    return list(found.values())


def select_any(
    names: Sequence[str],
    workers: Sequence[Worker],
    ended: Callable[[str], Sequence[Worker]],
) -> list[Worker]:
    """As `select`; a name that means no living worker may mean one of those that *ended* answers.

    Raises:
        CommandError: as there.
    """
    found: dict[str, Worker] = {}
    for name in names:
        living = _living(name, workers, parents_of)
        past = [] if living else [select_one(name, (), old)] if (old := ended(name)) else []
        found |= {worker.id: worker for worker in past or _meant(name, workers, parents_of)}
    return list(found.values())


def select_one(name: str, workers: Sequence[Worker], ended: Sequence[Worker] = ()) -> Worker:
    """The one worker meant by *name*; where none lives, that of the *ended* ones.

    Raises:
        CommandError: there is none, or there are several.
    """
    matching = [worker for worker in ended if worker.is_named(name)]
    if matching and not _living(name, workers, parents_of):
        exact = [worker for worker in matching if worker.id == name]
        found = exact or matching
    else:
        found = _meant(name, workers, parents_of)
    if len(found) > 1:
        raise _several(name, found)
    return found[0]


def _meant(
    name: str, workers: Sequence[Worker], above: Callable[[int], Sequence[int]]
) -> list[Worker]:
    found = _living(name, workers, above)
    if not found:
        there = "; ".join(map(_words, workers))
        raise CommandError(
            f"no worker is called {name}; "
            + (f"there are: {there}" if there else "none is running"),
            EXIT_NOTHING_MATCHED,
        )
    jobs = {worker.job for worker in found}
    if len(found) > 1 and name != ALL and jobs != {name}:
        raise _several(name, found)
    return found


def _living(
    name: str, workers: Sequence[Worker], above: Callable[[int], Sequence[int]]
) -> list[Worker]:
    if name == ALL:
        return [worker for worker in workers if worker.job]
    exact = [worker for worker in workers if worker.id == name]
    if exact:
        return exact
    of_job = [worker for worker in workers if name and worker.job == name]
    if of_job:
        return of_job
    pids = {int(name), *above(int(name))} if name.isdecimal() and name.isascii() else set()
    return [
        worker
        for worker in workers
        if worker.is_named(name) or (worker.process is not None and worker.process.pid in pids)
    ]


def _several(name: str, found: Sequence[Worker]) -> CommandError:
    there = "; ".join(map(_words, found))
    return CommandError(f"{name} may mean several workers, give more of it: {there}", EXIT_USAGE)


def _words(worker: Worker) -> str:
    plot_id = worker.progress.plot_id or (worker.plot_ids[-1] if worker.plot_ids else None)
    who = f"job {worker.job}" if worker.job else f"{worker.plotter} by hand"
    return f"{worker.id} ({who}{f', plot {plot_id[:8]}' if plot_id else ''})"


def running_process(worker: Worker) -> ProcessRef | None:
    """The plotter of a worker, if it runs; what is left of it, where the shell around it died."""
    from plotrun.process_table import PLOTTER_STEP

    if worker.process is not None and is_alive(worker.process):
        return worker.process
    return find_marked(worker.id, PLOTTER_STEP) if worker.job else None
