"""The plugin alerts with a clock that a test sets, and no runner."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from farm import Farm
from plotrun import Event, EventKind
from plotrun.builtin.alerts.desk import Desk
from plotrun.builtin.alerts.kept import Kept
from plotrun.manager import load_plugins
from plotrun.settings.load import load_settings

NOW = 1_800_000_000.0


@dataclass
class SetClock:
    """A clock that shows what a test says."""

    time: float = NOW

    def now(self) -> float:
        return self.time

    async def sleep(self, seconds: float) -> None:
        raise AssertionError("alerts do not wait by this clock")


@dataclass
class Alerts:
    """A desk, open until `close`."""

    desk: Desk
    kept: Kept
    clock: SetClock

    def tell(self, kind: EventKind, job: str | None = "test", **data: Any) -> None:
        self.desk.take(Event(kind, self.clock.time, job, "0000beef", data))

    def fails(self, reason: str = "no reason", job: str | None = "test") -> None:
        self.tell(EventKind.WORKER_FAILED, job, reason=reason, exit_code=1, log_lines="x\ny")

    def delivers(self, seconds: float | None = 3600.0, size: int = 1_000_000) -> None:
        data = {"plot": "/d/p", "plot_id": "ab", "k": 32, "dst": "/d"}
        self.tell(EventKind.PLOT_DELIVERED, size=size, seconds=seconds, **data)


@dataclass
class Office:
    """Opens alerts with the settings of a farm."""

    farm: Farm
    clock: SetClock = field(default_factory=SetClock)

    @contextmanager
    def open(self, section: str, last_words: float = 5.0) -> Iterator[Alerts]:
        """Alerts with what is written in ``[plugins.alerts]``."""
        self.farm.write(rest=f"[plugins.alerts]\n{section}\n")
        settings = load_settings(self.farm.settings, load_plugins().schema())
        kept = Kept(settings.state_of("alerts"), self.clock.now())
        desk = Desk(settings, self.clock, kept)
        desk.open()
        try:
            yield Alerts(desk, kept, self.clock)
        finally:
            desk.close(last_words)

    @property
    def file(self) -> Any:
        return self.farm.state_dir / "plugins" / "alerts" / "alerts.json"
