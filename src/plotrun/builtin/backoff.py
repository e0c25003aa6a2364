"""A job that fails waits longer and longer, and pauses after too many failures in a row."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

from annotated_types import Ge

from plotrun import (
    Help,
    Hold,
    JobState,
    Seconds,
    SettingsSection,
    duration_words,
    hookimpl,
)

if TYPE_CHECKING:
    from plotrun import Clock, Settings


@dataclass(frozen=True)
class BackoffSettings:
    """``[plugins.backoff]``."""

    first_wait: Annotated[Seconds, Help("Wait after the first failure; then it doubles.")] = 60.0
    longest_wait: Annotated[Seconds, Help("The wait grows no longer than this.")] = 3600.0
    pause_after: Annotated[
        int,
        Ge(0),
        Help("Failures in a row after which the job pauses until `plotrun unpause`; 0: never."),
    ] = 5


@hookimpl
def plotrun_settings() -> SettingsSection:
    """What the settings may say of waiting."""
    return SettingsSection("backoff", BackoffSettings)


@hookimpl
def plotrun_hold(state: JobState, clock: Clock, settings: Settings) -> Hold | None:
    """Hold the start of a job whose last workers failed."""
    failures = state.failures_in_row
    if not failures or state.last_failure_at is None:
        return None
    wanted = settings.section(BackoffSettings)
    if wanted.pause_after and failures >= wanted.pause_after:
        return Hold(
            f"paused after {failures} failures in a row: "
            f"mend the cause, then `plotrun unpause {state.name}`",
            for_user=True,
        )
    wait = min(wanted.longest_wait, wanted.first_wait * 2.0 ** min(failures - 1, 60))
    until = state.last_failure_at + wait
    now = clock.now()
    # What is written far ahead of now was written before the clock was set back.
    if until <= now or state.last_failure_at > now + wait:
        return None
    return Hold(f"{failures} failed in a row: waiting {duration_words(wait)}", until)
