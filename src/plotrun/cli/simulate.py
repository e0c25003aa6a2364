"""``plotrun simulate``."""

from __future__ import annotations

import json
import sys
import time
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from plotrun.cli import EXIT_FAILED

if TYPE_CHECKING:
    from plotrun.analysis.plots import FinishedPlot
    from plotrun.cli.opening import Opened
    from plotrun.simulation.findings import Findings

FIRST_YEAR, LAST_YEAR = 1971, 9000
"""Years of which every moment of a simulation can be told as a local time."""
FORM = 1
"""Number of the JSON form; it changes when a field goes or changes its meaning."""


@click.command("simulate")
@click.option(
    "--days",
    type=click.FloatRange(min=0.01, max=366),
    default=7.0,
    show_default=True,
    help="How many days of plotting.",
)
@click.option(
    "--settings",
    "file",
    type=click.Path(dir_okay=False),
    help="Other settings than those that plotrun runs with.",
)
@click.option(
    "--log",
    "logs",
    multiple=True,
    type=click.Path(exists=True),
    help="Logs of plots, or their directory, that tell how long plots take.",
)
@click.option(
    "--from",
    "begun",
    type=click.DateTime(("%Y-%m-%d", "%Y-%m-%d %H:%M")),
    help="When it begins. Default: now.",
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.option(
    "--svg",
    "picture",
    type=click.Path(dir_okay=False, writable=True),
    help="Write a timeline of all plotters as a picture.",
)
@click.pass_obj
def command(
    settings: str | None,
    days: float,
    file: str | None,
    logs: tuple[str, ...],
    begun: datetime | None,
    as_json: bool,
    picture: str | None,
) -> None:
    """Show what the settings would do in the coming days, in a few seconds.

    It is plotrun itself that runs, with simulated time, plotters and disks: nothing is started,
    written or sent. Plots take as long as the last ones on this machine, or as the logs or the
    settings say.

    \b
    Examples:
      plotrun simulate
      plotrun simulate --days 2 --settings new.toml --svg new.svg
      plotrun simulate --log ~/old-plots/logs --json
    """
    from plotrun.cli.opening import open_settings
    from plotrun.simulation.run import simulate
    from plotrun.simulation.sources import NothingKnown

    opened = open_settings(file or settings)
    if begun is not None and not FIRST_YEAR <= begun.year <= LAST_YEAR:
        raise click.BadParameter(f"a year from {FIRST_YEAR} to {LAST_YEAR}", param_hint="--from")
    at = begun.timestamp() if begun is not None else time.time()
    try:
        found = simulate(opened.settings, opened.plugins, days, at, _plots(opened, logs))
    except NothingKnown as error:
        click.echo(f"error: {error}", err=True)
        sys.exit(EXIT_FAILED)
    if picture is not None:
        from plotrun.simulation.picture import svg

        Path(picture).write_text(svg(found), encoding="utf-8")
    if as_json:
        click.echo(json.dumps(_as_json(found), indent=2))
    else:
        from rich.console import Console

        from plotrun.simulation.chart import show

        show(found, Console(highlight=False))


def _plots(opened: Opened, logs: tuple[str, ...]) -> list[FinishedPlot]:
    """The finished plots of which *logs* tell."""
    if not logs:
        return []
    from plotrun.analysis.many import analyze
    from plotrun.analysis.stated import tables_of_plotters

    found = analyze(logs, tables_of_plotters(opened.plugins.plotters()))
    if not found.plots:
        click.echo(f"error: no finished plot in {', '.join(logs)}", err=True)
        sys.exit(EXIT_FAILED)
    return found.plots


def _as_json(found: Findings) -> dict[str, Any]:
    plain: dict[str, Any] = json.loads(json.dumps(asdict(found), default=str))
    for job in plain["jobs"]:
        mean, most = job.pop("running")
        job["running"] = {"mean": mean, "most": most}
    return {"form": FORM, "end": found.end, **plain}
