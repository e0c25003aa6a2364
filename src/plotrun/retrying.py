"""A worker that failed, opened again so that its plots go the rest of their way."""

from __future__ import annotations

from dataclasses import replace

from plotrun.model import PlotStage, PlotWork, Stage, Worker


def reopened(worker: Worker) -> Worker | None:
    """The record with which the life of a failed worker is taken up once more.

    A rejected plot that is still in place is checked and delivered, and where post-commands
    failed they run once more. None: it has no such plot.
    """
    plots = tuple(_once_more(work) for work in worker.plots)
    if plots == worker.plots:
        return None
    return replace(
        worker,
        stage=Stage.FINISHING,
        ended_at=None,
        outcome=None,
        reason=None,
        plots=plots,
        # It makes no more: what it has left is all that it is bound to bring.
        finish_after=worker.plots_seen,
        progress=replace(worker.progress, plots_complete=worker.plots_seen),
    )


def _once_more(work: PlotWork) -> PlotWork:
    if work.stage is PlotStage.REJECTED and work.plot.path.exists():
        return replace(work, stage=PlotStage.FINISHED, waiting=None)
    if work.stage is PlotStage.DONE and work.post not in (None, "ok"):
        return replace(work, stage=PlotStage.DELIVERED, post=None)
    return work
