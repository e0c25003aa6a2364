"""Why a job may not start a worker now: the core's own reasons, then the plugins'."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from plotrun.clock import Clock
from plotrun.manager import Failure, Plugins
from plotrun.model import Hold, Job, JobState, Memory, Worker
from plotrun.settings.job_events import EventKeys
from plotrun.settings.schema import JobKeys
from plotrun.settings.settings import Settings
from plotrun.words import moment_words

LEAST_WAIT_AFTER_FAILURE = 1.0
"""Seconds. Whatever plugins say, nothing starts in a tight loop."""


@dataclass(frozen=True)
class JobEnds(Hold):
    """All plots of the job are made or on their way."""

    surplus: int = 0
    """Plots more than wanted that endless plotters would make unless they are asked to finish."""


class Waits(Hold):
    """It waits for an event, and nothing says when one comes."""


class NotKnownYet(Hold):
    """Nothing is known against a start, or for it."""


def hold_of(
    plugins: Plugins,
    settings: Settings,
    job: Job,
    state: JobState,
    workers: Sequence[Worker],
    clock: Clock,
    *,
    by_hand: bool = False,
    memory: Memory | None = None,
) -> Hold | None:
    """The hold on *job*, with all reasons in lines, or None if a worker may start.

    *by_hand*: the user asks for this start.
    """
    surplus = state.made + state.expected - job.plots
    if job.plots and surplus >= 0:
        # Plots on their way may fail: only what is made is for good.
        made = state.made >= job.plots
        return JobEnds(_ends_words(job, state), for_user=made, surplus=surplus)
    holds = _own(job, state, clock)
    for name, answer in plugins.each(
        "plotrun_hold",
        job=job,
        state=state,
        workers=workers,
        clock=clock,
        settings=settings,
        memory=memory,
    ):
        if isinstance(answer, Failure):
            holds.append(Hold(str(answer)))
        elif isinstance(answer, str):
            holds.append(Hold(answer))
        elif isinstance(answer, Hold):
            holds.append(answer)
        elif answer is not None:
            holds.append(Hold(f"plugin {name}: plotrun_hold answered {answer!r}"))
    if job.keys(EventKeys).waits and not state.starts_asked:
        holds.append(_waits(job.keys(EventKeys), state.next_time, clock.now()))
    return _together([hold for hold in holds if not (by_hand and hold.only_timing)])


def _own(job: Job, state: JobState, clock: Clock) -> list[Hold]:
    holds = []
    if not job.keys(JobKeys).enabled:
        holds.append(Hold("switched off in the settings (enabled = false)", for_user=True))
    if state.paused is not None:
        holds.append(Hold(state.paused, for_user=True))
    if state.failures_in_row and state.last_failure_at is not None:
        until = state.last_failure_at + LEAST_WAIT_AFTER_FAILURE
        # A failure far ahead of now was written before the clock was set back.
        if clock.now() < until <= clock.now() + 2 * LEAST_WAIT_AFTER_FAILURE:
            holds.append(Hold("the last worker failed just now", until))
    return holds


def _waits(keys: EventKeys, next_time: float | None, now: float) -> Hold:
    """A job that starts only on events and at fixed times waits for them."""
    parts = []
    if keys.start_on:
        plural = "s" if len(keys.start_on) > 1 else ""
        parts.append(f"the event{plural} {' or '.join(keys.start_on)}")
    if next_time is not None:
        parts.append(moment_words(next_time, now))
    kind = Waits if next_time is None else Hold
    return kind(f"waits for {' or '.join(parts)}")


def _together(holds: Sequence[Hold]) -> Hold | None:
    if not holds:
        return None
    holds = sorted(holds, key=lambda hold: not hold.for_user)  # what takes the user comes first
    times = [hold.until for hold in holds]
    known = [until for until in times if until is not None]
    kind = Waits if any(isinstance(hold, Waits) for hold in holds) else Hold
    return kind(
        "\n".join(hold.reason for hold in holds),
        # All must have passed: before the last known time there is no use in asking.
        max(known) if len(known) == len(times) else None,
        any(hold.for_user for hold in holds),
    )


def _ends_words(job: Job, state: JobState) -> str:
    if state.made >= job.plots:
        return f"done: {state.made} of {job.plots} plots"
    return f"the last of {job.plots} plots are under way"
