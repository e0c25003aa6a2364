"""The least time between two starts, overall and of a job, and a delay before a job's first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

from plotrun import (
    Help,
    Hold,
    Job,
    JobState,
    Seconds,
    SettingsSection,
    Worker,
    duration_words,
    hookimpl,
    moment_words,
)

if TYPE_CHECKING:
    from plotrun import Clock, Settings


@dataclass(frozen=True)
class StaggerSettings:
    """``[plugins.stagger]``."""

    stagger: Annotated[
        Seconds,
        Help("The least time between the starts of two plotters of any jobs, and by hand."),
    ] = 0.0


@dataclass(frozen=True)
class StaggerJobKeys:
    """The keys added to every job."""

    stagger: Annotated[
        Seconds, Help("The least time between the starts of two plotters of this job.")
    ] = 0.0
    initial_delay: Annotated[
        Seconds,
        Help(
            "How long the job's very first plotter waits, counted from when plotrun first finds "
            "the job in the settings. A restart of plotrun does not begin it anew."
        ),
    ] = 0.0


@hookimpl
def plotrun_settings() -> SettingsSection:
    """What the settings may say of the time between starts."""
    return SettingsSection("stagger", StaggerSettings, StaggerJobKeys)


@hookimpl
def plotrun_hold(
    job: Job, state: JobState, workers: Sequence[Worker], clock: Clock, settings: Settings
) -> Hold | None:
    """Hold the start until enough time has passed since the last real one."""
    keys, now = job.keys(StaggerJobKeys), clock.now()
    mine = [worker for worker in workers if worker.job == job.name]
    overall = settings.section(StaggerSettings).stagger
    holds = [
        _between(keys.stagger, "starts of this job", state.last_start_at, mine, now),
        _between(overall, "any two starts", state.last_start_of_any, workers, now),
    ]
    if state.last_start_at is None and state.listed_at is not None:
        words = f"initial delay of {duration_words(keys.initial_delay)}"
        holds.append(_until(words, state.listed_at, keys.initial_delay, now))
    found = [hold for hold in holds if hold is not None]
    if not found:
        return None
    untils = [hold.until for hold in found if hold.until is not None]
    last = max(untils) if len(untils) == len(found) else None
    return Hold("\n".join(hold.reason for hold in found), last, only_timing=True)


def _between(
    stagger: float, what: str, last: float | None, workers: Sequence[Worker], now: float
) -> Hold | None:
    """A hold while less than *stagger* seconds have passed since a start of *workers*."""
    if not stagger:
        return None
    words = f"{duration_words(stagger)} between {what}"
    for worker in workers:
        # It may be in a pre-command: the time counts from its plotter's start, yet to come.
        if worker.occupies_slot and worker.started_at is None:
            return Hold(f"{words}: worker {worker.id} is about to start")
    starts = [worker.started_at for worker in workers if worker.started_at is not None]
    starts += [] if last is None else [last]
    holds = [_until(words, start, stagger, now) for start in starts]
    return max(filter(None, holds), key=lambda hold: hold.until or 0.0, default=None)


def _until(words: str, since: float, wait: float, now: float) -> Hold | None:
    """A hold until *wait* seconds after *since*.

    What is written far ahead of now was written before the clock was set back: it must not hold
    a job for years.
    """
    until = since + wait
    if until <= now or since > now + wait:
        return None
    return Hold(f"{words}: not before {moment_words(until, now)}", until)
