"""Which points a worker has passed, asked about workers that exist only on paper."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from plotrun import Plot, PlotFormat, PlotStage, PlotWork, Progress, Stage, Worker
from plotrun.marks import passed
from plotrun.model import Timing
from plotrun.settings.job_events import read_mark

NEW = Worker("w", "j", "chia", Stage.CREATED, 0.0)
PLOTTING = replace(NEW, stage=Stage.PLOTTING, started_at=1.0)
FINISHING = replace(PLOTTING, stage=Stage.FINISHING)
FAILED = replace(FINISHING, outcome="failed")


def with_plot(stage: PlotStage, **changes: Any) -> Worker:
    plot = Plot(Path("/p"), "0" * 64, 32, PlotFormat.V1, 1)
    return replace(FINISHING, plots=(PlotWork(1, plot, stage),), **changes)


def at(phase: int, step: int = 0, **more: Any) -> Worker:
    return replace(PLOTTING, progress=Progress(phase, step, **more))


CASES = [
    ("pre started", NEW, replace(NEW, stage=Stage.PRE_COMMAND)),
    ("pre finished", replace(NEW, stage=Stage.PRE_COMMAND), replace(NEW, stage=Stage.PLOTTING)),
    ("pre finished", replace(NEW, stage=Stage.CLEANING, outcome="failed"), PLOTTING),
    ("plotter started", replace(NEW, stage=Stage.PLOTTING), PLOTTING),
    ("plotter finished", at(4, whole=True), FINISHING),
    ("plotter finished", FAILED, replace(FINISHING, stage=Stage.ENDED, outcome="done")),
    ("delivered", with_plot(PlotStage.DELIVERING), with_plot(PlotStage.DELIVERED)),
    ("delivered", with_plot(PlotStage.REJECTED), replace(PLOTTING, plots_forgotten=1)),
    ("post started", with_plot(PlotStage.DELIVERED), with_plot(PlotStage.POST_COMMAND)),
    ("post finished", with_plot(PlotStage.POST_COMMAND), with_plot(PlotStage.DONE)),
    ("worker end", replace(FAILED, stage=Stage.CLEANING), replace(FAILED, stage=Stage.ENDED)),
    ("2 start", at(1, 7), at(2)),
    ("2 start", FAILED, at(3)),
    ("2 end", at(2, 9), at(3)),
    ("2:3 start", at(2, 2), at(2, 3)),
    ("2:3 end", at(2, 3), at(2, 4)),
    ("2:3 end", at(1, 4), at(3)),
    ("4 end", at(4, 9), at(4, 9, whole=True)),
    ("4 end", at(4), at(1, plots_started=2)),
    ("4 end", FAILED, with_plot(PlotStage.FINISHED, outcome="failed")),
    ("1 end", FAILED, FINISHING),
    ("60%", at(0, fraction=0.59), at(0, fraction=0.61)),
    ("60%", FAILED, at(0, plots_started=2)),
    ("96%", FINISHING, with_plot(PlotStage.DELIVERED)),
    ("100%", with_plot(PlotStage.DELIVERING), with_plot(PlotStage.DELIVERED)),
]


@pytest.mark.parametrize(("mark", "before", "after"), CASES)
def test_passed(mark: str, before: Worker, after: Worker) -> None:
    timing = Timing(scale=((0.0, 0.0), (1.0, 0.95)))
    exact = replace(timing, scale=((0.0, 0.0), (0.95, 0.95), (1.0, 0.95)))
    for worker, expected in ((before, False), (after, True)):
        assert passed(read_mark(mark), replace(worker, timing=exact), 0.0) is expected
