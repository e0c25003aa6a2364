"""Which of the tmp directories that may be taken: as each job says."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

from plotrun import Candidate, Help, Job, SettingsSection, Worker, hookimpl


@dataclass(frozen=True)
class ChooseTmpKeys:
    """The keys added to every job."""

    choose_tmp: Annotated[
        Literal["in_turn", "furthest", "most_free"],
        Help(
            "Which of the tmp directories that may be taken: the one used longest ago, the one "
            "whose youngest worker is furthest (an empty one first), or the one with the most "
            "free space. The same for tmp2."
        ),
    ] = "in_turn"


@hookimpl
def plotrun_settings() -> SettingsSection:
    """What the settings may say of the choice."""
    return SettingsSection("choose_tmp", job_keys=ChooseTmpKeys)


@hookimpl
def plotrun_choose_tmp(
    job: Job, second: bool, candidates: Sequence[Candidate], workers: Sequence[Worker]
) -> Path | None:
    """The job's choice; directories that are equally good are taken in turn."""
    match job.keys(ChooseTmpKeys).choose_tmp:
        case "furthest":
            return max(
                candidates,
                key=lambda c: (_youngest(c.path, workers, second), -c.last_used, -c.position),
            ).path
        case "most_free":
            return max(candidates, key=lambda c: (c.room, -c.last_used, -c.position)).path
        case _:
            return None


def _youngest(directory: Path, workers: Sequence[Worker], second: bool) -> tuple[float, float]:
    """How far the worker in *directory* is that is least far."""
    here = [w.position for w in workers if w.occupies_slot and w.plots_in(directory, second)]
    return min(here, default=(float("inf"), 0.0))
