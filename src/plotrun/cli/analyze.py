"""``plotrun analyze``."""

from __future__ import annotations

import csv
import json
import os
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from plotrun.cli import EXIT_NOTHING_MATCHED, EXIT_USAGE

if TYPE_CHECKING:
    from plotrun.analysis.groups import Group
    from plotrun.analysis.many import Findings, Tables
    from plotrun.analysis.plots import FinishedPlot

FORM = 1
"""Number of the JSON form; it changes when a field goes or changes its meaning."""
USUAL_PHASES = 4
"""Columns for phases that are always there: those of all plotters of V1 plots."""


def _by(_: click.Context, __: click.Parameter, given: str) -> tuple[str, ...]:
    from plotrun.analysis.groups import BY

    names = tuple(dict.fromkeys(name.strip() for name in given.split(",")))
    for name in names:
        if name not in BY:
            raise click.BadParameter(f"{name!r} is none of {', '.join(BY)}")
    return names


@click.command("analyze")
@click.argument("paths", nargs=-1, type=click.Path())
@click.option(
    "--by",
    default="plotter,k,tmp,threads",
    show_default=True,
    callback=_by,
    help="What the plots of one group have in common: any of plotter, k, tmp, tmp2, dst, "
    "threads, buckets, date.",
)
@click.option("--csv", "as_csv", is_flag=True, help="Print CSV, a row for each plot.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON: groups and plots.")
@click.pass_obj
def command(
    settings: str | None, paths: tuple[str, ...], by: tuple[str, ...], as_csv: bool, as_json: bool
) -> None:
    """Show how long finished plots took, by the logs of their plotters.

    PATHS are logs, and directories that are searched for them; without any, plotrun's own logs.
    Logs of chia, MadMax and bladebit are read wherever they come from.

    \b
    Examples:
      plotrun analyze
      plotrun analyze --by tmp,date ~/.chia/mainnet/plotter
      plotrun analyze --csv logs/ old/plot7.log > plots.csv
    """
    from plotrun.analysis.groups import group
    from plotrun.analysis.many import analyze

    if as_csv and as_json:
        raise click.UsageError("--csv and --json exclude each other")
    missing = [path for path in paths if not Path(path).exists()]
    if missing:
        click.echo(f"error: there is no file or directory {_printable(missing[0])}", err=True)
        sys.exit(EXIT_USAGE)
    searched = paths or (_own_logs(settings),)
    existing = [path for path in searched if Path(path).exists()]
    findings = analyze(existing, _tables(settings))
    if not findings.plots:
        click.echo(f"error: {_nothing(searched, findings)}", err=True)
        sys.exit(EXIT_NOTHING_MATCHED)
    for words in _left_out(findings):
        click.echo(words, err=True)
    if as_csv:
        _print_csv(findings.plots)
    elif as_json:
        _print_json(group(findings.plots, by), findings)
    else:
        from rich.console import Console

        from plotrun.analysis.chart import show

        show(group(findings.plots, by), Console(highlight=False))


def _own_logs(settings: str | None) -> str:
    from plotrun.cli.opening import log_dir

    return os.fspath(log_dir(settings))


def _tables(settings: str | None) -> Tables:
    from plotrun.analysis.stated import tables_of_plotters
    from plotrun.cli.opening import load_plugins_quietly

    return tables_of_plotters(load_plugins_quietly(settings).plotters())


def _nothing(searched: Sequence[str], findings: Findings) -> str:
    where = ", ".join(_printable(path) for path in searched[:3])
    where += f" and {len(searched) - 3} more" if len(searched) > 3 else ""
    found = f"{findings.files} file{'' if findings.files == 1 else 's'}"
    left_out = "; ".join((found, *_left_out(findings)))
    return f"no finished plot in {where} ({left_out}): name logs of plotters, or their directory"


def _left_out(findings: Findings) -> list[str]:
    """What was found and tells no durations, in a line each."""
    found = []
    skipped = sum(findings.skipped.values())
    if skipped:
        reasons = ", ".join(
            f"{count} {reason}" for reason, count in sorted(findings.skipped.items())
        )
        found.append(f"skipped {skipped} file{'' if skipped == 1 else 's'}: {reasons}")
    if findings.unfinished:
        many = findings.unfinished > 1
        found.append(f"{findings.unfinished} unfinished plot{'s' if many else ''} not counted")
    return found


def _printable(value: object) -> str:
    from plotrun.words import printable

    return printable(value)


def _row(plot: FinishedPlot, phases: int) -> dict[str, Any]:
    """A plot as a row of CSV and as an object of JSON: durations in seconds, memory in MiB."""
    told = [*plot.phases, *[None] * phases][:phases]
    row: dict[str, Any] = {
        "log": plot.log,
        "plotter": plot.plotter,
        "plot_id": plot.plot_id,
        "k": plot.k,
        "tmp": plot.tmp,
        "tmp2": plot.tmp2,
        "dst": plot.dst,
        "threads": plot.threads,
        "buckets": plot.buckets,
        "buffer_mib": plot.buffer,
        "started": plot.started,
    }
    row |= {f"phase_{number}_seconds": seconds for number, seconds in enumerate(told, 1)}
    row |= {"copy_seconds": plot.copy, "total_seconds": plot.total}
    return {
        key: _printable(value) if isinstance(value, str) else value for key, value in row.items()
    }


def _rows(plots: Sequence[FinishedPlot]) -> list[dict[str, Any]]:
    phases = max(USUAL_PHASES, *(len(plot.phases) for plot in plots))
    return [_row(plot, phases) for plot in plots]


def _print_csv(plots: Sequence[FinishedPlot]) -> None:
    rows = _rows(plots)
    writer = csv.DictWriter(sys.stdout, fieldnames=list(rows[0]))
    writer.writeheader()
    writer.writerows(rows)


def _print_json(groups: Sequence[Group], findings: Findings) -> None:
    found = {
        "form": FORM,
        "groups": [
            asdict(group)
            | {"by": {k: _printable(v) if isinstance(v, str) else v for k, v in group.by.items()}}
            for group in groups
        ],
        "plots": _rows(findings.plots),
        "unfinished": findings.unfinished,
        "skipped": sum(findings.skipped.values()),
    }
    click.echo(json.dumps(found, indent=2))
