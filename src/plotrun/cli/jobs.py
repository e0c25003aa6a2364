"""A job by its name, for commands."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, NoReturn

import click

from plotrun.cli import EXIT_NOTHING_MATCHED

if TYPE_CHECKING:
    from plotrun.model import Job
    from plotrun.settings.settings import Settings


def job_named(settings: Settings, name: str) -> Job:
    """The job of this name; ends the program if there is none."""
    found = settings.job(name)
    if found is None:
        no_job(settings, name)
    return found


def no_job(settings: Settings, name: str | None) -> NoReturn:
    """End the program: there is no job of this name."""
    from plotrun.words import printable

    known = ", ".join(each.name for each in settings.jobs)
    click.echo(printable(f"error: there is no job {name}; there are: {known}"), err=True)
    sys.exit(EXIT_NOTHING_MATCHED)
