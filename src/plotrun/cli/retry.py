"""``plotrun retry``."""

from __future__ import annotations

import click

from plotrun.cli.completing import ended_workers


@click.command("retry")
@click.argument("worker", shell_complete=ended_workers)
@click.pass_obj
def command(settings: str | None, worker: str) -> None:
    """Try again what failed in WORKER, an ended one.

    Where it left a plot, that goes on: a plot that was rejected and is still in place is checked
    again and delivered, and post-commands that failed run again for it (also where plotrun does
    not know how they ended). Where it left none, its job forgets its failures: it does not wait
    any longer, and starts another worker as soon as the settings allow. A job that was paused by
    `plotrun pause` stays paused.

    WORKER is the id, the beginning of it, or that of a plot; `plotrun history --failed` has them.

    \b
    Example:
      plotrun retry 3f9a1c07
    """
    import time

    from plotrun.cli import EXIT_NOTHING_MATCHED
    from plotrun.cli.opening import state_dir
    from plotrun.cli.selecting import CommandError, select_one
    from plotrun.lock import running, wake_runner
    from plotrun.retrying import reopened
    from plotrun.store import Store

    directory = state_dir(settings)
    store = Store(directory)
    ended = store.named(worker)
    if not ended:
        raise CommandError(f"no worker that has ended is called {worker}", EXIT_NOTHING_MATCHED)
    found = select_one(worker, (), ended)
    again = reopened(found)
    if again is None and found.outcome != "failed":
        raise CommandError(f"worker {found.id} has not failed ({found.outcome})")
    up = running(directory) is not None
    if again is not None:
        store.reopen(again, time.time())
        click.echo(f"worker {found.id} is taken up {'now' if up else 'by the next `plotrun run`'}")
    else:
        store.jobs.forget_failures(found.job)
        paused = store.jobs.record(found.job).paused
        click.echo(
            f"job {found.job} is paused: `plotrun unpause {found.job}` lets it start"
            if paused
            else f"job {found.job} may start again{'' if up else ' with the next `plotrun run`'}"
        )
    store.close()
    wake_runner(directory)
