"""How many workers may run at a time, and be in phase 1: overall, of a job, in a tmp directory."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from annotated_types import Ge

from plotrun import (
    Candidate,
    Help,
    Hold,
    Job,
    Seconds,
    SettingsSection,
    Worker,
    by_directory,
    hookimpl,
)

if TYPE_CHECKING:
    from plotrun import Clock, Settings

Maximum = Annotated[int, Ge(1)]


@dataclass(frozen=True)
class TmpLimits:
    """``[plugins.limits.tmp."/some/directory"]``."""

    max_workers: Annotated[Maximum | None, Help("Plotters that may run in it at a time.")] = None
    max_phase1: Annotated[Maximum | None, Help("Of these, how many in phase 1.")] = None


@dataclass(frozen=True)
class LimitsSettings:
    """``[plugins.limits]``."""

    max_workers: Annotated[
        Maximum | None,
        Help("Plotters that may run at a time on this machine, also those started by hand."),
    ] = None
    max_phase1: Annotated[
        Maximum | None,
        Help(
            "Plotters that may be in phase 1 at a time on this machine. Those that do not tell "
            "their phase count until they end."
        ),
    ] = None
    max_workers_per_tmp: Annotated[
        Maximum | None, Help("Plotters that may run at a time in one tmp directory.")
    ] = None
    max_phase1_per_tmp: Annotated[
        Maximum | None, Help("Plotters that may be in phase 1 at a time in one tmp directory.")
    ] = None
    tmp: Annotated[
        Annotated[Mapping[Path, TmpLimits], by_directory(TmpLimits)] | None,
        Help(
            "Other maxima for single tmp directories: a table for each, such as "
            '`[plugins.limits.tmp."/mnt/nvme0"]`, with `max_workers`, `max_phase1` or both.'
        ),
    ] = None


@dataclass(frozen=True)
class LimitsJobKeys:
    """The keys added to every job."""

    max_workers: Annotated[int, Ge(1), Help("Workers of this job that may run at a time.")] = 1
    max_phase1: Annotated[
        Maximum | None, Help("Workers of this job that may be in phase 1 at a time.")
    ] = None
    start_mode: Annotated[
        Literal["normal", "smart"],
        Help(
            '"smart": a worker starts only in a tmp directory in which no other plotter, of any '
            "job, is in phase 1."
        ),
    ] = "normal"
    start_early_phase: Annotated[
        Maximum | None,
        Help(
            "Start early: workers that are past this phase do not count against the job's "
            "max_workers."
        ),
    ] = None
    start_early_delay: Annotated[
        Seconds, Help("Start early: how long a worker must have been past that phase.")
    ] = 0.0
    start_early_max: Annotated[
        Maximum | None,
        Help(
            "Start early: workers of this job that may run at a time, all counted. "
            "Default: one more than max_workers."
        ),
    ] = None


@hookimpl
def plotrun_settings() -> SettingsSection:
    """What the settings may say of limits."""
    return SettingsSection("limits", LimitsSettings, LimitsJobKeys)


@hookimpl
def plotrun_hold(
    job: Job, workers: Sequence[Worker], clock: Clock, settings: Settings
) -> Hold | None:
    """Hold the start while a maximum of the machine or of the job is reached."""
    running = [worker for worker in workers if worker.occupies_slot]
    mine = [worker for worker in running if worker.job == job.name]
    overall, keys = settings.section(LimitsSettings), job.keys(LimitsJobKeys)
    phase1, my_phase1 = _in_phase1(running), _in_phase1(mine)
    holds = [
        _of_job(keys, mine, clock.now()),
        _reached(my_phase1, keys.max_phase1, "workers of this job in phase 1"),
        _reached(len(running), overall.max_workers, "workers on this machine"),
        _reached(phase1, overall.max_phase1, "workers on this machine in phase 1"),
    ]
    found = [hold for hold in holds if hold is not None]
    if len(found) <= 1:
        return found[0] if found else None
    return Hold("\n".join(hold.reason for hold in found))


@hookimpl
def plotrun_filter_tmp(
    job: Job,
    second: bool,
    candidates: Sequence[Candidate],
    workers: Sequence[Worker],
    settings: Settings,
) -> dict[Path, str]:
    """Leave out directories in which a maximum is reached; second ones have none."""
    if second:
        return {}
    overall, smart = settings.section(LimitsSettings), job.keys(LimitsJobKeys).start_mode == "smart"
    found = {}
    for candidate in candidates:
        own = (overall.tmp or {}).get(candidate.path, TmpLimits())
        here = [w for w in workers if w.occupies_slot and w.plots_in(candidate.path)]
        holds = (
            _reached(len(here), own.max_workers or overall.max_workers_per_tmp, "workers"),
            _reached(_in_phase1(here), own.max_phase1 or overall.max_phase1_per_tmp, "in phase 1"),
            _reached(_in_phase1(here), 1 if smart else None, "in phase 1 (smart)"),
        )
        reason = next((hold.reason for hold in holds if hold is not None), None)
        if reason is not None:
            found[candidate.path] = reason
    return found


def _of_job(keys: LimitsJobKeys, mine: Sequence[Worker], now: float) -> Hold | None:
    if keys.start_early_phase is None:
        return _reached(len(mine), keys.max_workers, "workers of this job")
    most = keys.start_early_max or keys.max_workers + 1
    hold = _reached(len(mine), most, "workers of this job, early starts included")
    if hold is not None:
        return hold
    leaving = [_stops_counting(worker, keys) for worker in mine]
    counted = sum(at is None or now < at for at in leaving)
    hold = _reached(counted, keys.max_workers, "workers of this job")
    if hold is None:
        return None
    # With more than the maximum counted, that many must leave before one may start.
    times = sorted(at for at in leaving if at is not None and now < at)
    surplus = counted - keys.max_workers
    return Hold(hold.reason, times[surplus] if surplus < len(times) else None)


def _stops_counting(worker: Worker, keys: LimitsJobKeys) -> float | None:
    """When the worker begins not to count against its job's maximum, if that is known."""
    assert keys.start_early_phase is not None
    starts = worker.progress.phase_starts
    if len(starts) <= keys.start_early_phase:
        return None
    return starts[keys.start_early_phase] + keys.start_early_delay


def _in_phase1(workers: Sequence[Worker]) -> int:
    return sum(worker.position[0] == 1 for worker in workers)


def _reached(count: int, most: int | None, what: str) -> Hold | None:
    return None if most is None or count < most else Hold(f"{count} of {most} {what}")
