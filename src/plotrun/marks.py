"""Whether a worker has passed the point at which its job emits an event.

All is told by the worker's record, so that what is written of an event is written together with
the step that brought it about, and can be found out again after a crash.
"""

from __future__ import annotations

from plotrun.estimate import done
from plotrun.model import PlotStage, Stage, Timing, Worker
from plotrun.settings.job_events import Mark

_WITHOUT_PLOTTER = (Stage.FINISHING, Stage.CLEANING, Stage.ENDED)
_DELIVERED = (PlotStage.DELIVERED, PlotStage.POST_COMMAND, PlotStage.DONE)


def passed(mark: Mark, worker: Worker, now: float) -> bool:
    """Whether *worker* has passed *mark*, for the first time if it makes several plots.

    What was skipped counts as passed. A worker that failed has passed what it had reached.
    """
    if mark.fraction is not None:
        return _way(worker, now) >= mark.fraction
    if mark.phase is not None:
        return _past_phase(mark, mark.phase, worker)
    plots = worker.plots
    match mark.text:
        case "pre started":
            return worker.stage is Stage.PRE_COMMAND or _plotting_begun(worker)
        case "pre finished":
            return _plotting_begun(worker)
        case "plotter started":
            return worker.started_at is not None
        case "plotter finished":
            return _plotter_did_it(worker)
        case "delivered":
            return _delivered(worker)
        case "post started":
            begun = (PlotStage.POST_COMMAND, PlotStage.DONE)
            return bool(worker.plots_forgotten) or any(work.stage in begun for work in plots)
        case "post finished":
            over = any(work.stage is PlotStage.DONE for work in plots)
            return bool(worker.plots_forgotten) or over
        case "worker end":
            return worker.stage is Stage.ENDED
    return False  # the end of the job is not a worker's


def _plotting_begun(worker: Worker) -> bool:
    return worker.stage is Stage.PLOTTING or worker.started_at is not None


def _plotter_did_it(worker: Worker) -> bool:
    return worker.stage in _WITHOUT_PLOTTER and worker.outcome in (None, "done")


def _delivered(worker: Worker) -> bool:
    return bool(worker.plots_forgotten) or any(w.stage in _DELIVERED for w in worker.plots)


def _made(worker: Worker) -> bool:
    """Whether all phases of its first plot are over."""
    progress = worker.progress
    more = progress.whole or progress.plots_complete > 0 or progress.plots_started > 1
    return more or worker.plots_seen > 0 or _plotter_did_it(worker)


def _past_phase(mark: Mark, phase: int, worker: Worker) -> bool:
    if _made(worker):
        return True
    at, step = worker.progress.phase, worker.progress.step
    if mark.step is None:
        return at > phase or (at == phase and not mark.ends)
    return at > phase or (at == phase and step >= mark.step + mark.ends)


def _way(worker: Worker, now: float) -> float:
    """How far its first plot is on its way."""
    if _delivered(worker):
        return 1.0
    if not _made(worker):
        return done(worker, now)
    return max((worker.timing or Timing()).scale[-1][1], done(worker, now))
