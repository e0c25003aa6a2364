"""``plotrun kill``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from plotrun.cli.completing import living_workers

if TYPE_CHECKING:
    from plotrun.cli.selecting import Living
    from plotrun.model import ProcessRef, Worker

PATIENCE = 30.0
"""Seconds to wait for the end of a plotter: it is asked politely for ten of them."""


@click.command("kill")
@click.argument(
    "workers", nargs=-1, required=True, metavar="WORKER...", shell_complete=living_workers
)
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.option(
    "--files",
    is_flag=True,
    help="Of plotters that plotrun did not start, remove the temporary files that are known to "
    "be theirs.",
)
@click.pass_obj
def command(settings: str | None, workers: tuple[str, ...], yes: bool, files: bool) -> None:
    """End the plotter of each WORKER, and remove its temporary files.

    A plot that it has finished is delivered, also one that is whole and has not got its name yet.
    It is no failure: the job does not wait, and starts another worker in its place as soon as the
    settings allow. To keep it from that, `plotrun pause` the job first.

    With no plotrun running, the next `plotrun run` delivers and cleans up.

    A WORKER is named by its id or the beginning of it, by a plot id, its job, or its process;
    `all` are all that plotrun started. Plotters started by hand must be named; their temporary
    files stay unless --files is given.

    \b
    Examples:
      plotrun kill 3f9a1c07
      plotrun kill --yes nvme
      plotrun kill --files pid-4711
    """
    from plotrun.cli.selecting import CommandError, open_living, select
    from plotrun.model import STAGES_WITH_PLOTTER

    living = open_living(settings)
    chosen = select(workers, living.workers)
    for worker in chosen:
        if worker.stage not in STAGES_WITH_PLOTTER:
            words = f"worker {worker.id} ({worker.stage}): its plotter has ended already"
            raise CommandError(f"{words}; what it has made is being delivered")
    if not yes:
        many = f"{len(chosen)} workers" if len(chosen) > 1 else "worker"
        click.confirm(f"kill {many} {', '.join(w.id for w in chosen)}?", abort=True)
    _kill_own(living, [worker for worker in chosen if worker.job])
    for worker in chosen:
        if not worker.job:
            _kill_by_hand(living, worker, files)
    living.store.close()


def _kill_own(living: Living, workers: Sequence[Worker]) -> None:
    """The wish is written down first: whatever happens now, the runner knows of it."""
    import time

    from plotrun.cli.selecting import running_process
    from plotrun.lock import running, wake_runner
    from plotrun.store import Request

    if not workers:
        return
    processes = {worker.id: running_process(worker) for worker in workers}
    living.store.requests.put(Request.KILL, [worker.id for worker in workers], time.time())
    if running(living.state_dir) is not None:
        wake_runner(living.state_dir)
        for name, ref in processes.items():
            _expect_end(name, ref)
            click.echo(f"worker {name}: killed; finished plots are delivered")
        return
    for worker in workers:
        while (left := running_process(worker)) is not None:
            _end(worker.id, left)
        words = "the next `plotrun run` delivers finished plots and removes temporary files"
        click.echo(f"worker {worker.id}: killed; {words}")


def _end(worker: str, ref: ProcessRef) -> None:
    from plotrun.process_tree import end_tree

    end_tree(ref)
    _expect_end(worker, ref)


def _expect_end(worker: str, ref: ProcessRef | None) -> None:
    from plotrun.cli.selecting import CommandError
    from plotrun.process_tree import has_ended

    if ref is not None and not has_ended(ref, PATIENCE):
        raise CommandError(f"worker {worker}: process {ref.pid} has not ended; is it yours to end?")


def _kill_by_hand(living: Living, worker: Worker, files: bool) -> None:
    from plotrun import leftovers
    from plotrun.cli.temporary import files_by_hand
    from plotrun.process_table import open_files
    from plotrun.words import printable, size_words

    assert worker.process is not None
    mine = files_by_hand(worker, living.schema.plotters.values())
    _end(worker.id, worker.process)
    click.echo(f"{worker.id}: killed")
    still_open = open_files()
    for item in mine:
        removable = not item.plots and not any(file in still_open for file in item.files)
        if files and removable:
            leftovers.remove(item)
        what = "removed" if files and removable else "left"
        what += " (it may be a whole plot)" if item.plots else ""
        click.echo(printable(f"{what}: {item.path}, {size_words(item.bytes)}"))
    if files and not mine:
        click.echo("no temporary file is known to be its own: see `plotrun clean`")
