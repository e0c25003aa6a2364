"""How far a plot is on its whole way, and how long it will still take, by this machine's last ones.

The whole way is from the plotter's first line to the delivered file. A plotter's own scale (its
phases, or a figure that it prints) says little about time; here it is stretched so that each phase
takes the share of the way that it took in the last plots of the same plotter and k.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import accumulate, pairwise
from statistics import median

from plotrun.model import Measured, PlotStage, Stage, Timing, Worker
from plotrun.plotter import Plotter

PLOTS_ASKED = 10
"""The last plots of a plotter and k that are asked: older ones were made under other conditions."""
PLOTS_FOR_TIME_LEFT = 3
DELIVERY_SHARE = 0.05
"""Of the way, until this machine has delivered a plot."""
NOT_DELIVERED = 0.99
"""The most that is shown of a plot that is not delivered."""
PACE_FROM = 0.05
"""The part of the way after which a plot's own pace counts."""


def timing_of(plotter: Plotter, plots: Sequence[Measured]) -> Timing:
    """What the last *plots* tell of the next one of the same plotter and k."""
    shares = plotter.phase_shares
    # No time at all is what is seen of a plot all of whose log came at once.
    seconds = [plot.seconds for plot in plots if plot.seconds]
    deliveries = [plot.delivery_seconds for plot in plots if plot.delivery_seconds is not None]
    phases = [plot.phases for plot in plots if len(plot.phases) == len(shares) and any(plot.phases)]
    if phases:
        parts = [median(plot[number] for plot in phases) for number in range(len(shares))]
        made = sum(parts)
    else:
        made = median(seconds) if seconds else 1.0
        parts = [made * share for share in shares] or [made]
    default = made * DELIVERY_SHARE / (1 - DELIVERY_SHARE)
    way = made + (median(deliveries) if deliveries else default)
    ends = accumulate(shares or [1.0])
    scale = [(min(1.0, end), on / way) for end, on in zip(ends, accumulate(parts), strict=True)]
    scale[-1] = (1.0, made / way)
    whole = [plot.seconds + (plot.delivery_seconds or 0.0) for plot in plots if plot.seconds]
    return Timing(
        plots=len(whole),
        scale=((0.0, 0.0), *scale),
        seconds=(min(whole), median(whole), max(whole)) if whole else None,
        silence=max((plot.longest_silence for plot in plots), default=None),
        usual=median(whole) if whole and not shares else None,
    )


def one_more(timing: Timing, new: Timing) -> Timing:
    """*timing* for the rest of a plot, now that more is known: what is done must not shrink."""
    usual = timing.usual if timing.usual is not None else new.usual
    return replace(new, scale=timing.scale, usual=usual)


def done(worker: Worker, now: float) -> float:
    """How far the worker's current plot is on its way: 1 only when it is delivered."""
    timing = worker.timing or Timing()
    if worker.stage is Stage.PLOTTING:
        return min(
            NOT_DELIVERED,
            max(_stretched(timing, worker.progress.fraction), _by_time(worker, timing, now)),
        )
    if worker.stage in (Stage.FINISHING, Stage.CLEANING, Stage.ENDED) and worker.plots:
        last = worker.plots[-1].stage
        if last in (PlotStage.DELIVERED, PlotStage.POST_COMMAND, PlotStage.DONE):
            return 1.0
        made = timing.scale[-1][1]
        return min(NOT_DELIVERED, made + (1 - made) * worker.progress.copied)
    return 0.0


def _stretched(timing: Timing, fraction: float) -> float:
    for (start, from_), (end, to) in pairwise(timing.scale):
        if fraction <= end:
            return from_ + (to - from_) * (fraction - start) / (end - start)
    return timing.scale[-1][1]


def _by_time(worker: Worker, timing: Timing, now: float) -> float:
    """Of a plotter that tells no phases: by the time that the last plots took."""
    begun = worker.progress.since
    if timing.usual is None or begun is None:
        return 0.0
    return min(timing.scale[-1][1], (now - begun) / timing.usual)


def seconds_left(worker: Worker, now: float) -> tuple[float, float, float] | None:
    """Seconds until the current plot is delivered: least, likely, most.

    By the fastest, the middle and the slowest of the last plots, and by its own pace. None before
    three plots have been made.
    """
    timing, begun = worker.timing, worker.progress.since
    if timing is None or timing.seconds is None or timing.plots < PLOTS_FOR_TIME_LEFT:
        return None
    way = done(worker, now)
    if way == 1.0 or begun is None:
        return None
    least, likely, most = (seconds * (1 - way) for seconds in timing.seconds)
    if way >= PACE_FROM:
        by_pace = (now - begun) * (1 - way) / way
        least, most = min(least, by_pace), max(most, by_pace)
    return least, likely, most
