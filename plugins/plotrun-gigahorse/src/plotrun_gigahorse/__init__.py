"""Gigahorse, MadMax's plotters for compressed plots: ``gigahorse-cpu`` and ``gigahorse-gpu``."""

from __future__ import annotations

from plotrun import Plotter, hookimpl
from plotrun_gigahorse.cpu import GigahorseCpuPlotter
from plotrun_gigahorse.gpu import GigahorseGpuPlotter

__all__ = ["GigahorseCpuPlotter", "GigahorseGpuPlotter", "plotrun_plotters"]


@hookimpl
def plotrun_plotters() -> list[Plotter]:
    """The plotters of Gigahorse."""
    return [GigahorseCpuPlotter(), GigahorseGpuPlotter()]
