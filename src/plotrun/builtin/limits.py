"""How many workers may run at a time: overall, and for each job."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

from annotated_types import Ge

from plotrun import Help, Hold, Job, JobState, SettingsSection, Worker, hookimpl

if TYPE_CHECKING:
    from plotrun import Settings


@dataclass(frozen=True)
class LimitsSettings:
    """``[plugins.limits]``."""

    max_workers: Annotated[
        int | None,
        Ge(1),
        Help("Plotters that may run at a time on this machine, also those started by hand."),
    ] = None


@dataclass(frozen=True)
class LimitsJobKeys:
    """The keys added to every job."""

    max_workers: Annotated[int, Ge(1), Help("Workers of this job that may run at a time.")] = 1


@hookimpl
def plotrun_settings() -> SettingsSection:
    """What the settings may say of limits."""
    return SettingsSection("limits", LimitsSettings, LimitsJobKeys)


@hookimpl
def plotrun_hold(
    job: Job, state: JobState, workers: Sequence[Worker], settings: Settings
) -> Hold | None:
    """Hold the start while a limit is reached."""
    mine = job.keys(LimitsJobKeys).max_workers
    if state.running >= mine:
        return Hold(f"{state.running} of {mine} workers of this job")
    overall = settings.section(LimitsSettings).max_workers
    running = sum(worker.occupies_slot for worker in workers)
    if overall is not None and running >= overall:
        return Hold(f"{running} of {overall} workers on this machine")
    return None
