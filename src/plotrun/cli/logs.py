"""``plotrun logs``."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

import click

from plotrun.cli import EXIT_NOTHING_MATCHED
from plotrun.cli.completing import any_worker

if TYPE_CHECKING:
    from plotrun.cli.selecting import Living
    from plotrun.model import Worker

CHUNK = 1024 * 1024


@click.command("logs")
@click.argument("worker", shell_complete=any_worker)
@click.option("-f", "--follow", is_flag=True, help="Go on until the worker ends.")
@click.option("--pre", "side", flag_value="pre", help="The log of its pre-commands.")
@click.option("--post", "side", flag_value="post", help="The log of its post-commands.")
@click.pass_obj
def command(settings: str | None, worker: str, follow: bool, side: str | None) -> None:
    """Print the log of the plotter of WORKER, also of one that has ended.

    A WORKER is named by its id or the beginning of it, by a plot id, its job, or its process.

    \b
    Examples:
      plotrun logs -f 3f9a1c07
      plotrun logs --post 3f9a1c07
    """
    from plotrun.cli.selecting import CommandError, open_living, select_one
    from plotrun.words import printable

    living = open_living(settings)
    found = select_one(worker, living.workers, living.store.named(worker))
    if found.log is None:
        raise CommandError(f"{found.id} was not started by plotrun: where its log is, is not known")
    log = found.log.with_name(f"{found.id}_{side}.log") if side else found.log
    ended = found.ended_at is not None
    if not log.exists() and (ended or not follow):
        words = f"worker {found.id} has no {f'log of {side}-commands' if side else 'log'}"
        raise CommandError(printable(f"{words}: there is no {log}"), EXIT_NOTHING_MATCHED)
    if follow and not ended:
        _follow(living, found, log)
    else:
        with log.open("rb") as file:
            shutil.copyfileobj(file, sys.stdout.buffer, CHUNK)
    living.store.close()


def _follow(living: Living, worker: Worker, log: Path) -> None:
    from plotrun.growth import Changes

    # The store changes with every step of the worker, its end included.
    changes = Changes([log.parent, living.state_dir])
    file: BinaryIO | None = None
    try:
        while True:
            goes_on = _goes_on(living, worker.id)  # asked first: what it wrote until then is read
            if file is None and log.exists():
                file = log.open("rb")
            if file is not None:
                shutil.copyfileobj(file, sys.stdout.buffer, CHUNK)
                sys.stdout.buffer.flush()
            if not goes_on:
                return
            changes.wait()
    finally:
        changes.close()
        if file is not None:
            file.close()


def _goes_on(living: Living, name: str) -> bool:
    """Whether the worker lives and somebody is there to see it through."""
    from plotrun.cli.selecting import running_process
    from plotrun.lock import running

    worker = living.store.worker(name)
    if worker is None or worker.ended_at is not None:
        return False
    return running(living.state_dir) is not None or running_process(worker) is not None
