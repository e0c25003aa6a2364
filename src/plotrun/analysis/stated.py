"""The tables that plotters state of their finished logs."""

from __future__ import annotations

from collections.abc import Sequence

from plotrun.analysis.bladebit import BLADEBIT_FINISHED, NAME
from plotrun.analysis.forms import FinishedLog
from plotrun.analysis.reader import tables_of
from plotrun.plotter import Plotter


def tables_of_plotters(plotters: Sequence[Plotter]) -> list[tuple[str, FinishedLog]]:
    """The tables of *plotters*, and of bladebit, whose logs others left."""
    # The built-in plotters come last: what they state names the logs of others that state the same.
    last = reversed(plotters)
    stated = {plotter.name: plotter.finished_log for plotter in last if plotter.finished_log}
    return tables_of({NAME: BLADEBIT_FINISHED} | stated)
