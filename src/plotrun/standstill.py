"""Whether a plotter stands still: neither its log grows nor does it use the CPU."""

from __future__ import annotations

from dataclasses import dataclass

LEAST_LIMIT = 15 * 60.0
"""Seconds that a plotter may stand still in any case, unless the settings say less."""
TIMES_USUAL = 10
"""How many times the usual silence it may last."""
LONGEST_PAUSE = 300.0
"""Seconds between two looks after which nothing is known of the time between."""
BUSY = 0.01
"""The part of a core below which a process counts as standing still."""


@dataclass(frozen=True)
class Usage:
    """What a process and its children have used so far."""

    cpu_seconds: float
    stopped: bool
    """Whether it was suspended: then it stands still because somebody wished it."""
    memory: int = 0
    """Bytes of memory that they hold."""


class Standstill:
    """Watches one plotter."""

    def __init__(self, now: float) -> None:
        self._moved_at = now
        self._looked_at = now
        self._cpu_seconds = 0.0

    def heard(self, now: float) -> None:
        """Its log has grown."""
        self._moved_at = now

    def look(self, now: float, usage: Usage | None) -> float:
        """Seconds for which it has stood still; *usage* is None if its process has gone."""
        if usage is not None:
            busy = usage.cpu_seconds - self._cpu_seconds > BUSY * (now - self._looked_at)
            if busy or usage.stopped:
                self._moved_at = now
            self._cpu_seconds = usage.cpu_seconds
        if not 0 <= now - self._looked_at <= LONGEST_PAUSE or now < self._moved_at:
            self._moved_at = now  # the machine slept, or its clock was set
        self._looked_at = now
        return now - self._moved_at


def limit(setting: float | None, usual_silence: float | None) -> float:
    """Seconds after which a plotter that stands still is stuck."""
    return max(LEAST_LIMIT, TIMES_USUAL * (usual_silence or 0.0)) if setting is None else setting
