"""``plotrun pause``."""

from __future__ import annotations

import click

from plotrun.cli.completing import jobs


@click.command("pause")
@click.argument("job", required=False, shell_complete=jobs)
@click.option("--all", "every", is_flag=True, help="All jobs that the settings have now.")
@click.option("--reason", metavar="TEXT", help="Shown while the job is paused.")
@click.pass_obj
def command(settings: str | None, job: str | None, every: bool, reason: str | None) -> None:
    """Start nothing more for JOB, until `plotrun unpause`.

    What runs goes on. The pause outlasts restarts of plotrun.

    \b
    Examples:
      plotrun pause nvme --reason "new disk on Tuesday"
      plotrun pause --all
    """
    from plotrun.cli.pausing import set_paused
    from plotrun.words import printable

    words = "paused by the user"
    if reason and reason.strip():
        words += f": {printable(' '.join(reason.split()))}"
    for name in set_paused(settings, job, every, words):
        click.echo(f"job {name} starts nothing more until `plotrun unpause {name}`")
