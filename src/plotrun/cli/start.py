"""``plotrun start``."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING

import click

from plotrun.cli import EXIT_FAILED

if TYPE_CHECKING:
    from plotrun.store import AskedStart, Store

PATIENCE = 30.0
"""Seconds that the runner is given to answer: disks may be slow to tell their room."""
LOOK_AGAIN = 0.05


@click.command("start")
@click.argument("job")
@click.option(
    "-n",
    "count",
    metavar="N",
    type=click.IntRange(1, 1000),
    default=1,
    help="How many workers. Default: 1.",
)
@click.pass_obj
def command(settings: str | None, job: str, count: int) -> None:
    """Start a worker of JOB now, although it is not its time.

    It waits for no event, no stagger and no hour. Maxima, pauses, room and the number of plots
    hold it all the same: what cannot start at once does not start later. Says what was started;
    exit code 1 if that is less than was wanted. If plotrun is not up it starts them when it is.

    \b
    Examples:
      plotrun start nvme
      plotrun start nvme -n 3
    """
    from plotrun.cli.jobs import job_named
    from plotrun.cli.opening import open_settings
    from plotrun.lock import running, wake_runner
    from plotrun.store import Store

    opened = open_settings(settings).settings
    name = job_named(opened, job).name
    store = Store(opened.state_dir)
    number = store.asked.by_hand(name, count)
    wake_runner(opened.state_dir)
    if running(opened.state_dir) is None:
        click.echo(f"plotrun is not up: job {name} starts {count} when it is")
        return
    answer = _answer(store, number)
    store.close()
    if answer is None:
        click.echo(f"error: plotrun has not answered: see `plotrun status` for {name}", err=True)
        sys.exit(EXIT_FAILED)
    _tell(answer, count)


def _answer(store: Store, number: int) -> AskedStart | None:
    """What came of it; None if nobody has said."""
    waited = 0.0
    while waited < PATIENCE:
        asked = store.asked.get(number)
        if asked is None:
            return None
        if not asked.left or asked.refused is not None:
            store.asked.forget(number)
            return asked
        time.sleep(LOOK_AGAIN)
        waited += LOOK_AGAIN
    return None


def _tell(answer: AskedStart, count: int) -> None:
    from plotrun.words import printable

    if not answer.left:
        plural = "worker" if count == 1 else "workers"
        click.echo(f"job {answer.job}: {count} {plural} started")
        return
    reason = printable(answer.refused or "")
    words = f"{answer.started} of {count} started: {reason}" if answer.started else reason
    click.echo(f"error: job {answer.job}: {words}", err=True)
    sys.exit(EXIT_FAILED)
