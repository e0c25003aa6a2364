"""Pausing jobs and letting them start again: what ``pause`` and ``unpause`` share."""

from __future__ import annotations

from collections.abc import Callable

import click

from plotrun.cli.jobs import no_job
from plotrun.cli.opening import open_settings
from plotrun.lock import wake_runner
from plotrun.store import Store


def set_paused(given: str | None, job: str | None, every: bool, reason: str | None) -> list[str]:
    """Pause *job*, or *every* job, or (no *reason*) lift the pause; answers their names.

    Ends the program if there is no such job.

    Raises:
        click.UsageError: neither or both of *job* and *every* were given.
        SettingsError: the settings cannot be read.
    """
    return _written(given, job, every, lambda store, name: store.jobs.set_paused(name, reason))


def set_events_paused(given: str | None, job: str | None, every: bool, paused: bool) -> list[str]:
    """Let *job*, or *every* job, emit no events, or events again; answers their names.

    Ends the program if there is no such job.

    Raises:
        click.UsageError: neither or both of *job* and *every* were given.
        SettingsError: the settings cannot be read.
    """
    return _written(given, job, every, lambda store, name: store.due.pause(name, paused))


def _written(
    given: str | None, job: str | None, every: bool, write: Callable[[Store, str], None]
) -> list[str]:
    if every == (job is not None):
        raise click.UsageError("give either the name of a job or --all")
    settings = open_settings(given).settings
    names = [each.name for each in settings.jobs if every or each.name == job]
    if not names:
        no_job(settings, job)
    store = Store(settings.state_dir)
    for name in names:
        write(store, name)
    store.close()
    wake_runner(settings.state_dir)
    return names
