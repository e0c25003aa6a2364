"""``plotrun run``."""

from __future__ import annotations

import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from plotrun.cli import EXIT_FAILED, EXIT_USAGE

if TYPE_CHECKING:
    from plotrun.cli.opening import Opened
    from plotrun.runner import Runner
    from plotrun.store import Store

LOG_BYTES = 5 * 1024 * 1024
LOG_FILES = 5


@click.command("run")
@click.option("--until-done", is_flag=True, help="Leave when every job has its number of plots.")
@click.option("--plain", is_flag=True, help="Print lines instead of a live table.")
@click.pass_obj
def command(settings: str | None, until_done: bool, plain: bool) -> None:
    """Start plotting, and go on with what an earlier plotrun left running.

    Ctrl-C stops plotrun and leaves the plotters running: `plotrun run` takes them up again.

    \b
    Examples:
      plotrun run
      plotrun run --until-done
    """
    import asyncio

    from plotrun.cli.opening import open_settings
    from plotrun.lock import RunnerLock
    from plotrun.store import Store

    opened = open_settings(settings)
    endless = [job.name for job in opened.settings.jobs if not job.plots]
    if until_done and endless:
        click.echo(
            f"error: --until-done would never end: job {endless[0]} has plots = 0 (endless)",
            err=True,
        )
        sys.exit(EXIT_USAGE)
    lock = RunnerLock(opened.settings.state_dir)
    try:
        _log_to_file(opened.settings.log_dir)
        store = Store(opened.settings.state_dir)
        try:
            stuck = asyncio.run(_run(opened, store, until_done, plain))
        finally:
            store.close()
    finally:
        lock.release()
    if until_done and stuck:
        click.echo("\n".join(f"error: {words}" for words in stuck), err=True)
        sys.exit(EXIT_FAILED)


async def _run(opened: Opened, store: Store, until_done: bool, plain: bool) -> list[str]:
    from plotrun.clock import SystemClock
    from plotrun.process import SystemExecutor
    from plotrun.runner import Runner

    runner = Runner(opened.settings, opened.plugins, store, SystemExecutor(), SystemClock())
    _stop_on_signals(runner)
    if sys.stdout.isatty() and not plain:
        from plotrun.live import screen_of_runner

        async with screen_of_runner(runner, opened.schema):
            stuck = await runner.run(until_done)
    else:
        from plotrun.lines import print_event

        runner.watchers.append(print_event)
        stuck = await runner.run(until_done)
    left = len(runner.lives)
    if left:
        click.echo(
            f"stopped; {left} workers go on by themselves: `plotrun run` takes them up again"
        )
    return stuck


def _stop_on_signals(runner: Runner) -> None:
    import asyncio

    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        try:
            loop.add_signal_handler(number, runner.stop)
        except NotImplementedError:  # Windows; not run where this was written
            signal.signal(number, lambda *_: loop.call_soon_threadsafe(runner.stop))


def _log_to_file(directory: Path) -> None:
    import logging.handlers

    directory.mkdir(parents=True, exist_ok=True)
    handler = logging.handlers.RotatingFileHandler(
        directory / "plotrun.log",
        maxBytes=LOG_BYTES,
        backupCount=LOG_FILES,
        encoding="utf-8",
        errors="backslashreplace",
    )
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)-7s %(message)s"))
    root = logging.getLogger("plotrun")
    root.setLevel(logging.INFO)
    root.handlers = [handler]  # what is worth a line on the screen is told as an event
