"""When the phases of a plot began: logs do not tell, so it is when they were read."""

from __future__ import annotations

from dataclasses import replace

from plotrun.model import Progress


def dated(progress: Progress, known: Progress, at: float) -> Progress:
    """*progress* with a time for each phase that has begun: *at*, or what is known of it.

    *known* is what was stored before the log was read anew. A phase that began while nobody
    looked is taken to begin now: too late rather than too early.
    """
    starts = progress.phase_starts
    if known.plots_started == progress.plots_started:
        starts += known.phase_starts[len(starts) : progress.phase]
    starts += (at,) * (progress.phase - len(starts))
    return progress if starts == progress.phase_starts else replace(progress, phase_starts=starts)
