"""Rejects finished files that are no plots, or not the ones their names say."""

from __future__ import annotations

import re

from plotrun import NotAPlot, Plot, hookimpl, read_plot

_ID_IN_NAME = re.compile(r"(?<![0-9a-f])[0-9a-f]{64}(?![0-9a-f])")


@hookimpl
def plotrun_check_plot(plot: Plot) -> str | None:
    """Read the header again and compare it with the name."""
    try:
        read = read_plot(plot.path)
    except (NotAPlot, OSError) as error:
        return str(error)
    named = _ID_IN_NAME.search(plot.path.name)
    if named and named[0] != read.plot_id:
        return f"its name says plot id {named[0][:8]}…, its header {read.plot_id[:8]}…"
    return None
