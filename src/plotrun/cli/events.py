"""``plotrun events``."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from plotrun.cli.completing import any_worker, jobs

if TYPE_CHECKING:
    from plotrun.model import Event

LATEST = 50


@click.command("events")
@click.option("-f", "--follow", is_flag=True, help="Go on with those that come, until Ctrl-C.")
@click.option(
    "-n",
    "--last",
    default=LATEST,
    show_default=True,
    type=click.IntRange(min=0),
    help="How many of the latest.",
)
@click.option("--job", shell_complete=jobs, help="Only events of this job.")
@click.option(
    "--worker",
    metavar="ID",
    shell_complete=any_worker,
    help="Only events of workers whose id begins so.",
)
@click.option(
    "--json", "as_json", is_flag=True, help="Print a JSON object a line: see docs/hooks.md."
)
@click.pass_obj
def command(
    settings: str | None,
    follow: bool,
    last: int,
    job: str | None,
    worker: str | None,
    as_json: bool,
) -> None:
    """Show what has happened: the latest events, oldest first.

    The last hundred thousand are kept.

    \b
    Examples:
      plotrun events -f --job nvme
      plotrun events -n 1000 --json
    """
    from plotrun.cli.opening import state_dir
    from plotrun.growth import Changes
    from plotrun.store import Store

    directory = state_dir(settings)
    store = Store(directory)
    changes = Changes([directory])
    try:
        shown = store.events.newest()
        _print(store.events.last(last, job, worker), as_json)
        while follow:
            changes.wait()
            newest = store.events.newest()
            if newest > shown:
                _print(store.events.last(newest - shown, job, worker, after=shown), as_json)
                shown = newest
    except KeyboardInterrupt:
        sys.exit(0)  # that is how it is meant to end
    finally:
        changes.close()
        store.close()


def _print(events: Sequence[Event], as_json: bool) -> None:
    from plotrun.lines import stamped_words

    # Those that announce no step are written up to a second after they have happened.
    for event in sorted(events, key=lambda event: event.at):
        if as_json:
            row = {
                "at": event.at,
                "kind": event.kind,
                "job": event.job,
                "worker": event.worker,
                "data": dict(event.data),
            }
            click.echo(json.dumps(row))
        elif (words := stamped_words(event)) is not None:
            click.echo(words)
    sys.stdout.flush()
