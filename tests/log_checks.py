"""What must hold for every plotter's reading of a log, whatever bytes it is fed."""

from __future__ import annotations

from collections.abc import Iterable

from plotrun import LogParser, Plotter, Progress
from plotrun.analysis.reader import LogReader, tables_of
from plotrun.estimate import NOT_DELIVERED, done, timing_of
from plotrun.logparser import LONGEST_LINE
from plotrun.model import Stage, Worker
from plotrun.plot_times import TimesOfPlots


def check(plotter: Plotter, chunks: Iterable[bytes]) -> Progress:
    """Feed *chunks* to everything that reads a running plotter's log; answers the progress."""
    parser, times, progress = LogParser(plotter.rules), TimesOfPlots(), Progress()
    timing = timing_of(plotter, [])
    for second, chunk in enumerate(chunks):
        facts = parser.feed(chunk)
        times.take(facts, float(second))
        progress = plotter.advance(progress, facts)
        assert 0.0 <= progress.fraction <= 1.0
        assert progress.phase >= 0
        assert len(progress.trouble or "") <= 2000
        worker = Worker("w", "j", "p", Stage.PLOTTING, 0.0, progress=progress, timing=timing)
        assert 0.0 <= done(worker, float(second)) <= NOT_DELIVERED
        assert parser.pending <= LONGEST_LINE
    return progress


def readers(plotters: Iterable[Plotter]) -> LogReader:
    """What ``plotrun analyze`` reads logs of these plotters with."""
    return LogReader(tables_of({p.name: p.finished_log for p in plotters if p.finished_log}))
