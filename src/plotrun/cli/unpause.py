"""``plotrun unpause``."""

from __future__ import annotations

import sys

import click

from plotrun.cli import EXIT_NOTHING_MATCHED


@click.command("unpause")
@click.argument("job")
@click.pass_obj
def command(settings: str | None, job: str) -> None:
    """Let JOB start again after it has failed too often.

    \b
    Example:
      plotrun unpause nvme
    """
    from plotrun.cli.opening import open_settings
    from plotrun.lock import wake_runner
    from plotrun.store import Store

    opened = open_settings(settings).settings
    if opened.job(job) is None:
        names = ", ".join(each.name for each in opened.jobs)
        click.echo(f"error: there is no job {job}; there are: {names}", err=True)
        sys.exit(EXIT_NOTHING_MATCHED)
    store = Store(opened.state_dir)
    store.set_paused(job, None)
    store.close()
    wake_runner(opened.state_dir)
    click.echo(f"job {job} may start again")
