"""Watching a running plotter: what its log tells, and whether it stands still."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path

from plotrun.estimate import PLOTS_ASKED, PLOTS_FOR_TIME_LEFT, done, one_more, timing_of
from plotrun.logparser import (
    CopyFailed,
    Fact,
    LogParser,
    PlotComplete,
    PlotNamed,
    PlotStarted,
    PlotTook,
    Trouble,
)
from plotrun.model import EventKind, Job, Progress, Stage
from plotrun.phase_times import dated
from plotrun.plot_times import TimesOfPlots
from plotrun.plotter import Plotter
from plotrun.settings.schema import JobKeys
from plotrun.standstill import Standstill, limit
from plotrun.threads import in_daemon_thread
from plotrun.words import duration_words
from plotrun.workdir import temporary_bytes
from plotrun.worker_record import WorkerRecord

PROGRESS_STEP = 0.01
"""An event tells of progress when it has grown by this much."""


class PlotterWatch:
    """Keeps a worker's record up to what its plotter does."""

    def __init__(self, record: WorkerRecord, job: Job, plotter: Plotter) -> None:
        self.times = TimesOfPlots()
        self.changed = asyncio.Event()
        """A plot has begun or is made, or more is known of how long one takes."""
        self.whole: set[str] = set()
        """Ids of plots of which all phases are done."""
        self.copy_failed = False
        """Whether it cannot bring a plot to its final directory."""
        self.ended_because: str | None = None
        """Why plotrun ended the plotter, if it did."""
        self._record = record
        self._around = record.around
        self._job = job
        self._plotter = plotter
        self._parser = LogParser(plotter.rules)
        self._still = Standstill(record.around.clock.now())
        self._told_fraction = 0.0
        self._naming: str | None = None
        self._old = record.worker.progress
        self._backlog = 0
        """Bytes of the log that were there before it was followed: nobody saw when they came."""

    async def begin(self, log: Path, resumed: bool) -> None:
        """The log is followed from its beginning now."""
        self._backlog = await asyncio.to_thread(_size, log) if resumed else 0
        self._record.change(progress=Progress(since=self._record.worker.started_at))

    def read(self, chunk: bytes) -> None:
        """Take in the next bytes of the log."""
        facts = self._parser.feed(chunk)
        now = self._around.clock.now()
        seen_at = now if self._backlog <= 0 else None
        self._backlog -= len(chunk)
        self.times.take(facts, seen_at)
        self._still.heard(now)
        if self._record.worker.progress.still_since is not None:
            self._record.change(progress=replace(self._record.worker.progress, still_since=None))
        if facts:
            self._note_plots(facts)
            self._advance(facts, seen_at)

    def _note_plots(self, facts: list[Fact]) -> None:
        for fact in facts:
            match fact:
                case PlotNamed(plot_id):
                    self._naming = plot_id
                case PlotTook() if self._naming is not None:
                    self.whole.add(self._naming)
                case CopyFailed():
                    self.copy_failed = True
                case PlotComplete():
                    self.copy_failed = False
                case _:
                    pass
        if any(isinstance(f, PlotStarted | PlotTook | PlotComplete | CopyFailed) for f in facts):
            self.changed.set()

    def _advance(self, facts: list[Fact], seen_at: float | None) -> None:
        before = self._record.worker
        named = [fact.plot_id for fact in facts if isinstance(fact, PlotNamed)]
        now = self._plotter.advance(before.progress, facts)
        plot_ids = tuple(dict.fromkeys((*before.plot_ids, *named)))
        if now.plots_started != before.progress.plots_started:
            now = replace(now, since=self._begun(now.plots_started, seen_at))
            self._around.changed()  # it may be the last one that is wanted
        elif now.plots_complete > before.progress.plots_complete and not now.phase:
            now = replace(now, since=seen_at)  # some plotters do not tell that the next one begins
        if now.step != before.progress.step:
            self._around.changed()  # a start may wait for it
        now = dated(now, self._old, self._around.clock.now())
        self._record.change(progress=now, plot_ids=plot_ids)
        if now.phase != before.progress.phase and now.phase:
            self._note(EventKind.PHASE_CHANGED, phase=now.phase)
        for trouble in dict.fromkeys(fact for fact in facts if isinstance(fact, Trouble)):
            if trouble.text != before.progress.trouble:  # it is said again every few minutes
                self._note(EventKind.PLOTTER_TROUBLE, text=trouble.text, kind=str(trouble.kind))
        way = done(self._record.worker, self._around.clock.now())
        if abs(way - self._told_fraction) >= PROGRESS_STEP:
            self._told_fraction = way
            self._around.tell(self._record.event(EventKind.PROGRESS, fraction=way))

    def _begun(self, number: int, seen_at: float | None) -> float | None:
        """When the plot of this number was begun, if it was seen now or by an earlier plotrun."""
        if seen_at is None and number == self._old.plots_started:
            return self._old.since
        return self._record.worker.started_at if seen_at is None and number == 1 else seen_at

    def _note(self, kind: EventKind, /, **data: object) -> None:
        self._around.note(self._record.event(kind, **data))
        self._around.changed()

    async def learn(self, another: bool) -> None:
        """Take up what the last plots tell; *another*: of a plot that has just begun."""
        worker = self._record.worker
        known = worker.timing.plots if worker.timing is not None else 0
        if known >= PLOTS_FOR_TIME_LEFT and not another:
            return
        plots = await asyncio.to_thread(
            self._around.store.measured, worker.plotter, worker.k, PLOTS_ASKED
        )
        timing = timing_of(self._plotter, plots)
        if worker.timing is not None and not another:
            timing = one_more(worker.timing, timing)
        if timing != worker.timing:
            await self._record.save(timing=timing)

    async def look(self, now: float) -> None:
        """See how much the plotter uses, and whether it stands still for too long."""
        worker = self._record.worker
        if worker.stage is not Stage.PLOTTING or worker.process is None:
            return
        directories = [d for d in (worker.tmp_dir, worker.tmp2_dir) if d is not None]
        used = await in_daemon_thread(lambda: temporary_bytes(directories), "measure")
        self.times.current.tmp_bytes = max(used, self.times.current.tmp_bytes or 0)
        usage = await asyncio.to_thread(self._around.executor.usage, worker.process)
        seconds = self._still.look(now, usage)
        usual = worker.timing.silence if worker.timing else None
        keys = self._job.keys(JobKeys)
        if seconds < limit(keys.stuck_after, usual or self.times.current.longest_silence):
            return
        progress = self._record.worker.progress
        if progress.still_since is None:
            self._record.change(progress=replace(progress, still_since=now - seconds))
            self._note(EventKind.PLOTTER_STUCK, minutes=round(seconds / 60))
        if keys.when_stuck == "restart" and self.ended_because is None:
            self.ended_because = f"the plotter stood still for {duration_words(seconds)}: ended"
            await self._around.executor.end(worker.process)


def _size(log: Path) -> int:
    return log.stat().st_size if log.exists() else 0
