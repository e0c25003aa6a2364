"""``plotrun files``."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import click

from plotrun.cli.completing import living_workers

if TYPE_CHECKING:
    from plotrun.cli.selecting import Living
    from plotrun.model import Worker

FORM = 1
"""Number of the JSON form; it changes when a field goes or changes its meaning."""


@click.command("files")
@click.argument(
    "workers", nargs=-1, required=True, metavar="WORKER...", shell_complete=living_workers
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON: path and bytes of each file.")
@click.pass_obj
def command(settings: str | None, workers: tuple[str, ...], as_json: bool) -> None:
    """Show the temporary files of each WORKER, with the room they take, and the total.

    A WORKER is named by its id or the beginning of it, by a plot id, its job, or its process;
    `all` are all that plotrun started. Of a plotter started by hand the files are shown that are
    known to be its own: those of plots of which it has a file open.

    \b
    Examples:
      plotrun files 3f9a1c07
      plotrun files all --json
    """
    from plotrun.cli.selecting import open_living, select
    from plotrun.words import printable, size_words

    living = open_living(settings)
    rows = [_row(living, worker) for worker in select(workers, living.workers)]
    living.store.close()
    if as_json:
        click.echo(json.dumps({"form": FORM, "workers": rows}, indent=2))
        return
    for row in rows:
        click.echo(f"worker {row['id']}: {len(row['files'])} files, {size_words(row['bytes'])}")
        for file in row["files"]:
            click.echo(f"{size_words(file['bytes']):>12}  {printable(file['path'])}")


def _row(living: Living, worker: Worker) -> dict[str, Any]:
    from plotrun.cli.temporary import files_by_hand
    from plotrun.workdir import files_in

    if worker.job:
        found = [(str(path), taken) for path, taken in files_in(worker.tmp_dir, worker.tmp2_dir)]
    else:
        items = files_by_hand(worker, living.schema.plotters.values())
        found = [(str(item.path), item.bytes) for item in items]
    files = [{"path": path, "bytes": taken} for path, taken in sorted(found)]
    return {"id": worker.id, "bytes": sum(taken for _, taken in found), "files": files}
