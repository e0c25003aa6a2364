"""``plotrun unpause``."""

from __future__ import annotations

import click

from plotrun.cli.completing import jobs


@click.command("unpause")
@click.argument("job", required=False, shell_complete=jobs)
@click.option("--all", "every", is_flag=True, help="All jobs that the settings have now.")
@click.option("--events", is_flag=True, help="Its events, after `plotrun pause --events`.")
@click.pass_obj
def command(settings: str | None, job: str | None, every: bool, events: bool) -> None:
    """Let JOB start again after `plotrun pause`, or after it has failed too often.

    \b
    Examples:
      plotrun unpause nvme
      plotrun unpause --all
    """
    from plotrun.cli.pausing import set_events_paused, set_paused

    if events:
        for name in set_events_paused(settings, job, every, paused=False):
            click.echo(f"job {name} emits its events again")
        return
    for name in set_paused(settings, job, every, None):
        click.echo(f"job {name} may start again")
