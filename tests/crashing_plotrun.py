"""plotrun that kills itself (SIGKILL) at the point that $CRASH names: a program for tests.

``before save 5`` and ``after save 5``: around the first worker's fifth write to the store.
``after spawn plotter``: between starting a process and writing down its number.
``before act 1``, ``after start 2``: around acting on an event between jobs, and around the write
of the second new worker.
``in copy``: in the middle of copying a plot. ``in phase 2``: when the plotter's log says so.
``before intend removal`` and ``after …``: around writing that an old plot is about to be removed;
``… settle removal``: that it has gone; ``… complete removal``: that there is room now.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from typing import Any

from plotrun import copying
from plotrun.cli import main
from plotrun.model import Worker
from plotrun.process import SystemExecutor
from plotrun.store import Store
from plotrun.store.due_events import DueEvents
from plotrun.store.removals import Removals
from plotrun.watching import PlotterWatch

when, what, which = (*os.environ["CRASH"].split(), "")[:3]
saves = 0
first_worker = ""


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def dying_save(save: Callable[..., None]) -> Callable[..., None]:
    def saving(self: Store, *arguments: Any) -> None:
        global saves, first_worker
        (worker,) = (each.id for each in arguments if isinstance(each, Worker))
        first_worker = first_worker or worker
        if worker != first_worker:
            return save(self, *arguments)
        saves += 1
        if when == "before" and saves == int(which):
            die()
        save(self, *arguments)
        if when == "after" and saves == int(which):
            die()
        return None

    return saving


if what == "save":
    for name in ("save_created", "save_worker", "save_delivered", "save_failed", "save_ended"):
        setattr(Store, name, dying_save(getattr(Store, name)))

if what in ("act", "start"):
    owner, name = (DueEvents, "act") if what == "act" else (Store, "save_created")
    function, calls = getattr(owner, name), 0

    def dying_call(*arguments: Any) -> None:
        global calls
        calls += 1
        if when == "before" and calls == int(which):
            die()
        function(*arguments)
        if when == "after" and calls == int(which):
            die()

    setattr(owner, name, dying_call)

if what == "spawn":
    spawn = SystemExecutor.spawn

    async def dying_spawn(self: SystemExecutor, wanted: Any) -> Any:
        process = await spawn(self, wanted)
        if wanted.step.startswith(which):
            die()
        return process

    SystemExecutor.spawn = dying_spawn  # type: ignore[method-assign]

if what == "copy":
    copying.CHUNK = 256 * 1024
    progress = copying.Attempt.progress

    def dying_progress(self: copying.Attempt, copied: int) -> None:
        progress(self, copied)
        if copied > 1_000_000:
            die()

    copying.Attempt.progress = dying_progress  # type: ignore[method-assign]

if what == "phase":
    note = PlotterWatch._note

    def dying_note(self: PlotterWatch, kind: Any, **data: Any) -> None:
        note(self, kind, **data)
        if data.get("phase", 0) >= int(which):
            die()

    PlotterWatch._note = dying_note  # type: ignore[method-assign]

if which == "removal":
    step = getattr(Removals, what)

    def dying_step(self: Removals, *arguments: Any) -> Any:
        if when == "before":
            die()
        step(self, *arguments)
        die()

    setattr(Removals, what, dying_step)

main()
