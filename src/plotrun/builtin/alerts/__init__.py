"""Messages to phones and mailboxes, by Apprise.

Events come in the observer's own thread, and `Desk` makes messages of them. Each URL has a
`Channel` with a thread of its own, so that a dead service delays nothing but its own messages.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from plotrun import Event, EventKind, SettingsSection, hookimpl

from .settings import AlertsSettings

if TYPE_CHECKING:
    import click

    from plotrun import Runner

    from .desk import Desk
    from .kept import Kept

LAST_WORDS = 4.0
"""Seconds that stopping plotrun waits for messages that are on their way; the others are kept."""


class _Running:
    """What belongs to the runner that runs in this process."""

    def __init__(self) -> None:
        self.runner: Runner | None = None
        self.known = threading.Event()
        """Set once `runner` is: the first event comes before ``plotrun_started``."""
        self.desk: Desk | None = None
        self.kept: Kept | None = None


_running = _Running()


@hookimpl
def plotrun_settings() -> SettingsSection:
    """What the settings may say of alerts."""
    return SettingsSection("alerts", AlertsSettings)


@hookimpl
def plotrun_started(runner: Runner) -> None:
    """Know the runner; the rest is done in the observer's thread."""
    _running.runner = runner
    _running.known.set()


@hookimpl
def plotrun_event(event: Event) -> None:
    """Tell of what happened."""
    _running.known.wait()
    runner = _running.runner
    if runner is None:
        return
    if event.kind in (EventKind.RUNNER_STARTED, EventKind.SETTINGS_CHANGED):
        _set_up(runner)
    if _running.desk is not None:
        _running.desk.take(event)
    if event.kind is EventKind.RUNNER_STOPPING:
        desk = _running.desk
        _running.runner = _running.desk = _running.kept = None
        _running.known.clear()
        if desk is not None:
            desk.close(LAST_WORDS)


def _set_up(runner: Runner) -> None:
    """A desk as the settings say; none where they name no service."""
    settings = runner.settings
    wanted = settings.section(AlertsSettings)
    desk = _running.desk
    if desk is not None and desk.wanted == wanted:
        desk.settings = settings
        return
    if desk is not None:
        desk.close(LAST_WORDS)
    _running.desk = None
    if not wanted.services:
        return
    from .desk import Desk
    from .kept import Kept

    if _running.kept is None:
        _running.kept = Kept(settings.state_of("alerts"), runner.clock.now())
    _running.desk = Desk(settings, runner.clock, _running.kept)
    _running.desk.open()


@hookimpl
def plotrun_commands(cli: click.Group) -> None:
    """``plotrun alerts``."""
    from .command import alerts

    cli.add_command(alerts)
