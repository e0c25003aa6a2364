"""``plotrun emit``."""

from __future__ import annotations

import sys

import click

from plotrun.cli import EXIT_NOTHING_MATCHED


@click.command("emit")
@click.argument("event")
@click.pass_obj
def command(settings: str | None, event: str) -> None:
    """Emit EVENT, as a job would: every job that starts on it does.

    If plotrun is not up the event comes when it is. Exit code 3 if no job starts on it.

    \b
    Example:
      plotrun emit disk-free
    """
    from plotrun.cli.opening import open_settings
    from plotrun.clock import SystemClock
    from plotrun.lock import running, wake_runner
    from plotrun.settings.job_events import EventKeys
    from plotrun.settings.problems import nearest
    from plotrun.store import DueEvent, Store
    from plotrun.words import printable

    opened = open_settings(settings).settings
    wanted = {job.name: job.keys(EventKeys).start_on for job in opened.jobs}
    starts = {job: names[event] for job, names in wanted.items() if event in names}
    if not starts:
        known = sorted({name for names in wanted.values() for name in names})
        there = f"there are: {', '.join(known)}" if known else "no job has start_on"
        words = f"no job starts on the event {event}: {nearest(event, known) or there}"
        click.echo(printable(f"error: {words}"), err=True)
        sys.exit(EXIT_NOTHING_MATCHED)
    store = Store(opened.state_dir)
    store.due.add([DueEvent(event, SystemClock().now())])
    store.close()
    wake_runner(opened.state_dir)
    if running(opened.state_dir) is None:
        click.echo("plotrun is not up: the event comes when it is")
    for job, count in starts.items():
        click.echo(f"job {job} starts {count}, unless something holds it")
