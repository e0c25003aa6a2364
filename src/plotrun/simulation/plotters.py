"""Plotters as the simulation has them: the real ones, but for their program and their log.

What a plotter says is told in a language of the simulation's own, so that one program can stand
for all of them; its keys, sizes, directories and manners stay.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from plotrun.logparser import (
    CopyFailed,
    FractionDone,
    PhaseStarted,
    PhaseTook,
    PlotComplete,
    PlotNamed,
    PlotStarted,
    PlotTook,
    Rule,
    StepStarted,
    Trouble,
    log_words,
)
from plotrun.plotter import Plotter, Run

USUAL_STEPS = (7, 6, 6, 2)
"""Steps of the phases of a plotter that does not state them: those of chia."""

RULES = (
    Rule(rb"plot (\w+)", lambda m: (PlotStarted(), PlotNamed(m[1].decode()))),
    Rule(rb"phase (\d+) took (\S+)", lambda m: PhaseTook(int(m[1]), float(m[2]))),
    Rule(rb"phase (\d+)", lambda m: PhaseStarted(int(m[1]))),
    Rule(rb"step (\d+) (\S+)", lambda m: (StepStarted(int(m[1])), FractionDone(float(m[2])))),
    Rule(rb"took (\S+)", lambda m: PlotTook(float(m[1]))),
    Rule(rb"complete (\w+)", lambda m: PlotComplete(m[1].decode())),
    Rule(rb"copy failed: .*", lambda m: CopyFailed(log_words(m[0]))),
    Rule(rb"error: .*", lambda m: Trouble(log_words(m[0]))),
)


@dataclass(frozen=True)
class Figures:
    """What one plot takes when nothing else uses its disks."""

    phases: tuple[float, ...]
    """Seconds of each phase; one figure for a plotter without phases."""
    plot: int
    """Bytes of the finished file."""
    tmp: int
    """Bytes of temporary space at its highest."""
    traffic: int = 0
    """Bytes written to and read from the temporary directories, together."""
    exit_code: int = 0
    """Not 0: it fails once its time is over, and leaves no plot."""


@dataclass(frozen=True)
class Step:
    """A part of a plot's way."""

    phase: int
    """0: the plotter has no phases."""
    number: int
    """Within its phase, from 1."""
    fraction: float
    """How much of the plot is done at its beginning, on the plotter's own scale."""
    seconds: float
    share: float
    """Of the plot's time."""
    last: bool
    """Whether its phase ends with it."""


def steps_of(plotter: Plotter, figures: Figures) -> Iterator[Step]:
    """The way of a plot, step by step: those of a phase take the same time."""
    phases, whole = figures.phases, sum(figures.phases) or 1.0
    shares = plotter.phase_shares
    if not shares:
        for number in range(10):
            yield Step(0, number + 1, number / 10, phases[0] / 10, 0.1, False)
        return
    usual = USUAL_STEPS if len(shares) == len(USUAL_STEPS) else (1,) * len(shares)
    counts = plotter.phase_steps or usual
    before = 0.0
    for phase, (seconds, share, count) in enumerate(zip(phases, shares, counts, strict=True), 1):
        for number in range(count):
            part = seconds / count
            fraction = before + share * number / count
            last = number == count - 1
            yield Step(phase, number + 1, fraction, part, part / whole, last)
        before += share


def simulated(plotter: Plotter, begin: Callable[[Plotter, Run], str]) -> Plotter:
    """*plotter* with the simulation's program and log.

    *begin* is told of each process that is about to be started, and answers a name for it.
    """
    own = copy.copy(plotter)
    members = {
        "rules": RULES,
        "finished_log": None,
        "command": lambda self, job: "simulated",
        "arguments": lambda self, run: [begin(plotter, run)],
        "advance": Plotter.advance,
    }
    own.__class__ = type(f"Simulated{type(plotter).__name__}", (type(plotter),), members)
    return own
