"""How long the plots of one process take, gathered from its log while it is read."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from plotrun.logparser import (
    Fact,
    PhaseTook,
    PlotComplete,
    PlotNamed,
    PlotStarted,
    PlotTook,
    SizesTold,
)


@dataclass
class PlotTimes:
    """Of one plot. Times are seconds; None is what the log does not tell and nobody has seen."""

    begun_at: float | None = None
    """Seconds since the epoch."""
    made_at: float | None = None
    """When all phases were done, seconds since the epoch."""
    seconds: float | None = None
    """All phases together."""
    copy_seconds: float | None = None
    """From the end of the phases until the plotter had brought the file to its place."""
    phases: dict[int, float] = field(default_factory=dict)
    longest_silence: float = 0.0
    """Between two lines of the log."""
    tmp_bytes: int | None = None
    """The most that its temporary files were seen to take."""
    told_bytes: int | None = None
    """Bytes of the finished file, by the log."""
    told_tmp_bytes: int | None = None
    """Bytes of temporary space, by the log."""

    @property
    def phase_seconds(self) -> tuple[float, ...]:
        """Of each phase from the first on; empty unless all of them are known."""
        numbers = range(1, len(self.phases) + 1)
        return tuple(self.phases.get(number, 0.0) for number in numbers)


class TimesOfPlots:
    """Takes the facts of a log as they come, and times them by the clock when they come live."""

    def __init__(self) -> None:
        self.current = PlotTimes()
        self._by_id: dict[str, PlotTimes] = {}
        self._last: PlotTimes | None = None
        self._heard_at: float | None = None

    def take(self, facts: Iterable[Fact], now: float | None) -> None:
        """Facts read now; *now* is None if the lines are older than that."""
        self.heard(now)
        for fact in facts:
            match fact:
                case PlotStarted():
                    self.current = PlotTimes(begun_at=now)
                case PlotNamed(plot_id):
                    self._by_id[plot_id] = self.current
                case PhaseTook(phase, seconds):
                    self.current.phases[phase] = seconds
                case SizesTold(plot, tmp):
                    self.current.told_bytes = plot or self.current.told_bytes
                    self.current.told_tmp_bytes = tmp or self.current.told_tmp_bytes
                case PlotTook(seconds):
                    self.current.seconds, self.current.made_at = seconds, now
                case PlotComplete(plot_id):
                    complete = self._by_id.get(plot_id or "", self.current)
                    _complete(complete, now)
                    if complete is self.current:  # some plotters do not tell that the next begins
                        self._last, self.current = complete, PlotTimes(begun_at=now)
                case _:
                    pass

    def heard(self, now: float | None) -> None:
        """The log has grown."""
        if now is not None and self._heard_at is not None:
            silence = now - self._heard_at
            self.current.longest_silence = max(self.current.longest_silence, silence)
        self._heard_at = now

    def suspended(self, now: float) -> None:
        """It is silent because somebody wished it."""
        if self._heard_at is not None:
            self._heard_at = now

    def of(self, plot_id: str) -> PlotTimes:
        """The times of a finished plot; of the last one, if the plotter does not tell ids."""
        return self._by_id.get(plot_id, self._last or self.current)

    def forget(self, plot_id: str) -> None:
        """The plot is delivered: a process may make thousands."""
        self._by_id.pop(plot_id, None)


def _complete(times: PlotTimes, now: float | None) -> None:
    if now is None:
        return
    if times.seconds is None and times.begun_at is not None:
        times.seconds = now - times.begun_at
    elif times.made_at is not None:
        times.copy_seconds = now - times.made_at
