"""What commands about disks open: settings, state, and what runs; no runner has to be up."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from plotrun.picture import Overview


@contextlib.contextmanager
def open_overview(given: str | None) -> Iterator[Overview]:
    """Settings and state, and the workers that are alive, by the store and the process table.

    Raises:
        SettingsError: all that is wrong with the settings.
    """
    from plotrun.cli.opening import open_settings
    from plotrun.picture import Overview
    from plotrun.process_table import process_table
    from plotrun.store import Store
    from plotrun.strangers import strangers

    opened = open_settings(given)
    store = Store(opened.settings.state_dir)
    try:
        own = store.alive_workers()
        plotters = list(opened.schema.plotters.values())
        others = strangers(process_table(), plotters, {worker.id for worker in own})
        yield Overview(opened.settings, opened.schema, opened.plugins, store, [*own, *others])
    finally:
        store.close()
