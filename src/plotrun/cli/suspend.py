"""``plotrun suspend``."""

from __future__ import annotations

import click

from plotrun.cli.completing import living_workers


@click.command("suspend")
@click.argument(
    "workers", nargs=-1, required=True, metavar="WORKER...", shell_complete=living_workers
)
@click.pass_obj
def command(settings: str | None, workers: tuple[str, ...]) -> None:
    """Stop the plotter of each WORKER where it stands, until `plotrun resume`.

    It keeps its memory and its temporary files, and still counts against the limits of workers:
    when it goes on there must be room for it. It stays suspended while plotrun is stopped and
    started again; when the machine is, it is lost. What is being delivered is delivered.

    A WORKER is named by its id or the beginning of it, by a plot id, its job, or its process;
    `all` are all that plotrun started. Plotters started by hand must be named.

    \b
    Examples:
      plotrun suspend 3f9a1c07
      plotrun suspend nvme
    """
    import time

    from plotrun.cli.selecting import CommandError, open_living, running_process, select
    from plotrun.lock import wake_runner
    from plotrun.process_tree import suspend_tree
    from plotrun.store import Request

    living = open_living(settings)
    processes = [(worker, running_process(worker)) for worker in select(workers, living.workers)]
    for worker, ref in processes:
        if ref is None:
            raise CommandError(f"worker {worker.id} has no plotter running ({worker.stage})")
    for worker, ref in processes:
        if ref is None or not suspend_tree(ref):
            raise CommandError(f"worker {worker.id}: its plotter has just ended")
        if worker.job:
            living.store.requests.put(Request.SUSPEND, [worker.id], time.time())
        click.echo(f"worker {worker.id} is suspended until `plotrun resume {worker.id}`")
    living.store.close()
    wake_runner(living.state_dir)
