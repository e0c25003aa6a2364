"""Room before a start: what runs counts with all that it will still take."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from asked import NOW, At, by_hand, worker
from asked import Asked as AskedOfJob
from farm import Farm
from plotrun import Candidate, Memory, Plot, PlotFormat, PlotStage, PlotWork, Progress, Sizes, Stage
from plotrun.holds import hold_of
from plotrun.manager import Plugins
from plotrun.model import JobState, Worker
from plotrun.rooms import Look, Promise, still_to_take
from plotrun.space import Disk

GIB = 2**30
A, B = Path("/mnt/a"), Path("/mnt/b")
K32 = Sizes(plot=101 * GIB, tmp=239 * GIB, apart=(239 * GIB, 101 * GIB))


def plotter(
    used: int = 0, used2: int = 0, tmp: Path = A, tmp2: Path | None = None, **changes: Any
) -> Worker:
    """A worker of a k=32 plot that has taken so many GiB."""
    own = replace(worker(tmp=tmp), tmp2_dir=tmp2 / "plotrun-w" if tmp2 else None, sizes=K32)
    progress = replace(own.progress, tmp_bytes=used * GIB, tmp2_bytes=used2 * GIB)
    return replace(own, **{"progress": progress} | changes)


def made(stage: PlotStage = PlotStage.FINISHED, size: int = 101 * GIB) -> PlotWork:
    plot = Plot(A / "plotrun-w" / "finished" / "x.plot", "0" * 64, 32, PlotFormat.V1, size)
    return PlotWork(1, plot, stage)


KEEPS = {"plots_wanted": 0, "keeps_plots_in": A / "plotrun-w" / "finished"}


@pytest.mark.parametrize(
    ("who", "here", "gib"),
    [
        (plotter(), {A}, 239),
        (plotter(100), {A}, 139),
        (plotter(250), {A}, 0),
        (plotter(100), {B}, 0),
        (plotter(stage=Stage.FINISHING), {A}, 0),
        (replace(plotter(), sizes=None), {A}, 0),
        (plotter(101, progress=Progress(whole=True, tmp_bytes=101 * GIB)), {A}, 0),
        (plotter(progress=Progress(plots_started=1, plots_complete=1)), {A}, 0),
        (plotter(100, 20, tmp2=B), {A}, 139),
        (plotter(100, 20, tmp2=B), {B}, 81),
        (plotter(100, 20, tmp2=B), {A, B}, 119),
        (plotter(100, 20, tmp2=A), {A}, 119),
        (plotter(0, 0, tmp2=B, dst=B), {B}, 0),
        (plotter(100, **KEEPS), {A}, 139 + 101),
        (plotter(100, **KEEPS, plots=(made(),)), {A}, 139),
        (plotter(100, **KEEPS, plots=(made(size=60 * GIB),)), {A}, 139 + 41),
        (plotter(100, **KEEPS, plots=(made(PlotStage.DELIVERED),)), {A}, 139 + 101),
        (plotter(100, **KEEPS, finish_after=1), {A}, 139),
        (plotter(100, **KEEPS | {"plots_wanted": 2}), {A}, 139 + 101),
        (replace(by_hand(A), sizes=K32), {A}, 239),
    ],
)
def test_what_a_worker_will_still_take(who: Worker, here: set[Path], gib: int) -> None:
    assert still_to_take(who, here) == gib * GIB


# The plugin


class Asked(AskedOfJob):
    def rejects(self, second: bool = False, **facts: Any) -> str | None:
        """Why the job's tmp directory is rejected, with these figures in GiB."""
        count = facts.pop("takers", 0)
        figures = {name: gib * GIB for name, gib in facts.items()}
        candidate = Candidate(A, 0, takers=count, **figures)
        _, reasons = self.plugins.left_by_filters(
            "plotrun_filter_tmp",
            [candidate],
            job=self.job,
            second=second,
            workers=[],
            settings=self.settings,
        )
        return reasons.get(A)

    def memory(self, available: int, needed: int | None, **facts: int) -> str | None:
        """Why the job is held, with so many GiB of memory."""
        memory = Memory(available * GIB, None if needed is None else needed * GIB, **facts)
        state = JobState(self.job.name)
        hold = hold_of(self.plugins, self.settings, self.job, state, [], At(NOW), memory=memory)
        return hold.reason if hold else None


@pytest.mark.parametrize("second", [False, True])
def test_the_reason_in_words(farm: Farm, second: bool) -> None:
    asked = Asked(farm)
    said = "180.0 GiB free, 239.0 GiB needed and 120.0 GiB still to be taken by 1 worker"
    assert asked.rejects(second, free=180, needed=239, expected=120, takers=1) == said
    assert asked.rejects(second, free=238, needed=239) == "238.0 GiB free and 239.0 GiB needed"
    said = "400.0 GiB free, 239.0 GiB needed and 162.0 GiB promised to plots on their way"
    assert asked.rejects(second, free=400, needed=239, promised=162) == said
    assert asked.rejects(second, free=401, needed=239, promised=162) is None
    assert asked.rejects(second, free=359, needed=239, expected=120, takers=2) is None


def test_margins_of_all_and_of_single_directories(farm: Farm) -> None:
    margin = '[plugins.room]\ntmp_margin = "10GiB"\n'
    said = "248.0 GiB free, 239.0 GiB needed and 10.0 GiB to stay free"
    assert Asked(farm, margin).rejects(free=248, needed=239) == said
    assert Asked(farm, margin).rejects(free=249, needed=239) is None
    own = f'{margin}[plugins.room.tmp."{A}"]\nmargin = "0GiB"\n'
    assert Asked(farm, own).rejects(free=239, needed=239) is None
    assert Asked(farm, margin, check_room=False).rejects(free=1, needed=239) is None


def test_memory_for_one_more(farm: Farm) -> None:
    asked = Asked(farm, '[plugins.room]\nmemory_margin = "1GiB"\n')
    assert asked.memory(5, 4) is None
    said = "memory: 4.0 GiB free, 4.0 GiB needed and 1.0 GiB to stay free"
    assert asked.memory(4, 4) == said
    assert asked.memory(4, None) is None
    taken = {"expected": 2 * GIB, "takers": 2}
    assert asked.memory(7, 4, **taken) is None
    said = "6.0 GiB free, 4.0 GiB needed, 2.0 GiB still to be taken by 2 workers and 1.0 GiB to"
    assert said in (asked.memory(6, 4, **taken) or "")
    assert Asked(farm, check_room=False).memory(0, 4) is None


# Never too many, never too few


class Tmp:
    """File systems and the plotters on them, of which each may take anything up to its most."""

    def __init__(self, plugins: Plugins, asked: Asked, sizes: Sizes, total: list[int]) -> None:
        self.asked, self.sizes, self.total = asked, sizes, total
        self.workers: list[Worker] = []
        self.lying = [0] * len(total)
        """Bytes of finished plots of workers that have ended."""

    def most(self, own: Worker, at: int) -> int:
        """What a worker may come to take, by its directories: not by what it uses now."""
        dirs = [own.tmp_dir, own.tmp2_dir]
        here = [d is not None and d.parent == self.path(at) for d in dirs]
        if all(here) or (here[0] and dirs[1] is None):
            most = self.sizes.tmp
        else:
            apart = self.sizes.apart or (self.sizes.tmp, self.sizes.tmp)
            most = sum(apart[n] for n in (0, 1) if here[n])
        keeps = own.keeps_plots_in is not None and own.keeps_plots_in.parents[1] == self.path(at)
        return most + (self.sizes.plot if keeps else 0)

    def path(self, at: int) -> Path:
        return Path(f"/fs{at}")

    def used(self, at: int) -> int:
        total = self.lying[at]
        for own in self.workers:
            for directory, used in (
                (own.tmp_dir, own.progress.tmp_bytes),
                (own.tmp2_dir, own.progress.tmp2_bytes),
            ):
                if directory is not None and directory.parent == self.path(at):
                    total += used
            if own.keeps_plots_in is not None and own.keeps_plots_in.parents[1] == self.path(at):
                total += sum(work.plot.size for work in own.plots)
        return total

    def look(self) -> Look:
        paths = [self.path(at) for at in range(len(self.total))]
        disks = {
            path: Disk(path, device=at, free=self.total[at] - self.used(at), total=self.total[at])
            for at, path in enumerate(paths)
        }
        return Look(disks, {path: at for at, path in enumerate(paths)}, {}, self.workers, {})

    def fits_by_rule(self, new: Worker, at: int) -> bool:
        """Whether all may take their most at the same time."""
        mine = sum(self.most(each, at) for each in [*self.workers, new])
        extra = sum(
            max(0, sum(work.plot.size for work in own.plots) - self.sizes.plot)
            for own in self.workers
            if own.keeps_plots_in is not None and own.keeps_plots_in.parents[1] == self.path(at)
        )
        return mine + self.lying[at] + extra <= self.total[at]

    def may_start(self, new: Worker, at: int) -> bool:
        def needed(disk: Disk) -> int:
            return still_to_take(new, {disk.path})

        (candidate,) = self.look().temporary([self.path(at)], False, needed)
        _, rejected = self.asked.plugins.left_by_filters(
            "plotrun_filter_tmp",
            [candidate],
            job=self.asked.job,
            second=False,
            workers=[],
            settings=self.asked.settings,
        )
        return not rejected

    def change(self, number: int, **changes: Any) -> None:
        self.workers[number] = replace(self.workers[number], **changes)


@given(data=st.data())
def test_never_starts_what_does_not_fit_and_never_holds_what_does(data: st.DataObject) -> None:
    sizes = data.draw(
        st.sampled_from(
            [
                Sizes(40, 100),
                Sizes(40, 100, (80, 50)),
                Sizes(100, 100, (100, 0)),
                Sizes(10, 200, (0, 200)),
            ]
        )
    )
    total = data.draw(st.lists(st.integers(0, 900), min_size=1, max_size=2))
    world = Tmp(SHARED.plugins, SHARED, sizes, total)
    for number in range(data.draw(st.integers(1, 25))):
        what = data.draw(st.sampled_from(["start", "start", "grow", "finish", "bring"]))
        if what == "start":
            _start(data, world, number)
        elif what == "bring" and any(world.lying):
            world.lying = [0] * len(total)
        elif world.workers:
            at = data.draw(st.integers(0, len(world.workers) - 1))
            (_grow if what == "grow" else _finish)(data, world, at)
        for at, most in enumerate(total):
            assert world.used(at) <= most, "a file system overflows"


def _start(data: st.DataObject, world: Tmp, number: int) -> None:
    systems = range(len(world.total))
    tmp = data.draw(st.sampled_from(systems))
    tmp2 = data.draw(st.sampled_from([None, *systems]))
    several = data.draw(st.booleans())
    own = f"plotrun-{number}"
    new = Worker(
        id=str(number),
        job="test",
        plotter="chia",
        stage=Stage.PLOTTING,
        created_at=0.0,
        tmp_dir=world.path(tmp) / own,
        tmp2_dir=None if tmp2 is None else world.path(tmp2) / own,
        sizes=world.sizes,
        plots_wanted=0 if several else 1,
        keeps_plots_in=world.path(tmp) / own / "finished" if several else None,
    )
    checks = {tmp} if tmp2 is None else {tmp, tmp2}
    may = all(world.may_start(new, at) for at in checks)
    assert may == all(world.fits_by_rule(new, at) for at in checks)
    if may:
        world.workers.append(new)


def _grow(data: st.DataObject, world: Tmp, number: int) -> None:
    own, sizes = world.workers[number], world.sizes
    if own.tmp2_dir is None:
        used = (data.draw(st.integers(0, sizes.tmp)), 0)
    elif own.tmp_dir is not None and own.tmp2_dir.parent == own.tmp_dir.parent:
        first = data.draw(st.integers(0, sizes.tmp))
        used = (first, data.draw(st.integers(0, sizes.tmp - first)))
    else:
        apart = sizes.apart or (sizes.tmp, sizes.tmp)
        used = (data.draw(st.integers(0, apart[0])), data.draw(st.integers(0, apart[1])))
    progress = replace(own.progress, tmp_bytes=used[0], tmp2_bytes=used[1])
    world.change(number, progress=progress)


def _finish(data: st.DataObject, world: Tmp, number: int) -> None:
    """The plot under way is finished; one that goes on has had the last one brought away."""
    own = world.workers[number]
    assert own.tmp_dir is not None
    at = int(own.tmp_dir.parent.name.removeprefix("fs"))
    room = max(own.progress.tmp_bytes, own.progress.tmp2_bytes)
    size = min(world.sizes.plot, room)  # it grew where its temporary files were
    if own.keeps_plots_in is None:
        del world.workers[number]
        if own.tmp2_dir is None or own.tmp2_dir.parent == own.tmp_dir.parent:
            world.lying[at] += size
        return
    work = replace(made(size=world.sizes.plot), number=1)
    world.change(number, plots=(work,), progress=Progress())


@pytest.fixture(scope="module", autouse=True)
def shared_settings(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Reading settings takes longer than asking them a thousand times."""
    global SHARED
    SHARED = Asked(Farm(tmp_path_factory.mktemp("room")))


SHARED: Asked


def test_promises_and_plotters_share_a_file_system() -> None:
    disks = {A: Disk(A, 1, 1000, 1000), B: Disk(B, 1, 1000, 1000)}
    small = replace(plotter(), sizes=Sizes(100, 300))
    look = Look(disks, {A: 1}, {}, [small], {"x/1": Promise(1, B, 100), "y/1": Promise(2, B, 7)})
    a, b = look.temporary([A, B], False, lambda _: 5)
    for candidate in (a, b):
        found = (candidate.promised, candidate.expected, candidate.takers, candidate.needed)
        assert found == (100, 300, 1, 5)
        assert candidate.room == 600
    a, b = look.destinations([A, B], 100, source=A)
    assert (a.needed, b.needed) == (0, 0), "a rename takes no room"
    (b,) = look.destinations([B], 100, without="x/1", more=[Promise(1, A, 9)])
    assert (b.needed, b.promised) == (100, 9)


def test_paths_that_do_not_answer_share_with_nobody() -> None:
    disks = {A: Disk(A, trouble="not answering"), B: Disk(B, 1, 1000, 1000)}
    look = Look(disks, {A: None}, {}, [plotter()], {"x/1": Promise(None, A, 100)})
    assert [c.expected for c in look.temporary([A, B], False, lambda _: 0)] == [239 * GIB, 0]
    assert [c.promised for c in look.destinations([A, B], 0)] == [100, 0]
