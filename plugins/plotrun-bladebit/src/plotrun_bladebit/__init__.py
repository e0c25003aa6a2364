"""BladeBit as a plotter of plotrun: ``ramplot``, ``diskplot`` and ``cudaplot``."""

from __future__ import annotations

from plotrun import Plotter, hookimpl
from plotrun_bladebit.keys import BladebitKeys
from plotrun_bladebit.log import BLADEBIT_LOG
from plotrun_bladebit.plotter import BladebitPlotter

__all__ = ["BLADEBIT_LOG", "BladebitKeys", "BladebitPlotter", "plotrun_plotters"]


@hookimpl
def plotrun_plotters() -> list[Plotter]:
    """The plotter ``bladebit``."""
    return [BladebitPlotter()]
