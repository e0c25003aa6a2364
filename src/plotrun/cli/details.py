"""``plotrun details``."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Mapping
from typing import Any

import click

from plotrun.cli.completing import any_worker

FORM = 1
"""Number of the JSON form; it changes when a field goes or changes its meaning."""


@click.command("details")
@click.argument("workers", nargs=-1, required=True, metavar="WORKER...", shell_complete=any_worker)
@click.option("--json", "as_json", is_flag=True, help="Print JSON: see docs/status.md.")
@click.pass_obj
def command(settings: str | None, workers: tuple[str, ...], as_json: bool) -> None:
    """Show all that is known of each WORKER, also of ended ones.

    A WORKER is named by its id or the beginning of it, by a plot id, its job, or its process;
    `all` are all that plotrun started. Secrets are shown as stars.

    \b
    Examples:
      plotrun details 3f9a1c07
      plotrun details nvme --json
    """
    from plotrun.cli.selecting import open_living, running_process, select_any
    from plotrun.details import details
    from plotrun.status import progress_by_logs
    from plotrun.store import Request

    living = open_living(settings)
    chosen = select_any(workers, living.workers, living.store.named)
    chosen = progress_by_logs(living.state_dir, chosen, living.schema.plotters)
    suspended = living.store.requests.of(Request.SUSPEND)
    rows = [
        details(worker, running_process(worker), living.schema, suspended, time.time())
        for worker in chosen
    ]
    living.store.close()
    if as_json:
        click.echo(json.dumps({"form": FORM, "workers": rows}, indent=2))
        return
    for row in rows:
        click.echo("\n".join(_lines(row)))


def _lines(row: Mapping[str, Any]) -> Iterator[str]:
    from plotrun.words import duration_words, printable, size_words

    def line(name: str, value: object) -> str:
        return f"  {name:<14}{printable(value)}"

    yield f"worker {row['id']}" + ("" if row["own"] else " (not started by plotrun)")
    state = row["outcome"] or row["stage"]
    if row["outcome"] is None and row["pid"] is not None:
        state += ", suspended" if row["suspended"] else ", running" if row["alive"] else ", ended"
    since = row["suspended_since"]
    yield line("state", state + (f" since {_moment(since)}" if since else ""))
    for name, key in (("failed", "reason"), ("job", "job"), ("plotter", "plotter"), ("k", "k")):
        if row[key] is not None:
            yield line(name, row[key])
    if row["phase"]:
        done = f", {100 * row['fraction']:.0f} %" if row["outcome"] is None else ""
        yield line("phase", f"{row['phase']}:{row['step']}{done}")
    if row["seconds_left"] and row["outcome"] is None:
        least, likely, most = map(duration_words, row["seconds_left"])
        yield line("time left", f"{likely} ({least} to {most})")
    if row["trouble"]:
        yield line("trouble", row["trouble"])
    for name, key in (("began", "started_at"), ("ended", "ended_at")):
        if row[key] is not None:
            yield line(name, _moment(row[key]))
    if row["pids"]:
        yield line("processes", " ".join(map(str, row["pids"])))
        cpu = duration_words(row["cpu_seconds"])
        yield line("used", f"{size_words(row['memory_bytes'])} of memory, {cpu} of CPU")
    for plot_id in row["plot_ids"]:
        yield line("plot id", plot_id)
    for key in ("tmp_dir", "tmp2_dir", "final_dir", "dst", "log"):
        if row[key] is not None:
            yield line(key.removesuffix("_dir"), row[key])
    if row["tmp_bytes"] is not None and row["outcome"] is None:
        yield line("temporary", size_words(row["tmp_bytes"]))
    yield line("command", " ".join(row["command_line"]))
    for plot in row["plots"]:
        words = f"{plot['number']}: {plot['stage']}, {plot['path']}, {size_words(plot['size'])}"
        words += f", waiting: {plot['waiting']}" if plot["waiting"] else ""
        yield line("plot", words + (f", post-command {plot['post']}" if plot["post"] else ""))
    for key, value in sorted(row["settings"].items()):
        yield line("setting", f"{key} = {value}")
    for said in row["log_lines"]:
        yield line("log says", said)


def _moment(at: float) -> str:
    from plotrun.words import moment_words

    return moment_words(at, time.time())
