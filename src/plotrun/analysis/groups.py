"""Plots in groups, with the median, best and worst of their durations."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import zip_longest

from plotrun.analysis.plots import FinishedPlot

Value = str | int | None

BY: Mapping[str, Callable[[FinishedPlot], Value]] = {
    "plotter": lambda plot: plot.plotter,
    "k": lambda plot: plot.k,
    "tmp": lambda plot: plot.tmp,
    "tmp2": lambda plot: plot.tmp2,
    "dst": lambda plot: plot.dst,
    "threads": lambda plot: plot.threads,
    "buckets": lambda plot: plot.buckets,
    "date": lambda plot: plot.started[:10] if plot.started else None,
}
"""What plots can be grouped by. The date is the day on which a plot was begun."""

DEFAULT_BY = ("plotter", "k", "tmp", "threads")


@dataclass(frozen=True)
class Spread:
    """Seconds: the middle one, the shortest and the longest."""

    median: float
    best: float
    worst: float


@dataclass(frozen=True)
class Group:
    """Plots that are alike. A duration that no log of them tells is None."""

    by: Mapping[str, Value]
    """What they have in common."""
    plots: int
    phases: tuple[Spread | None, ...]
    copy: Spread | None
    total: Spread | None


def group(plots: Iterable[FinishedPlot], by: Sequence[str]) -> list[Group]:
    """*plots* in groups that have the same values *by* (names of `BY`), ordered by these."""
    alike: dict[tuple[Value, ...], list[FinishedPlot]] = {}
    for plot in plots:
        alike.setdefault(tuple(BY[name](plot) for name in by), []).append(plot)
    return [
        _group(dict(zip(by, key, strict=True)), alike[key]) for key in sorted(alike, key=_order)
    ]


def spread(seconds: Iterable[float | None]) -> Spread | None:
    """The spread of what is known of *seconds*, or None."""
    known = sorted(second for second in seconds if second is not None)
    if not known:
        return None
    half = len(known) // 2
    median = known[half] if len(known) % 2 else (known[half - 1] + known[half]) / 2
    return Spread(round(median, 6), known[0], known[-1])


def _group(by: Mapping[str, Value], plots: Sequence[FinishedPlot]) -> Group:
    return Group(
        by=by,
        plots=len(plots),
        phases=tuple(spread(phase) for phase in zip_longest(*(plot.phases for plot in plots))),
        copy=spread(plot.copy for plot in plots),
        total=spread(plot.total for plot in plots),
    )


def _order(key: Sequence[Value]) -> list[tuple[int, int, str]]:
    """Numbers by their size, words by the alphabet, the unknown last."""
    return [
        (2, 0, "") if value is None else (0, value, "") if isinstance(value, int) else (1, 0, value)
        for value in key
    ]
