"""``plotrun history``."""

from __future__ import annotations

import csv
import json
import sys
import time
from typing import TYPE_CHECKING, Any

import click

from plotrun.cli.completing import jobs

if TYPE_CHECKING:
    from plotrun.model import Worker

FORM = 1
"""Number of the JSON form; it changes when a field goes or changes its meaning."""
LATEST = 50


@click.command("history")
@click.option("--job", shell_complete=jobs, help="Only workers of this job.")
@click.option("--failed", is_flag=True, help="Only workers that failed.")
@click.option("--last", default=LATEST, show_default=True, help="How many, the latest first.")
@click.option("--csv", "as_csv", is_flag=True, help="Print CSV.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.pass_obj
def command(
    settings: str | None, job: str | None, failed: bool, last: int, as_csv: bool, as_json: bool
) -> None:
    """Show workers that have ended: when, how long they plotted, and why some failed.

    \b
    Examples:
      plotrun history --failed
      plotrun history --last 1000 --csv > plots.csv
    """
    from plotrun.cli.opening import state_dir
    from plotrun.store import Store

    store = Store(state_dir(settings))
    rows = [_row(worker) for worker in store.ended_workers(last, job, True if failed else None)]
    store.close()
    if as_json:
        click.echo(json.dumps({"form": FORM, "workers": rows}, indent=2))
    elif as_csv:
        writer = csv.DictWriter(sys.stdout, fieldnames=list(_COLUMNS))
        writer.writeheader()
        writer.writerows(rows)
    else:
        for row in rows:
            click.echo(_line(row))


_COLUMNS = (
    "id",
    "job",
    "plotter",
    "k",
    "tmp",
    "started_at",
    "ended_at",
    "plotting_seconds",
    "plots",
    "outcome",
    "reason",
    "exit_code",
    "log",
)
"""Times are seconds since the epoch; "plots" counts those that were delivered."""


def _row(worker: Worker) -> dict[str, Any]:
    from plotrun.words import printable

    plotting = None
    if worker.started_at is not None and worker.plotter_ended_at is not None:
        plotting = round(worker.plotter_ended_at - worker.started_at, 3)
    values = (
        worker.id,
        worker.job,
        worker.plotter,
        worker.k,
        printable(worker.tmp or ""),
        worker.started_at,
        worker.ended_at,
        plotting,
        worker.plots_forgotten + sum(work.stage == "done" for work in worker.plots),
        worker.outcome,
        printable(worker.reason) if worker.reason else None,
        worker.exit_code,
        printable(worker.log or ""),
    )
    return dict(zip(_COLUMNS, values, strict=True))


def _line(row: dict[str, Any]) -> str:
    from plotrun.words import duration_words

    stamp = time.strftime("%Y-%m-%d %H:%M", time.localtime(row["ended_at"]))
    seconds = row["plotting_seconds"]
    took = f"plotted {duration_words(seconds)}" if seconds is not None else "did not plot"
    how = f"failed: {row['reason']}" if row["outcome"] == "failed" else f"{row['plots']} plots"
    how += ", killed by the user" if row["outcome"] == "killed" else ""
    return f"{stamp}  {row['id']}  {row['job']}  {row['plotter']}  k={row['k']}  {took}  {how}"
