"""V2 plots: the plotters ``pos2`` and ``xchplot2``, and the check of finished plots."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

from annotated_types import Ge

from plotrun import Help, Job, Plot, PlotFormat, Plotter, SettingsSection, hookimpl
from plotrun_pos2.pos2 import Pos2Keys, Pos2Plotter
from plotrun_pos2.xchplot2 import Xchplot2Keys, Xchplot2Plotter

if TYPE_CHECKING:
    from plotrun import Settings

__all__ = [
    "Pos2Keys",
    "Pos2Plotter",
    "Pos2Settings",
    "Xchplot2Keys",
    "Xchplot2Plotter",
    "plotrun_check_plot",
    "plotrun_plotters",
    "plotrun_settings",
]


@dataclass(frozen=True)
class Pos2Settings:
    """``[plugins.pos2]``."""

    check_challenges: Annotated[
        int,
        Ge(0),
        Help("Challenges for which a proof is looked for in a finished V2 plot; 0: no check."),
    ] = 100


@hookimpl
def plotrun_plotters() -> list[Plotter]:
    """The plotters ``pos2`` and ``xchplot2``."""
    return [Pos2Plotter(), Xchplot2Plotter()]


@hookimpl
def plotrun_settings() -> SettingsSection:
    """What the settings may say of checking."""
    return SettingsSection("pos2", Pos2Settings)


@hookimpl
def plotrun_check_plot(plot: Plot, job: Job, settings: Settings) -> str | None:
    """Look for a proof in a V2 plot, solve and verify it.

    xchplot2 checks its own plots: they may have a form that chia_rs reads no more, or not yet.
    """
    challenges = settings.section(Pos2Settings).check_challenges
    if plot.format is not PlotFormat.V2 or not challenges:
        return None
    if job.plotter == Xchplot2Plotter.name:
        from plotrun_pos2.xchplot2_verify import verify_problem

        return verify_problem(plot.path, job.command or Xchplot2Plotter.default_command, challenges)
    from plotrun_pos2.verify import problem_apart

    return problem_apart(plot.path, challenges)
