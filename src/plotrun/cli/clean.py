"""``plotrun clean``."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from plotrun.cli import EXIT_FAILED

if TYPE_CHECKING:
    from plotrun.cli.opening import Opened
    from plotrun.leftovers import Alive, Item, Kept

FORM = 1
"""Number of the JSON form; it changes when a field goes or changes its meaning."""


@click.command("clean")
@click.option("--yes", is_flag=True, help="Remove without asking.")
@click.option(
    "--older-than",
    default="10m",
    show_default=True,
    metavar="TIME",
    help="Leave what was changed more recently.",
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON; remove nothing, unless --yes.")
@click.pass_obj
def command(settings: str | None, yes: bool, older_than: str, as_json: bool) -> None:
    """Find what dead plotters have left in the temporary directories, and remove it.

    Looked at are the tmp and tmp2 directories of the settings: own directories of workers that
    live no more, and temporary files with the names that plotters give them, of plotters by hand
    as well. Never removed: what is open in a process, what may belong to a plotter that is
    running, finished plots (they are told, and how to have them delivered), and whatever else is
    there. Links are not followed.

    Run it as the user under which plotters run, or as root: of other users' processes nobody
    else can see the open files.

    \b
    Examples:
      plotrun clean
      plotrun clean --yes --older-than 1d
    """
    from plotrun import leftovers
    from plotrun.cli.opening import open_settings
    from plotrun.settings.types import read_duration
    from plotrun.words import printable, size_words

    try:
        age = read_duration(older_than)
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="--older-than") from None
    opened = open_settings(settings)
    found, kept, troubles = _look(opened, age)
    if as_json:
        _print_json(found, kept, troubles)
    else:
        _print(found, kept)
    for path, trouble in troubles.items():
        click.echo(printable(f"warning: {path} was not searched: {trouble}"), err=True)
    if not found or (as_json and not yes):
        return
    if not yes:
        click.confirm(f"remove {_these(found)}?", abort=True)
    failed = 0
    # Looked at once more: while the user was asked a plotter may have begun.
    again = {(item.path, item.files) for item in _look(opened, age)[0]}
    for item in found:
        try:
            if (item.path, item.files) in again:
                leftovers.remove(item)
        except OSError as error:
            failed += 1
            click.echo(printable(f"error: {item.path}: {error.strerror or error}"), err=True)
    if not as_json:
        gone = [item for item in found if not item.path.exists()]
        click.echo(f"removed {_these(gone)}, {size_words(sum(item.bytes for item in gone))}")
    if failed:
        sys.exit(EXIT_FAILED)


def _look(opened: Opened, age: float) -> tuple[list[Item], list[Kept], dict[Path, str]]:
    import time

    from plotrun.cli.temporary import patterns_of, scan_all
    from plotrun.leftovers import judge

    settings, plotters = opened.settings, opened.schema.plotters
    dst = {os.path.realpath(path) for job in settings.jobs for path in job.dst}
    places: dict[Path, bool] = {}
    for job in settings.jobs:
        others = plotters[job.plotter].other_dirs(job)
        for path in (*job.tmp, *job.tmp2, *others, *(job.dst if job.tmp2_in_dst else ())):
            real = os.path.realpath(path)
            if real not in map(os.path.realpath, places):
                places[path] = real in dst
    items, troubles = scan_all(places, patterns_of(plotters.values()))
    # What is alive is asked after the files were looked at: who has begun meanwhile counts.
    found, kept = judge(items, _alive(opened), time.time(), age)
    return found, kept, troubles


def _alive(opened: Opened) -> Alive:
    from plotrun.leftovers import Alive
    from plotrun.process_table import open_files, process_table
    from plotrun.store import Store
    from plotrun.strangers import strangers

    table = process_table()
    plotters = []
    for worker in strangers(table, tuple(opened.schema.plotters.values()), ()):
        named = (worker.tmp_dir, worker.tmp2_dir, worker.final_dir)
        places = frozenset(Path(os.path.realpath(path)) for path in named if path is not None)
        plotters.append((worker.created_at, places if worker.tmp_dir else None))
    store = Store(opened.settings.state_dir)
    try:
        return Alive(
            workers=store.stages(),
            marked={process.worker for process in table if process.worker is not None},
            plotters=plotters,
            open_files=open_files(),
        )
    finally:
        store.close()


def _these(items: Sequence[Item]) -> str:
    return f"{len(items)} leftover{'' if len(items) == 1 else 's'}"


def _print(found: Sequence[Item], kept: Sequence[Kept]) -> None:
    import time

    from plotrun.words import duration_words, printable, size_words

    for item in found:
        age = duration_words(max(0.0, time.time() - item.changed_at))
        click.echo(f"{size_words(item.bytes):>12}  {age:>8} old  {printable(item.path)}")
    for each in kept:
        click.echo(printable(f"stays: {each.path}: {each.why}"))
    if found:
        click.echo(f"{_these(found)}, {size_words(sum(item.bytes for item in found))}")
    else:
        click.echo("nothing to remove")


def _print_json(found: Sequence[Item], kept: Sequence[Kept], troubles: dict[Path, str]) -> None:
    rows = {
        "form": FORM,
        "leftovers": [
            {
                "path": str(item.path),
                "worker": item.worker,
                "plot_id": item.plot_id,
                "bytes": item.bytes,
                "changed_at": item.changed_at,
            }
            for item in found
        ],
        "kept": [{"path": str(each.path), "why": each.why} for each in kept],
        "not_searched": {str(path): trouble for path, trouble in troubles.items()},
    }
    click.echo(json.dumps(rows, indent=2))
