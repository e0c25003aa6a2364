"""Watching a running plotter: what its log tells, and whether it stands still."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
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
from plotrun.standstill import Standstill, Usage, limit
from plotrun.words import duration_words
from plotrun.worker_record import WorkerRecord

PATIENCE = 20.0
"""Seconds after which a log counts as read again in any case: it may have been cut meanwhile."""
PROGRESS_STEP = 0.01
"""An event tells of progress when it has grown by this much."""


class PlotterWatch:
    """Keeps a worker's record up to what its plotter does."""

    def __init__(self, record: WorkerRecord, job: Job, plotter: Plotter) -> None:
        self.times = TimesOfPlots()
        self.changed = asyncio.Event()
        """A plot has begun or is made, or more is known of how long one takes."""
        self.whole: dict[str, int | None] = {}
        """Ids of plots of which all phases are done, each with its bytes if the log tells."""
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
        self._used: tuple[float, Usage] | None = None
        """What it had used in all when it was looked at last, and when that was."""
        self._told_fraction = 0.0
        self._made_at = record.around.clock.now()
        self._naming: str | None = None
        self.caught_up = record.worker.stage is not Stage.PLOTTING
        """Whether the record says what the log says: not while a log is read anew."""
        self._old = record.worker.progress
        self._backlog = 0
        """Bytes of the log that were there before it was followed: nobody saw when they came."""
        self._read = Progress()
        """What the log has told, when it is read anew, up to where it has been read."""
        self._read_ids: tuple[str, ...] = ()

    async def begin(self, log: Path, resumed: bool) -> None:
        """The log is followed from its beginning now."""
        self._backlog = await asyncio.to_thread(_size, log) if resumed else 0
        self._read = Progress(since=self._record.worker.started_at)
        if not self._backlog:
            self._record.change(progress=self._read)
            self.catch_up()

    def catch_up(self) -> None:
        """From now on the record says what the log says."""
        if not self.caught_up:
            self.caught_up = True
            self.changed.set()
            if self._backlog > 0:  # it was cut meanwhile: what it has told counts
                self._show(self._read, self._read_ids)
            self._around.changed()

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
        self._note_plots(facts)
        if self.caught_up:
            if facts:
                before = self._record.worker.progress
                self._show(*self._advanced(before, self._record.worker.plot_ids, facts, seen_at))
            return
        self._read, self._read_ids = self._advanced(self._read, self._read_ids, facts, seen_at)
        if self._backlog <= 0:
            self._show(self._read, self._read_ids)
            self.catch_up()

    def _note_plots(self, facts: list[Fact]) -> None:
        for fact in facts:
            match fact:
                case PlotNamed(plot_id):
                    self._naming = plot_id
                case PlotTook() if self._naming is not None:
                    self.whole[self._naming] = self.times.of(self._naming).told_bytes
                case CopyFailed():
                    self.copy_failed = True
                case PlotComplete():
                    self.copy_failed = False
                case _:
                    pass
        if any(isinstance(f, PlotStarted | PlotTook | PlotComplete | CopyFailed) for f in facts):
            self.changed.set()

    def _advanced(
        self,
        before: Progress,
        plot_ids: tuple[str, ...],
        facts: list[Fact],
        seen_at: float | None,
    ) -> tuple[Progress, tuple[str, ...]]:
        """Progress and ids of plots after *facts*."""
        named = [fact.plot_id for fact in facts if isinstance(fact, PlotNamed)]
        now = self._plotter.advance(before, facts)
        if now.plots_started != before.plots_started:
            now = replace(now, since=self._begun(now.plots_started, seen_at))
        elif now.plots_complete > before.plots_complete and not now.phase:
            now = replace(now, since=seen_at)  # some plotters do not tell that the next one begins
        now = dated(now, self._old, self._around.clock.now())
        told = self._record.worker.progress.trouble
        if self.caught_up:
            for trouble in dict.fromkeys(fact for fact in facts if isinstance(fact, Trouble)):
                if trouble.text != told:  # it is said again every few minutes
                    kind = str(trouble.kind)
                    self._note(EventKind.PLOTTER_TROUBLE, text=trouble.text, kind=kind)
        return now, tuple(dict.fromkeys((*plot_ids, *named)))

    def _show(self, now: Progress, plot_ids: tuple[str, ...]) -> None:
        """Put it into the record, and tell what has changed."""
        before = self._record.worker.progress
        self._record.change(progress=now, plot_ids=plot_ids)
        if (now.step, now.plots_started) != (before.step, before.plots_started):
            self._around.changed()  # a start may wait for it, or it is the last plot wanted
        if now.phase != before.phase and now.phase:
            self._note(EventKind.PHASE_CHANGED, phase=now.phase)
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
            self._around.store.measured.last, worker.plotter, worker.k, PLOTS_ASKED
        )
        timing = timing_of(self._plotter, plots)
        if worker.timing is not None and not another:
            timing = one_more(worker.timing, timing)
        if timing != worker.timing:
            await self._record.save(timing=timing)

    async def look(self, now: float, children: Mapping[int, Sequence[int]]) -> None:
        """See how much the plotter uses, and whether it stands still for too long.

        *children* are those of every process.
        """
        worker = self._record.worker
        if worker.stage is not Stage.PLOTTING or worker.process is None:
            return
        if now - self._made_at >= PATIENCE:
            self.catch_up()
        directories = [d for d in (worker.tmp_dir, worker.tmp2_dir) if d is not None]
        used = await self._around.disks.used(directories)
        self.times.current.tmp_bytes = max(sum(used), self.times.current.tmp_bytes or 0)
        usage = await asyncio.to_thread(self._around.executor.usage, worker.process, children)
        if usage is not None and usage.stopped:
            self.times.suspended(now)
        self._take_in(used, usage, now)
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

    def _take_in(self, used: Sequence[int], usage: Usage | None, at: float) -> None:
        """Keep what was measured: the next start depends on what this worker will still take."""
        tmp, tmp2 = (*used, 0, 0)[:2]
        memory = usage.memory if usage is not None else 0
        before, self._used = self._used, (at, usage) if usage is not None else None
        cpu = None
        if usage is not None and before is not None and at > before[0]:
            cpu = max(0.0, usage.cpu_seconds - before[1].cpu_seconds) / (at - before[0])
        now = replace(
            self._record.worker.progress,
            tmp_bytes=tmp,
            tmp2_bytes=tmp2,
            memory=memory,
            cpu=cpu,
        )
        self._record.change(progress=now)


def _size(log: Path) -> int:
    return log.stat().st_size if log.exists() else 0
