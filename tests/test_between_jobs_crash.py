"""plotrun is killed around every commit: events come once, and start what they ask for once."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from unittest import mock

import pytest

from farm import Farm
from plotrun import EventKind, Job, Plotter
from plotrun.manager import load_plugins
from plotrun.settings.load import load_settings
from plotrun.simulation.clock import SimulatedLoop
from plotrun.simulation.disks import ENDLESS, FileSystem
from plotrun.simulation.machine import Machine
from plotrun.simulation.plotters import Figures
from plotrun.store import Store
from plotrun.store.database import Database
from simulated import EPOCH, MINUTE
from test_between_jobs import emit, job, write
from test_start_and_emit import emitting, events, more_job

DRIVER = Path(__file__).with_name("crashing_plotrun.py")
ASKED = {"started": 1, "phase-2": 2, "finished": 1, "over": 1, "job-over": 2}
"""Events of the first job, and how many workers of the second each starts."""


def write_jobs(farm: Farm) -> None:
    marks = ["plotter started", "2 start", "plotter finished", "worker end", "job end"]
    tables = [emit(name, at) for name, at in zip(ASKED, marks, strict=True)]
    tables[1]["delay"] = "2m"
    write(
        farm,
        job(farm, "a", plots=1, emit=tables),
        job(farm, "b", start_on=ASKED, max_workers=3, queue=True),
    )


class Killed(KeyboardInterrupt):
    """plotrun dies here: nothing that it does comes after."""


TABLES = ("due_events", "asked_starts")


@contextlib.contextmanager
def killed(after: bool, at: int) -> Iterator[None]:
    """Raise `Killed` before or after the commit of this number that writes to `TABLES`."""
    writing, run = Database.writing, Database.run
    commits, counts = 0, False

    def noting(self: Database, statement: str, *values: object) -> None:
        nonlocal counts
        counts = counts or any(table in statement for table in TABLES)
        run(self, statement, *values)

    @contextlib.contextmanager
    def dying(self: Database) -> Iterator[None]:
        nonlocal commits, counts
        if self._connection.in_transaction:
            yield
            return
        counts = False
        with writing(self):
            yield
            commits += counts
            if counts and commits == at and not after:
                raise Killed
        if counts and commits == at and after:
            raise Killed

    with mock.patch.object(Database, "writing", dying), mock.patch.object(Database, "run", noting):
        yield


def figures(plotter: Plotter, job: Job, number: int) -> Figures:
    sizes = plotter.sizes(job)
    seconds = tuple(10 * MINUTE * share for share in plotter.phase_shares)
    return Figures(seconds, sizes.plot, sizes.tmp)


def simulate_killed(farm: Farm, seconds: float, after: bool, at: int) -> bool:
    """Run the settings of *farm*, killed at that commit and started again: whether it was."""
    machine: Machine | None = None
    store: Store | None = None

    async def run() -> None:
        nonlocal machine, store
        disk = FileSystem("disk", ENDLESS, ENDLESS)
        machine = machine or Machine({farm.root: disk}, figures, EPOCH)
        plugins, store = load_plugins(), Store(farm.state_dir, lasting=False)
        runner = machine.runner(load_settings(farm.settings, plugins.schema()), plugins, store)
        asyncio.get_running_loop().call_at(seconds, runner.stop)
        await runner.run()
        store.close()

    async def bury() -> None:
        """What the dead one was about to do is not done; its plotters go on."""
        mine = {t for t in asyncio.all_tasks() if "SimulatedProcess" not in repr(t.get_coro())}
        mine.discard(asyncio.current_task())  # type: ignore[arg-type]
        for task in mine:
            task.cancel()
        await asyncio.gather(*mine, return_exceptions=True)

    with asyncio.Runner(loop_factory=SimulatedLoop) as loop:
        try:
            with killed(after, at):
                loop.run(run())
        except Killed:
            assert store is not None
            store.close()  # the dead write nothing
            loop.get_loop().set_exception_handler(lambda *_: None)  # how it died is no news
            loop.run(bury())
            loop.run(run())
            return True
    return False


def told(farm: Farm) -> tuple[Counter[str], Counter[str | None]]:
    """How often each event came, and how many workers of each job there were."""
    found = events(farm)
    came = Counter(str(e.data["event"]) for e in found if e.kind is EventKind.JOB_EVENT)
    return came, Counter(e.job for e in found if e.kind is EventKind.WORKER_CREATED)


@pytest.mark.parametrize("after", [False, True])
def test_killed_around_every_commit(tmp_path: Path, after: bool) -> None:
    at, dead = 0, True
    while dead:
        at += 1
        farm = Farm(tmp_path / str(at))
        write_jobs(farm)
        dead = simulate_killed(farm, 45 * MINUTE, after, at)
        came, workers = told(farm)
        assert came == dict.fromkeys(ASKED, 1), at
        assert workers == {"a": 1, "b": sum(ASKED.values())}, at
    assert at > 15, "it was killed in the whole of its run"


@pytest.mark.parametrize("point", ["after act 1", "after start 2"])
def test_killed_in_earnest(farm: Farm, point: str) -> None:
    tables = emitting("made", "plotter finished")
    tables += more_job(farm, "b", "plots = 2\nmax_workers = 2\nstart_on = { made = 2 }")
    farm.write(name="a", plots=1, job=tables)
    crashed = subprocess.run(
        [sys.executable, DRIVER, "--settings", farm.settings, "run", "--until-done"],
        env=os.environ | {"CRASH": point},
        capture_output=True,
        timeout=60,
        check=False,
    )
    assert crashed.returncode == -signal.SIGKILL, crashed.stdout
    assert farm.run_until_done().returncode == 0
    assert told(farm) == ({"made": 1}, {"a": 1, "b": 2})
    assert len(farm.plots()) == 3
    assert farm.leftovers() == []
