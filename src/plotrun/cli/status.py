"""``plotrun status``."""

from __future__ import annotations

import asyncio
import json
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from plotrun.cli import EXIT_USAGE

if TYPE_CHECKING:
    from plotrun.cli.opening import Opened
    from plotrun.current_settings import CurrentSettings
    from plotrun.model import Worker
    from plotrun.picture import Overview
    from plotrun.plotter import Plotter
    from plotrun.store import Store
    from plotrun.views import Views

DISK_SECONDS = 2.0
"""How long disks have to answer: who asks for the status does not wait for a dead mount."""


@click.command("status")
@click.option("--json", "as_json", is_flag=True, help="Print JSON: see docs/status.md.")
@click.option("--watch", is_flag=True, help="Show it anew every second, until q is pressed.")
@click.pass_obj
def command(settings: str | None, as_json: bool, watch: bool) -> None:
    """Show jobs, workers and disks, whether or not plotrun is running.

    \b
    Examples:
      plotrun status
      plotrun status --watch
      plotrun status --json
    """
    from plotrun.cli.opening import load_plugins_quietly, state_dir
    from plotrun.store import Store

    if watch and (as_json or not sys.stdout.isatty()):
        why = "--json" if as_json else "a pipe or a file"
        click.echo(f"error: --watch is for a terminal, not for {why}", err=True)
        sys.exit(EXIT_USAGE)
    directory = state_dir(settings)
    plotters = load_plugins_quietly(settings).plotters()
    store = Store(directory)
    try:
        if as_json:
            _print_json(directory, store, plotters)
        else:
            show = _watch if watch else _print
            asyncio.run(show(_views(settings, directory, store, plotters)))
    finally:
        store.close()


def _print_json(directory: Path, store: Store, plotters: Sequence[Plotter]) -> None:
    from plotrun.status import gather

    click.echo(json.dumps(gather(directory, store, plotters), indent=2))


async def _print(views: Views) -> None:
    from rich.console import Console

    from plotrun.screen import page

    console = Console(highlight=False)
    for line in page(await views.whole(), console.width):
        console.print(line, no_wrap=True, overflow="crop")


async def _watch(views: Views) -> None:
    from plotrun.live import LiveScreen

    ended = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        asyncio.get_running_loop().add_signal_handler(number, ended.set)
    async with LiveScreen(views, ended.set):
        await ended.wait()


def _views(
    settings: str | None, directory: Path, store: Store, plotters: Sequence[Plotter]
) -> Views:
    """Views by the store, with the disks of the settings as they are in the file."""
    from plotrun.status import Alive
    from plotrun.views import Views

    disks = _AskedDisks(settings, store)
    return Views(store, Alive(directory, store, plotters).look, disks.overview)


class _AskedDisks:
    """What disks are asked by, again and again."""

    def __init__(self, given: str | None, store: Store) -> None:
        from plotrun.space import Disks

        self._given = given
        self._store = store
        self._disks = Disks(DISK_SECONDS)
        self._opened: tuple[Opened, CurrentSettings] | None = None

    def overview(self, workers: Sequence[Worker]) -> Overview:
        """By the settings as they are now.

        Raises:
            SettingsError: they cannot be read.
        """
        from plotrun.cli.opening import open_settings
        from plotrun.current_settings import CurrentSettings
        from plotrun.picture import Overview

        if self._opened is None:
            opened = open_settings(self._given)
            self._opened = opened, CurrentSettings(opened.settings, opened.schema)
        opened, current = self._opened
        settings = current.read() if current.outdated else current.settings
        return Overview(settings, opened.schema, opened.plugins, self._store, workers, self._disks)
