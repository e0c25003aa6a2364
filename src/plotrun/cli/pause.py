"""``plotrun pause``."""

from __future__ import annotations

import click

from plotrun.cli.completing import jobs


@click.command("pause")
@click.argument("job", required=False, shell_complete=jobs)
@click.option("--all", "every", is_flag=True, help="All jobs that the settings have now.")
@click.option("--reason", metavar="TEXT", help="Shown while the job is paused.")
@click.option("--events", is_flag=True, help="Its events instead: it starts, and emits none.")
@click.pass_obj
def command(
    settings: str | None, job: str | None, every: bool, reason: str | None, events: bool
) -> None:
    """Start nothing more for JOB, until `plotrun unpause`.

    What runs goes on. The pause outlasts restarts of plotrun.

    \b
    Examples:
      plotrun pause nvme --reason "new disk on Tuesday"
      plotrun pause --all
      plotrun pause nvme --events
    """
    from plotrun.cli.pausing import set_events_paused, set_paused
    from plotrun.words import printable

    if events:
        if reason is not None:
            raise click.UsageError("--reason is for starts: leave it out with --events")
        for name in set_events_paused(settings, job, every, paused=True):
            click.echo(f"job {name} emits no events until `plotrun unpause {name} --events`")
        return
    words = "paused by the user"
    if reason and reason.strip():
        words += f": {printable(' '.join(reason.split()))}"
    for name in set_paused(settings, job, every, words):
        click.echo(f"job {name} starts nothing more until `plotrun unpause {name}`")
