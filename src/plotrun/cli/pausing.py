"""Pausing jobs and letting them start again: what ``pause`` and ``unpause`` share."""

from __future__ import annotations

import sys

import click

from plotrun.cli import EXIT_NOTHING_MATCHED
from plotrun.cli.opening import open_settings
from plotrun.lock import wake_runner
from plotrun.store import Store
from plotrun.words import printable


def set_paused(given: str | None, job: str | None, every: bool, reason: str | None) -> list[str]:
    """Pause *job*, or *every* job, or (no *reason*) lift the pause; answers their names.

    Ends the program if there is no such job.

    Raises:
        click.UsageError: neither or both of *job* and *every* were given.
        SettingsError: the settings cannot be read.
    """
    if every == (job is not None):
        raise click.UsageError("give either the name of a job or --all")
    settings = open_settings(given).settings
    names = [each.name for each in settings.jobs if every or each.name == job]
    if not names:
        known = ", ".join(each.name for each in settings.jobs)
        click.echo(printable(f"error: there is no job {job}; there are: {known}"), err=True)
        sys.exit(EXIT_NOTHING_MATCHED)
    store = Store(settings.state_dir)
    for name in names:
        store.jobs.set_paused(name, reason)
    store.close()
    wake_runner(settings.state_dir)
    return names
