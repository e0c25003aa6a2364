"""Whether destinations take one more plot, beside those that are under way."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from asked import Asked, worker
from farm import Farm
from plotrun import Job, Sizes, Stage, Worker
from plotrun.clock import SystemClock
from plotrun.delivery import Deliveries
from plotrun.farm.farm import Farms
from plotrun.farm.inventories import Inventories
from plotrun.finished_plot import promise_key, promises_of
from plotrun.model import Plot, PlotFormat, PlotStage, PlotWork, Progress
from plotrun.rooms import Promise, Rooms, no_room_to_go_on
from plotrun.space import Disk, Disks
from plotrun.store import Store
from plotrun.under_way import ToCome, no_room_for_another, plots_to_come

A, B, C, TMP = (Path(f"/mnt/{name}") for name in ("a", "b", "c", "tmp"))


class PaperDisks(Disks):
    """File systems that exist only on paper, each with one directory."""

    def __init__(self, free: dict[Path, int]) -> None:
        super().__init__()
        self.free = free
        self.same: dict[Path, Path] = {}
        self.meanwhile: Callable[[], object] = lambda: None
        """What happens while the disks are asked."""

    async def ask(self, paths: Sequence[Path]) -> list[Disk]:
        found = []
        self.meanwhile()
        for path in paths:
            place = self.same.get(path, path)
            if place in self.free:
                device = list(self.free).index(place)
                found.append(Disk(path, device, self.free[place], 1 << 50))
            else:
                found.append(Disk(path, trouble="missing"))
        return found


class World:
    """A job, its plotters, and disks on paper."""

    def __init__(self, asked: Asked, store: Store, free: dict[Path, int]) -> None:
        self.workers: list[Worker] = []
        self.jobs = {"test": replace(asked.job, dst=tuple(path for path in free if path != TMP))}
        self.disks = PaperDisks(free)
        self.rooms = Rooms(self.disks, store, lambda: self.workers)
        clock, inventories = SystemClock(), Inventories(store, 1)
        farms = Farms(store, clock, inventories, Path, lambda _: None, lambda: self.workers)
        self.deliveries = Deliveries(asked.plugins, self.rooms, farms, lambda: asked.settings)

    def job_of(self, who: Worker) -> Job | None:
        return self.jobs.get(who.job)

    def plots(self, count: int = 1, job: str = "test", size: int = 100, tmp: Path = TMP) -> None:
        """Let a plotter run that is to make so many plots."""
        self.workers.append(
            replace(
                worker(job, tmp=tmp),
                id=str(len(self.workers)),
                plots_wanted=count,
                plot_size=size,
                final_dir=tmp / f"plotrun-{len(self.workers)}" / "finished",
            )
        )

    def refusal(self, job: str = "test", size: int = 100, source: Path | None = TMP) -> str | None:
        another = ToCome(self.jobs[job], size, source)
        full = asyncio.run(no_room_for_another(self.deliveries, self.job_of, another))
        return None if full is None else full.words


@pytest.fixture(scope="module")
def asked(tmp_path_factory: pytest.TempPathFactory) -> Asked:
    return Asked(Farm(tmp_path_factory.mktemp("under_way")))


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    return Store(tmp_path_factory.mktemp("state"))


@given(
    free=st.lists(st.integers(0, 700), min_size=1, max_size=4),
    counts=st.lists(st.integers(1, 3), max_size=5),
    promised=st.lists(st.integers(0, 3), max_size=3),
)
def test_one_more_is_made_exactly_while_there_is_room_for_it(
    asked: Asked, store: Store, free: list[int], counts: list[int], promised: list[int]
) -> None:
    paths = [Path(f"/mnt/{number}") for number in range(len(free))]
    world = World(asked, store, {TMP: 0} | dict(zip(paths, free, strict=True)))
    left = list(free)
    for number, at in enumerate(promised):
        if at < len(free):
            world.rooms.promises[f"other/{number}"] = Promise(at + 1, paths[at], 100)
            left[at] -= 100
    for count in counts:
        world.plots(count)
    room = sum(max(0, each) // 100 for each in left)
    assert (world.refusal() is None) == (room > sum(counts))


def test_plots_with_less_choice_are_given_room_first(asked: Asked, store: Store) -> None:
    world = World(asked, store, {TMP: 0, A: 100, B: 100})
    world.jobs["a only"] = replace(world.jobs["test"], name="a only", dst=(A,))
    world.plots()
    world.plots(job="a only")
    assert world.refusal("a only") is not None
    assert world.refusal() is not None
    world.workers.pop(0)
    assert world.refusal() is None, "B is left for it"
    assert world.refusal("a only") is not None


def test_large_room_is_left_for_large_plots(asked: Asked, store: Store) -> None:
    world = World(asked, store, {TMP: 0, A: 100, B: 250, C: 120})
    world.plots()
    world.plots()
    assert world.refusal(size=250) is None
    world.plots()
    assert world.refusal(size=250) is not None
    assert world.refusal(size=150) is None


def test_the_reason_names_each_destination(asked: Asked, store: Store) -> None:
    world = World(asked, store, {TMP: 0, A: 150})
    world.plots()
    said = f"{A}: full (150 B free, 100 B promised, 100 B needed)"
    assert world.refusal() == said


def test_plots_that_lie_on_their_destination_take_no_room(asked: Asked, store: Store) -> None:
    world = World(asked, store, {TMP: 0, A: 0})
    world.disks.same = {TMP: A}
    world.plots()
    assert world.refusal() is None
    assert world.refusal(source=C) is not None


def test_plotters_by_hand_bring_their_plots_too(asked: Asked, store: Store) -> None:
    world = World(asked, store, {TMP: 0, A: 150})
    assert world.refusal() is None
    by_hand = replace(worker(""), final_dir=A, dst=A, sizes=Sizes(100, 1))
    world.workers.append(by_hand)
    assert world.refusal() is not None


def test_what_arrives_while_disks_are_asked_counts_twice_and_never_not_at_all(
    asked: Asked, store: Store
) -> None:
    world = World(asked, store, {TMP: 0, A: 100})
    promises = world.rooms.promises
    promises["w/1"] = Promise(1, A, 60)

    def meanwhile() -> None:
        promises.pop("w/1", None)
        promises["w/2"] = Promise(1, A, 7)

    world.disks.meanwhile = meanwhile
    look = asyncio.run(world.rooms.look([A]))
    assert [c.promised for c in look.destinations([A], 1)] == [67]
    look = asyncio.run(world.rooms.look([A]))
    assert [c.promised for c in look.destinations([A], 1)] == [7]


def work(stage: PlotStage, number: int = 1, dst: Path | None = None) -> PlotWork:
    plot = Plot(TMP / "plotrun-w" / "finished" / "p", "0" * 64, 32, PlotFormat.V1, 90)
    return PlotWork(number, plot, stage, dst, waiting="full" if dst is None else None)


def test_which_plots_of_a_worker_need_a_destination(asked: Asked) -> None:
    own = replace(worker(tmp=TMP), plot_size=100, final_dir=TMP / "plotrun-w" / "finished")

    def sizes(**changes: object) -> list[int]:
        who = replace(own, **changes)  # type: ignore[arg-type]
        return [each.size for each in plots_to_come(who, asked.job, {"w/3"})]

    assert sizes() == [100]
    assert sizes(plots_wanted=3) == [100, 100, 100]
    assert sizes(plots_wanted=0) == [100]
    begun = Progress(plots_started=1, plots_complete=1)
    assert sizes(plots_wanted=0, progress=begun, plots=(work(PlotStage.DONE),)) == [100]
    assert sizes(plots_wanted=0, finish_after=2, progress=Progress(plots_complete=1)) == [100, 100]
    assert sizes(dst=A) == [], "it was promised to it"
    assert sizes(stage=Stage.FINISHING) == [100], "nobody has looked for it yet"
    assert sizes(stage=Stage.FINISHING, outcome="failed") == []
    assert sizes(stage=Stage.FINISHING, plots=(work(PlotStage.FINISHED),)) == [90]
    assert sizes(stage=Stage.FINISHING, plots=(work(PlotStage.FINISHED, 3),)) == []
    assert sizes(stage=Stage.FINISHING, plots=(work(PlotStage.DONE),)) == []


def test_what_a_worker_was_promised_is_in_its_record() -> None:
    own = replace(worker(tmp=TMP), plot_size=100, dst=A, plots_wanted=2)
    assert [*promises_of(own)] == [("w/1", A, 100, TMP), ("w/2", A, 100, None)]
    copied = replace(own.progress, copied=0.5)
    plots = (work(PlotStage.DELIVERING, dst=B),)
    copying = replace(own, plots=plots, progress=copied)
    first = (promise_key("w", 1), B, 45, TMP / "plotrun-w" / "finished")
    assert [*promises_of(copying)] == [first, ("w/2", A, 100, TMP)]
    assert [*promises_of(replace(own, job=""))] == [], "plotrun promises nothing to others"


GOES_ON = replace(
    worker(tmp=TMP),
    plots_wanted=0,
    sizes=Sizes(40, 100),
    keeps_plots_in=TMP / "plotrun-w" / "finished",
    plots=(work(PlotStage.FINISHED),),
)


@pytest.mark.parametrize(
    ("free", "used", "changes", "asked_to"),
    [
        (139, 0, {}, True),
        (140, 0, {}, False),
        (100, 40, {}, False),
        (99, 40, {}, True),
        (0, 0, {"plots_wanted": 1}, False),
        (0, 0, {"plots_wanted": 3}, True),
        (0, 0, {"finish_after": 2, "progress": Progress(plots_complete=1)}, False),
        (0, 0, {"plots": ()}, False),
        (0, 0, {"keeps_plots_in": None}, False),
    ],
)
def test_a_plotter_is_asked_to_finish_when_plots_wait_and_the_next_would_not_fit(
    asked: Asked,
    store: Store,
    free: int,
    used: int,
    changes: dict[str, object],
    asked_to: bool,
) -> None:
    world = World(asked, store, {TMP: free, A: 0})
    world.workers.append(replace(GOES_ON, progress=Progress(tmp_bytes=used)))
    world.workers[0] = own = replace(world.workers[0], **changes)  # type: ignore[arg-type]
    assert asyncio.run(no_room_to_go_on(world.rooms, own)) == asked_to


@pytest.mark.parametrize(("free", "asked_to"), [(229, True), (230, False)])
def test_what_others_take_and_what_is_promised_is_not_left_for_the_next_plot(
    asked: Asked, store: Store, free: int, asked_to: bool
) -> None:
    world = World(asked, store, {TMP: free, A: 0})
    other = replace(worker(tmp=TMP), id="o", sizes=GOES_ON.sizes, tmp_dir=TMP / "plotrun-o")
    other = replace(other, progress=Progress(tmp_bytes=20))
    world.workers = [GOES_ON, other]
    world.rooms.promises["o/1"] = Promise(0, TMP, 10)
    assert asyncio.run(no_room_to_go_on(world.rooms, GOES_ON)) == asked_to
