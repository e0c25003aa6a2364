"""Which of the destinations that take a plot: as each job says."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

from plotrun import Candidate, Help, Job, SettingsSection, hookimpl


@dataclass(frozen=True)
class ChooseDstKeys:
    """The keys added to every job."""

    choose_dst: Annotated[
        Literal["round_robin", "most_free", "fill_first", "least_busy"],
        Help(
            "Which of the destinations that take a plot: the one used longest ago, the one with "
            "the most room, the first of the list until it is full, or the one with the fewest "
            "plots on their way to it."
        ),
    ] = "round_robin"


@hookimpl
def plotrun_settings() -> SettingsSection:
    """What the settings may say of the choice."""
    return SettingsSection("choose_dst", job_keys=ChooseDstKeys)


@hookimpl
def plotrun_choose_dst(job: Job, candidates: Sequence[Candidate]) -> Path | None:
    """The job's choice; destinations that are equally good are taken in turn."""
    match job.keys(ChooseDstKeys).choose_dst:
        case "most_free":
            return min(candidates, key=lambda c: (-c.room, c.last_used, c.position)).path
        case "fill_first":
            return min(candidates, key=lambda c: c.position).path
        case "least_busy":
            return min(candidates, key=lambda c: (c.workers, c.last_used, c.position)).path
        case _:
            return None
