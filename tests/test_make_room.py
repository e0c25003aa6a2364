"""Room is made on real, full file systems: for whole plots only, and never more than needed."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import os
import shutil
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from farm import Farm, small_disk
from old_plots import age, fill_but, free_of, write_plot
from plotrun import EventKind, Job, Plot, Stage, Worker, read_plot
from plotrun.clock import SystemClock
from plotrun.delivery import Deliveries, NoDestination
from plotrun.farm.farm import CUT_OFF, Farms
from plotrun.farm.farm import Farm as AskedFarm
from plotrun.farm.inventories import Inventories
from plotrun.manager import load_plugins
from plotrun.model import Event
from plotrun.rooms import Rooms
from plotrun.settings.load import load_settings
from plotrun.settings.settings import Settings
from plotrun.space import Disks
from plotrun.store import Store, StoreError
from plotrun.store.removals import Removals, RemovalState

KIB = 1024
PLUGINS = load_plugins()


class Clock(SystemClock):
    """The time of this machine, and what a test adds to it."""

    ahead = 0.0

    def now(self) -> float:
        return super().now() + self.ahead


class Dock:
    """A farm's deliveries without a runner: plots are chosen a destination, and brought there."""

    def __init__(self, farm: Farm, policy: str, *dst: Path, **keys: Any) -> None:
        self.farm, self.dst = farm, list(dst) or [farm.root / "a"]
        self.clock = Clock()
        self.told: list[Event] = []
        self.begin()
        self.set_policy(policy, **keys)

    def set_policy(self, policy: str, **keys: Any) -> None:
        named = {"dst": [str(path) for path in self.dst]} | keys
        file = self.farm.write(job=f"[job.replot]\n{policy}\n" if policy else "", **named)
        self.settings: Settings = load_settings(file, self.plugins.schema())
        self.job: Job = self.settings.jobs[0]

    def begin(self) -> None:
        """As after the start of plotrun."""
        self.plugins = PLUGINS
        self.store = Store(self.farm.state_dir)
        self.farms = Farms(
            self.store,
            self.clock,
            Inventories(self.store, 10),
            lambda: self.farm.log_dir,
            self.told.append,
            self.store.alive_workers,
        )
        rooms = Rooms(Disks(), self.store, self.store.alive_workers)
        self.deliveries = Deliveries(self.plugins, rooms, self.farms, lambda: self.settings)
        self.farms.settle(self.store.removals.unsettled())

    def crash(self) -> None:
        """End without a word, and begin again."""
        self.store.close()
        self.begin()

    def choose(self, plot: Plot | None, key: str = "w/1", **more: Any) -> Path | None:
        """The destination for a plot, or None."""
        return asyncio.run(self.ask(plot, key, **more))

    async def ask(
        self, plot: Plot | None, key: str = "w/1", size: int = 0, **more: Any
    ) -> Path | None:
        needed = plot.size if plot is not None else size
        chosen = await self.deliveries.choose(key, self.job, plot, needed, **more)
        return None if isinstance(chosen, NoDestination) else chosen

    def bring(self, plot: Plot, dst: Path, key: str = "w/1") -> Path:
        """Bring the plot, as the life of a worker does; answers where it is."""
        there = dst / plot.path.name
        shutil.copyfile(plot.path, there)
        plot.path.unlink()
        self.deliveries.release(key)
        self.store.removals.delivered(there)
        return there

    def new(self, size: int = 300 * KIB, **of: Any) -> Plot:
        """A plot that was finished just now."""
        return read_plot(write_plot(self.farm.tmp, size, **{"years": 0.0, "kind": "v2"} | of))


@pytest.fixture
def disk(farm: Farm) -> Iterator[Path]:
    """The destination ``a``, a small file system."""
    with small_disk(farm.root / "a", "4m") as mounted:
        yield mounted


def files(*directories: Path) -> set[Path]:
    return {path for directory in directories for path in directory.rglob("*")}


def test_the_oldest_goes_and_the_new_one_fits(farm: Farm, disk: Path) -> None:
    old = [write_plot(disk, 400 * KIB, years=years) for years in (2, 4, 3)]
    fill_but(disk, 100 * KIB)
    dock = Dock(farm, 'before = "1y"')
    plot = dock.new()
    assert dock.choose(plot) == disk
    assert [path.exists() for path in old] == [True, False, True]
    assert free_of(disk) >= plot.size
    (event,) = dock.told
    assert event.kind is EventKind.PLOT_REMOVED
    assert event.data["plot"] == str(old[1])
    assert event.data["for_plot"] == plot.plot_id
    assert dock.store.events.last(1) == [event]
    (line,) = (farm.log_dir / "replot.log").read_text().splitlines()
    assert f"removed {old[1]} (v1, k=32, 400.0 KiB, of 20" in line
    assert f"for plot {plot.plot_id} of job test, worker w" in line


def test_what_is_to_stay_free_becomes_free_too(farm: Farm, disk: Path) -> None:
    old = [write_plot(disk, 400 * KIB, years=9 - n) for n in range(4)]
    fill_but(disk, 100 * KIB)
    dock = Dock(farm, 'before = "1y"', min_free="600KiB")
    assert dock.choose(dock.new()) == disk
    assert [path.exists() for path in old] == [False, False, True, True]
    assert free_of(disk) >= 900 * KIB


def test_several_small_ones_go_for_a_large_one(farm: Farm, disk: Path) -> None:
    old = [write_plot(disk, 100 * KIB, years=6 - n) for n in range(5)]
    fill_but(disk, 20 * KIB)
    dock = Dock(farm, 'before = "1y"')
    assert dock.choose(dock.new(300 * KIB)) == disk
    assert [path.exists() for path in old] == [False, False, False, True, True]


def test_nothing_goes_while_there_is_room(farm: Farm, disk: Path) -> None:
    old = write_plot(disk, 400 * KIB)
    dock = Dock(farm, 'before = "1y"')
    assert dock.choose(dock.new()) == disk
    assert old.exists()


def test_nothing_goes_for_a_job_without_a_policy(farm: Farm, disk: Path) -> None:
    old = write_plot(disk, 400 * KIB)
    fill_but(disk, 0)
    dock = Dock(farm, "")
    assert dock.choose(dock.new()) is None
    assert old.exists()


def test_nothing_goes_where_the_plot_is_rejected_for_another_reason(farm: Farm, disk: Path) -> None:
    old = write_plot(disk, 400 * KIB)
    fill_but(disk, 0)
    dock = Dock(farm, 'before = "1y"')
    assert dock.choose(dock.new(), avoid={disk: "failed just now"}) is None
    assert old.exists()
    assert dock.choose(dock.new()) == disk  # it was for that reason alone


def test_a_plot_that_is_itself_one_to_go_pushes_no_other_out(farm: Farm, disk: Path) -> None:
    old = write_plot(disk, 400 * KIB)
    fill_but(disk, 0)
    dock = Dock(farm, 'formats = "v1"')
    assert dock.choose(dock.new(kind="v1")) is None
    assert old.exists()
    assert dock.choose(dock.new(kind="v2")) == disk


def test_what_was_written_just_now_stays_whatever_its_name_says(farm: Farm, disk: Path) -> None:
    plot_id = bytes([9]) * 32
    name = f"plot-k32-2021-05-01-12-34-{plot_id.hex()}.plot"
    old = write_plot(disk, 400 * KIB, name=name, plot_id=plot_id, years=0)
    fill_but(disk, 0)
    dock = Dock(farm, 'before = "1y"')
    assert dock.choose(dock.new()) is None
    age(old, 2 / 365)
    assert dock.choose(dock.new()) == disk


def test_a_plot_in_hand_stays(farm: Farm, disk: Path) -> None:
    """The copy in the destination may be the one that was delivered, or a whole older one."""
    plot_id, delivered_id = bytes([7]) * 32, bytes([8]) * 32
    same = write_plot(disk, 400 * KIB, plot_id=plot_id)
    other = write_plot(disk, 400 * KIB, plot_id=delivered_id)
    fill_but(disk, 0)
    dock = Dock(farm, 'before = "1y"')
    alive = Worker("w", "test", "chiapos", Stage.PLOTTING, 0.0, plot_ids=(delivered_id.hex(),))
    dock.store.save_worker(alive)
    assert dock.choose(dock.new(plot_id=plot_id)) is None
    assert same.exists()
    assert other.exists()
    dock.store.save_worker(replace(alive, stage=Stage.ENDED, ended_at=1.0))
    assert dock.choose(dock.new()) == disk


def test_nothing_more_goes_until_a_delivery_has_succeeded(farm: Farm, disk: Path) -> None:
    old = [write_plot(disk, 400 * KIB, years=6 - n) for n in range(4)]
    filler = fill_but(disk, 0)
    dock = Dock(farm, 'before = "1y"')
    plot = dock.new(390 * KIB)
    assert dock.choose(plot) == disk
    dock.deliveries.release("w/1")  # the copy failed, and something else took the room
    more = disk / "more"
    more.write_bytes(bytes(free_of(disk)))
    for _ in range(2):
        assert dock.choose(plot) is None
        dock.crash()
    dock.clock.ahead = 30 * 86400
    assert dock.choose(plot) is None
    assert [path.exists() for path in old] == [False, True, True, True]
    more.unlink()
    assert dock.choose(plot) == disk
    dock.bring(plot, disk)
    assert dock.choose(dock.new(390 * KIB)) == disk
    assert [path.exists() for path in old] == [False, False, True, True]
    assert filler.exists()


def test_two_plots_do_not_count_the_same_room(farm: Farm, disk: Path) -> None:
    old = [write_plot(disk, 400 * KIB, years=6 - n) for n in range(4)]
    fill_but(disk, 0)
    dock = Dock(farm, 'before = "1y"')
    plots = [dock.new(390 * KIB), dock.new(390 * KIB)]

    async def both() -> list[Path | None]:
        return list(await asyncio.gather(*(dock.ask(p, f"w{n}/1") for n, p in enumerate(plots))))

    chosen = asyncio.run(both())
    assert sorted(map(str, chosen)) == sorted([str(disk), "None"])
    assert [path.exists() for path in old] == [False, True, True, True]
    first = chosen.index(disk)
    dock.bring(plots[first], disk, f"w{first}/1")
    assert dock.choose(plots[1 - first], f"w{1 - first}/1") == disk
    assert [path.exists() for path in old] == [False, False, True, True]


def test_two_starts_make_room_for_one_plot_each(farm: Farm, disk: Path) -> None:
    old = [write_plot(disk, 400 * KIB, years=6 - n) for n in range(4)]
    fill_but(disk, 0)
    policy = 'before = "1y"\nwhen = "start"'
    dock = Dock(farm, policy, deliver="plotter")

    assert [dock.choose(None, f"w{n}/1", size=390 * KIB) for n in range(2)] == [disk, disk]
    assert [path.exists() for path in old] == [False, False, True, True]
    dock.deliveries.release_all("w0")  # it failed, and its room is used up
    (disk / "more").write_bytes(bytes(free_of(disk) - 390 * KIB))
    assert dock.choose(None, "w2/1", size=390 * KIB) is None
    assert [path.exists() for path in old] == [False, False, True, True]


def test_nothing_goes_while_a_plot_arrives_there(farm: Farm, disk: Path) -> None:
    """What has arrived of it is not free any more, and promised still: it would count twice."""
    old = [write_plot(disk, 400 * KIB, years=6 - n) for n in range(2)]
    filler = fill_but(disk, 100 * KIB)
    dock = Dock(farm, 'before = "1y"\nwhen = "start"', deliver="plotter")
    worker = Worker("w", "test", "chiapos", Stage.PLOTTING, 0.0, plot_ids=("ab" * 32,))
    dock.store.save_worker(worker)
    assert dock.choose(None, "w/1", size=80 * KIB) == disk
    half = disk / f"plot-k32-{'ab' * 32}.plot.2.tmp"
    half.write_bytes(bytes(50 * KIB))
    assert dock.choose(None, "x/1", size=80 * KIB) is None
    assert [path.exists() for path in old] == [True, True]
    half.unlink()
    assert dock.choose(None, "x/1", size=80 * KIB) == disk
    assert [path.exists() for path in old] == [False, True]
    assert filler.exists()


def test_at_the_start_nothing_goes_for_plots_that_are_there(farm: Farm, disk: Path) -> None:
    old = write_plot(disk, 400 * KIB)
    fill_but(disk, 0)
    dock = Dock(farm, 'before = "1y"\nwhen = "start"', deliver="plotter")
    assert dock.choose(dock.new()) is None
    assert old.exists()


def test_the_disk_of_which_fewest_go_is_taken_then_that_of_the_oldest(
    farm: Farm, disk: Path
) -> None:
    with small_disk(farm.root / "b", "4m") as other:
        small = [write_plot(disk, 200 * KIB, years=9) for _ in range(2)]
        large = [write_plot(other, 400 * KIB, years=3 + n) for n in range(2)]
        last = write_plot(disk, 400 * KIB, years=4.5)
        fill_but(disk, 0)
        fill_but(other, 0)
        dock = Dock(farm, 'before = "1y"', disk, other)
        plot = dock.new()
        assert dock.choose(plot) == other  # one of 4 years, or two of 9
        dock.bring(plot, other)
        small[0].unlink()
        (disk / "more").write_bytes(bytes(free_of(disk)))
        assert dock.choose(dock.new()) == disk
        assert not last.exists()
        assert [path.exists() for path in (small[1], *large)] == [True, True, False]


def test_could_make_room_tells_and_removes_nothing(farm: Farm, disk: Path) -> None:
    write_plot(disk, 400 * KIB)
    fill_but(disk, 0)
    before = files(disk)

    async def ask(dock: Dock, size: int) -> Path | None:
        await dock.deliveries.could_make_room(dock.job, size)  # nothing is known yet
        await asyncio.gather(*dock.deliveries._looks)
        return await dock.deliveries.could_make_room(dock.job, size)

    assert asyncio.run(ask(Dock(farm, 'before = "1y"'), 300 * KIB)) == disk
    assert asyncio.run(ask(Dock(farm, 'before = "1y"'), 500 * KIB)) is None
    assert asyncio.run(ask(Dock(farm, 'before = "9y"'), 300 * KIB)) is None
    assert asyncio.run(ask(Dock(farm, ""), 300 * KIB)) is None
    assert files(disk) == before


@pytest.mark.parametrize(
    ("point", "gone"), [("intend", False), ("unlink", False), ("settle", True), ("complete", True)]
)
def test_cut_off_at_any_point_no_more_goes_than_is_needed(
    point: str, gone: bool, farm: Farm, disk: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = [write_plot(disk, 400 * KIB, years=6 - n) for n in range(3)]
    fill_but(disk, 0)
    dock = Dock(farm, 'before = "1y"')
    plot = dock.new()

    def killed(*_: Any, **__: Any) -> None:
        raise SystemExit  # it ends the thread, as a kill does, and nothing is tidied up

    with monkeypatch.context() as patched:
        patched.setattr("plotrun.delivery.MAKE_ROOM_SECONDS", 0.5)
        patched.setattr("threading.excepthook", lambda _: None)
        if point == "unlink":
            patched.setattr(os, "unlink", killed)
            patched.setattr(os, "supports_dir_fd", {killed})
        else:
            patched.setattr(Removals, point, killed)
        assert dock.choose(plot) is None
    assert [path.exists() for path in old] == [not gone, True, True]
    dock.crash()
    assert dock.store.removals.unsettled() == []
    assert len(dock.told) == gone  # told once, by whichever plotrun
    assert dock.choose(plot) == disk
    assert [path.exists() for path in old] == [False, True, True]
    assert len(dock.told) == 1
    dock.bring(plot, disk)
    assert dock.store.removals.open_in(disk) == []


def test_a_clearing_that_was_cut_off_goes_on_after_a_while(
    farm: Farm, disk: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The room of what was removed may not be there at once, on btrfs for half a minute."""
    old = [write_plot(disk, 100 * KIB, years=6 - n) for n in range(4)]
    fill_but(disk, 0)
    dock = Dock(farm, 'before = "1y"')
    plot, unlink = dock.new(300 * KIB), os.unlink

    def failing(path: str, **more: Any) -> None:
        if path == old[1].name:
            raise OSError(errno.EIO, "Input/output error")
        unlink(path, **more)

    with monkeypatch.context() as patched:
        patched.setattr(os, "unlink", failing)
        patched.setattr(os, "supports_dir_fd", {failing})
        assert dock.choose(plot) is None
    assert dock.choose(plot) is None
    assert [path.exists() for path in old] == [False, True, True, True]
    dock.clock.ahead = CUT_OFF + 1
    assert dock.choose(plot) == disk
    assert [path.exists() for path in old] == [False, False, False, True]


def test_removing_ends_as_soon_as_there_is_room(farm: Farm, disk: Path) -> None:
    """Whatever a plugin wants to have removed; and only in the destination that it names."""
    old = [write_plot(disk, 400 * KIB, years=6 - n) for n in range(3)]
    elsewhere = write_plot(farm.root / "b", 400 * KIB)
    fill_but(disk, 100 * KIB)
    dock = Dock(farm, "")
    asked = AskedFarm(dock.farms, "test", "w", None)
    places = [(disk, False), (farm.root / "b", False)]
    inventory, other = asyncio.run(dock.farms.inventories.look(places))
    plots = sorted(inventory.plots, key=lambda plot: plot.made_at)
    assert asked.make_room(disk, plots, 90 * KIB)
    assert not asked.make_room(disk, other.plots, 400 * KIB)
    assert elsewhere.exists()
    assert [path.exists() for path in old] == [True, True, True]
    assert asked.make_room(disk, plots, 400 * KIB)
    assert [path.exists() for path in old] == [False, True, True]


def test_a_disk_that_hangs_delays_nobody_and_loses_nothing_more(
    farm: Farm, disk: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = [write_plot(disk, 200 * KIB, years=6 - n) for n in range(2)]
    fill_but(disk, 0)
    dock = Dock(farm, 'before = "1y"')
    answer, hanging, unlink = threading.Event(), threading.Event(), os.unlink

    def hang(path: str, **more: Any) -> None:
        hanging.set()
        answer.wait(60)
        unlink(path, **more)

    async def meanwhile() -> None:
        asked = asyncio.create_task(dock.ask(dock.new(300 * KIB), "w/1"))
        await asyncio.to_thread(hanging.wait)
        # Another plot finds its destination, and nothing is removed for it there.
        assert await dock.ask(dock.new(100 * KIB), "x/1") is None
        assert await asked is None

    monkeypatch.setattr("plotrun.delivery.MAKE_ROOM_SECONDS", 0.5)
    monkeypatch.setattr(os, "unlink", hang)
    monkeypatch.setattr(os, "supports_dir_fd", {hang})
    asyncio.run(meanwhile())
    answer.set()
    while dock.farms.clearing:
        pass  # until the thread has come back
    assert [path.exists() for path in old] == [False, True]
    assert len(dock.told) == 1


def test_keep_at_least_and_limit_hold_over_restarts(farm: Farm, disk: Path) -> None:
    for years in range(5):
        write_plot(disk, 400 * KIB, years=2 + years)
    fill_but(disk, 0)
    dock = Dock(farm, 'before = "1y"\nlimit = 2')

    def one_more() -> bool:
        plot = dock.new(390 * KIB)
        chosen = dock.choose(plot)
        if chosen is not None:
            dock.bring(plot, chosen)
        dock.crash()
        return chosen is not None

    assert [one_more() for _ in range(3)] == [True, True, False]
    dock.clock.ahead = 86400 + 60
    assert one_more()
    dock.set_policy('before = "1y"\nkeep_at_least = 5')
    assert not one_more()
    dock.set_policy('before = "1y"\nkeep_at_least = 4')
    assert one_more()


# Whatever the farm, whatever goes wrong


plots_of_a_farm = st.lists(
    st.fixed_dictionaries(
        {
            "size": st.integers(1, 12).map(lambda n: n * 16 * KIB),
            "kind": st.sampled_from(["v1", "c0", "c7", "gigahorse", "v2"]),
            "years": st.sampled_from([1.5, 2.5, 3.5, 4.5, 0.5, 0.001]),
            "k": st.sampled_from([31, 32, 32, 33]),
        }
    ),
    min_size=3,
    max_size=7,
)
happenings = st.lists(
    st.tuples(
        st.sampled_from(["delivered", "delivered", "failed", "failed and filled"]),
        st.booleans(),  # plotrun is killed afterwards
        st.integers(1, 20).map(lambda n: n * 16 * KIB),
        st.sampled_from([*[""] * 8, "unlink", "intend", "settle"]),
    ),
    min_size=3,
    max_size=6,
)


@contextlib.contextmanager
def failing(what: str) -> Iterator[None]:
    """Let the disk or the store fail at some step of a removal."""
    with pytest.MonkeyPatch.context() as patched:
        if what == "unlink":

            def fail(*_: Any, **__: Any) -> None:
                raise OSError(errno.EIO, "Input/output error")

            patched.setattr(os, "unlink", fail)
            patched.setattr(os, "supports_dir_fd", {fail})
        elif what:

            def full(*_: Any, **__: Any) -> None:
                raise StoreError("no space left on device")

            patched.setattr(Removals, what, full)
        yield


def test_whatever_happens_only_what_may_go_goes(farm: Farm) -> None:
    disks = [farm.root / "a", farm.root / "b"]
    outside = write_plot(farm.root, 100 * KIB, years=9)

    @settings(max_examples=50, deadline=None, suppress_health_check=list(HealthCheck))
    @given(
        st.tuples(plots_of_a_farm, plots_of_a_farm),
        happenings,
        st.sampled_from(["", "", "v1", "v1-compressed"]),
        st.sampled_from(["oldest", "worst first"]),
        st.sampled_from([0, 0, 1, 3]),
        st.integers(1, 6),
    )
    def check(
        plots: tuple[list[dict[str, Any]], ...],
        happens: list[tuple[str, bool, int, str]],
        plot_format: str,
        order: str,
        keep: int,
        limit: int,
    ) -> None:
        for directory in (farm.state_dir, farm.tmp, *disks):
            for path in directory.iterdir() if directory.exists() else ():
                shutil.rmtree(path) if path.is_dir() else path.unlink()
        may_go: set[Path] = set()
        for disk, wanted in zip(disks, plots, strict=True):
            (disk / "below").mkdir()
            write_plot(disk / "below", 32 * KIB, years=9)
            (disk / "text.plot").write_text("none")
            age(disk / "text.plot", 9)
            (disk / "link.plot").symlink_to(outside)
            write_plot(disk, 32 * KIB, years=9, name="twice.plot")
            (disk / "again").hardlink_to(disk / "twice.plot")
            for of in wanted:
                path = write_plot(disk, **of)
                is_format = {"v1": ["v1", "c0"], "v1-compressed": ["c7", "gigahorse"]}
                fits = not plot_format or of["kind"] in is_format[plot_format]
                if of["years"] > 1 and of["k"] <= 32 and fits:
                    may_go.add(path)
            fill_but(disk, 16 * KIB)
        policy = f'before = "1y"\nmax_k = 32\nkeep_at_least = {keep}\nlimit = {limit}\n'
        policy += f'order = "{order}"\n'
        policy += f'formats = "{plot_format}"\n' if plot_format else ""
        dock = Dock(farm, policy, *disks)
        failed_on: set[Path] = set()
        removed_in_all = 0
        for outcome, killed, size, failure in happens:
            before, free = files(*disks), {disk: free_of(disk) for disk in disks}
            bytes_of = {path: path.lstat().st_blocks * 512 for path in before}
            plot = dock.new(size)
            with failing(failure):
                chosen = dock.choose(plot)
            gone = before - files(*disks)
            assert files(*disks) <= before
            assert gone <= may_go
            assert len({path.parent for path in gone}) <= 1
            removed_in_all += len(gone)
            if gone:
                disk = next(iter(gone)).parent
                assert disk not in failed_on
                assert all(room < size for room in free.values())
                freed = sum(bytes_of[path] for path in gone)
                assert all(free[disk] + freed - bytes_of[path] < size for path in gone)
                left = len(list(disk.glob("*.plot"))) - 2  # the text and the link are none
                assert left >= keep
                assert removed_in_all <= limit
                if not failure:
                    assert chosen == disk
                failed_on.add(disk)
            if chosen is not None:
                assert free_of(chosen) >= size
                if outcome == "delivered":
                    dock.bring(plot, chosen)
                    failed_on.discard(chosen)
                dock.deliveries.release("w/1")
                if outcome == "failed and filled":
                    (chosen / plot.plot_id).write_bytes(bytes(max(0, free_of(chosen))))
            if killed:
                dock.crash()
        removals = dock.store._db.rows("SELECT state FROM removals")
        assert sum(state == RemovalState.REMOVED for (state,) in removals) <= removed_in_all
        assert outside.exists()
        dock.store.close()

    with small_disk(disks[0], "2m"), small_disk(disks[1], "2m"):
        check()
