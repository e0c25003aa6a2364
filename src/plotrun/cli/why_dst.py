"""``plotrun why-dst``."""

from __future__ import annotations

import asyncio
import json

import click


@click.command("why-dst")
@click.argument("job")
@click.option("--json", "as_json", is_flag=True, help="Print JSON: see docs/space.md.")
@click.pass_obj
def command(settings: str | None, job: str, as_json: bool) -> None:
    """Show to which destination the next plot of JOB would go, and why not to the others.

    A plot that waits comes first. Nothing is changed.

    \b
    Examples:
      plotrun why-dst first
    """
    from plotrun.cli import EXIT_NOTHING_MATCHED
    from plotrun.cli.opening_disks import open_overview
    from plotrun.picture import why_dst

    with open_overview(settings) as overview:
        found = overview.settings.job(job)
        if found is None:
            jobs = ", ".join(each.name for each in overview.settings.jobs)
            click.echo(f"error: there is no job {job}; there are: {jobs}", err=True)
            raise SystemExit(EXIT_NOTHING_MATCHED)
        answer = asyncio.run(why_dst(overview, found))
    if as_json:
        click.echo(json.dumps(answer, indent=2))
        return
    from rich.console import Console

    from plotrun.picture_screen import render_why

    Console(highlight=False, soft_wrap=True).print(render_why(answer))
