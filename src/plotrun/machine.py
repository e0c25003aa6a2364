"""How busy this machine is: its processors and its memory."""

from __future__ import annotations

import os
from dataclasses import dataclass

import psutil


@dataclass(frozen=True)
class Machine:
    """This machine at one moment."""

    cpus: int
    """Processors, as the operating system counts them."""
    load: float | None
    """Processes that ran or waited for a processor or a disk, in the mean of the last minute."""
    cpu: float | None
    """The part of all processors that was in use since the last look; None at the first."""
    memory_total: int
    memory_available: int
    """Bytes that programs could have now."""


class MachineWatch:
    """Looks at this machine again and again."""

    def __init__(self) -> None:
        self._before: tuple[float, float] | None = None

    def look(self) -> Machine:
        """This machine now."""
        times = psutil.cpu_times()
        idle = times.idle + getattr(times, "iowait", 0.0)
        # Linux counts the time of guests as time of users as well.
        total = sum(times) - getattr(times, "guest", 0.0) - getattr(times, "guest_nice", 0.0)
        before, self._before = self._before, (total, idle)
        cpu = None
        if before is not None and total > before[0]:
            cpu = min(1.0, max(0.0, 1 - (idle - before[1]) / (total - before[0])))
        memory = psutil.virtual_memory()
        return Machine(
            cpus=psutil.cpu_count() or 1,
            load=os.getloadavg()[0] if hasattr(os, "getloadavg") else None,
            cpu=cpu,
            memory_total=memory.total,
            memory_available=memory.available,
        )
