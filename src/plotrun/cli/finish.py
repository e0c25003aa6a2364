"""``plotrun finish``."""

from __future__ import annotations

import click

from plotrun.cli.completing import living_workers


@click.command("finish")
@click.argument(
    "workers", nargs=-1, required=True, metavar="WORKER...", shell_complete=living_workers
)
@click.pass_obj
def command(settings: str | None, workers: tuple[str, ...]) -> None:
    """Let each WORKER end after the plot under way, where its plotter makes several.

    A WORKER is named by its id or the beginning of it, by a plot id, its job, or its process;
    `all` are all that plotrun started.

    \b
    Examples:
      plotrun finish 3f9a1c07
      plotrun finish nvme
    """
    from plotrun.cli.selecting import CommandError, open_living, select
    from plotrun.lock import wake_runner

    living = open_living(settings)
    chosen = select(workers, living.workers)
    for worker in chosen:
        plotter = living.schema.plotters.get(worker.plotter)
        if not worker.job:
            raise CommandError(f"{worker.id} was not started by plotrun: it cannot be asked")
        if worker.plots_wanted != 1 and (plotter is None or plotter.finish_signal is None):
            words = f"{worker.plotter} cannot be asked to finish early"
            raise CommandError(f"worker {worker.id}: {words}")
    living.store.request_finish([worker.id for worker in chosen])
    living.store.close()
    wake_runner(living.state_dir)
    for worker in chosen:
        click.echo(f"worker {worker.id} ends after the plot under way")
