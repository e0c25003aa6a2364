"""``plotrun resume``."""

from __future__ import annotations

import click

from plotrun.cli.completing import living_workers


@click.command("resume")
@click.argument(
    "workers", nargs=-1, required=True, metavar="WORKER...", shell_complete=living_workers
)
@click.pass_obj
def command(settings: str | None, workers: tuple[str, ...]) -> None:
    """Let the plotter of each WORKER go on after `plotrun suspend`.

    A WORKER is named as for `plotrun suspend`.

    \b
    Examples:
      plotrun resume 3f9a1c07
      plotrun resume all
    """
    from plotrun.cli.selecting import CommandError, open_living, running_process, select
    from plotrun.lock import wake_runner
    from plotrun.process_tree import resume_tree
    from plotrun.store import Request

    living = open_living(settings)
    gone = []
    for worker in select(workers, living.workers):
        ref = running_process(worker)
        if ref is not None and resume_tree(ref):
            click.echo(f"worker {worker.id} goes on")
        else:
            gone.append(worker.id)
        if worker.job:
            living.store.requests.withdraw(Request.SUSPEND, [worker.id])
    living.store.close()
    wake_runner(living.state_dir)
    if gone:
        raise CommandError(f"no plotter is running of worker {', '.join(gone)}")
