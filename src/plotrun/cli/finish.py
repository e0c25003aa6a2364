"""``plotrun finish``."""

from __future__ import annotations

import sys

import click

from plotrun.cli import EXIT_FAILED, EXIT_NOTHING_MATCHED


@click.command("finish")
@click.argument("workers", nargs=-1, required=True, metavar="WORKER...")
@click.pass_obj
def command(settings: str | None, workers: tuple[str, ...]) -> None:
    """Let each WORKER end after the plot under way, where its plotter makes several.

    \b
    Example:
      plotrun finish 3f9a1c07
    """
    from plotrun.cli.opening import load_plugins_quietly, state_dir
    from plotrun.lock import wake_runner
    from plotrun.store import Store

    directory = state_dir(settings)
    store = Store(directory)
    alive = {worker.id: worker for worker in store.alive_workers()}
    for name in workers:
        if name not in alive:
            names = f"there are: {', '.join(alive)}" if alive else "none is running"
            click.echo(f"error: no worker is called {name}; {names}", err=True)
            sys.exit(EXIT_NOTHING_MATCHED)
    plotters = load_plugins_quietly(settings).schema().plotters
    for name in workers:
        plotter = plotters.get(alive[name].plotter)
        if alive[name].plots_wanted != 1 and (plotter is None or plotter.finish_signal is None):
            words = f"{alive[name].plotter} cannot be asked to finish early"
            click.echo(f"error: worker {name}: {words}", err=True)
            sys.exit(EXIT_FAILED)
    store.request_finish(workers)
    store.close()
    wake_runner(directory)
    for name in workers:
        click.echo(f"worker {name} ends after the plot under way")
