"""How far a plot is and how long it will take: by figures, and with real plots."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from farm import Farm, until
from plotrun.builtin.chia import ChiaPlotter
from plotrun.builtin.madmax import MadMaxPlotter
from plotrun.estimate import DELIVERY_SHARE, NOT_DELIVERED, done, one_more, seconds_left, timing_of
from plotrun.learned_sizes import size_key, sizes_of
from plotrun.logparser import LogParser
from plotrun.manager import load_plugins
from plotrun.model import (
    Event,
    EventKind,
    Measured,
    Plot,
    PlotFormat,
    PlotStage,
    PlotWork,
    Progress,
    Stage,
    Timing,
    Worker,
)
from plotrun.settings.load import load_settings
from plotrun.store import Store

CHIA_LOG = (Path(__file__).parent / "data" / "chia-k25.log").read_bytes()
CHIA = ChiaPlotter()
NOW = 1_000_000.0
PLOT = Plot(Path("/t/x.plot"), "0" * 64, 32, PlotFormat.V1, 100)


def worker(progress: Progress, timing: Timing | None, stage: Stage = Stage.PLOTTING) -> Worker:
    return Worker("w", "j", "chia", stage, NOW, progress=progress, timing=timing)


def measured(*phases: float, delivery: float = 100.0, size: int = 1000) -> Measured:
    return Measured(size, None, sum(phases), delivery, 5.0, phases)


def test_before_the_first_plot_the_plotters_own_scale_counts() -> None:
    timing = timing_of(CHIA, [])
    assert timing.plots == 0
    assert timing.seconds is None
    half = done(worker(Progress(fraction=0.5), timing), NOW)
    assert half == pytest.approx(0.5 * (1 - DELIVERY_SHARE))


def test_each_phase_takes_the_share_of_the_way_that_it_took_before() -> None:
    # Phase 1 took 400 of 1,000 seconds, then 100, 300, 100, and the delivery the last 100.
    timing = timing_of(CHIA, [measured(400, 100, 300, 100)] * 3)
    ends = {0.0: 0.0, 0.42: 0.4, 0.61: 0.5, 0.98: 0.8, 1.0: 0.9}
    for own, way in ends.items():
        assert done(worker(Progress(fraction=own), timing), NOW) == pytest.approx(way)
    assert done(worker(Progress(fraction=0.21), timing), NOW) == pytest.approx(0.2)
    assert timing.seconds == (1000, 1000, 1000)


def test_medians_are_of_the_last_plots() -> None:
    plots = [measured(100 * n, 100, 100, 100) for n in (1, 2, 9)]
    assert timing_of(CHIA, plots).seconds == (500, 600, 1300)
    assert timing_of(CHIA, plots).scale[1] == pytest.approx((0.42, 200 / 600))


def test_a_plot_is_done_only_when_it_is_delivered() -> None:
    timing = timing_of(CHIA, [measured(400, 100, 300, 200, delivery=0.0)])
    made = worker(Progress(fraction=1.0), timing)
    assert done(made, NOW) == NOT_DELIVERED
    for stage, way in (
        (PlotStage.FINISHED, NOT_DELIVERED),
        (PlotStage.DELIVERING, NOT_DELIVERED),
        (PlotStage.REJECTED, NOT_DELIVERED),
        (PlotStage.DELIVERED, 1.0),
        (PlotStage.DONE, 1.0),
    ):
        there = replace(made, stage=Stage.FINISHING, plots=(PlotWork(1, PLOT, stage),))
        assert done(there, NOW) == way


def test_the_copy_is_part_of_the_way() -> None:
    timing = timing_of(CHIA, [measured(400, 100, 300, 100, delivery=900)])
    copying = worker(Progress(copied=0.5), timing, Stage.FINISHING)
    copying = replace(copying, plots=(PlotWork(1, PLOT, PlotStage.DELIVERING),))
    assert done(copying, NOW) == pytest.approx(0.75)


def test_time_left_comes_with_the_third_plot_and_has_a_range() -> None:
    plots = [measured(400, 100, 300, 100), measured(800, 200, 600, 200), measured(300, 50, 250, 50)]
    half = Progress(fraction=0.5, since=NOW - 500)
    assert seconds_left(worker(half, timing_of(CHIA, plots[:2])), NOW) is None
    timing = timing_of(CHIA, plots)
    way = done(worker(half, timing), NOW)
    least, likely, most = seconds_left(worker(half, timing), NOW) or (0, 0, 0)
    assert likely == pytest.approx(1000 * (1 - way))
    assert most == pytest.approx(1900 * (1 - way))
    assert least == pytest.approx(min(750, 500 / way) * (1 - way))


def test_a_slow_plot_widens_its_own_range() -> None:
    timing = timing_of(CHIA, [measured(400, 100, 300, 100)] * 3)
    slow = worker(Progress(fraction=0.42, since=NOW - 4000), timing)  # usually 400 s
    least, likely, most = seconds_left(slow, NOW) or (0, 0, 0)
    assert (least, likely, most) == pytest.approx((600, 600, 6000))


def test_a_plotter_without_phases_goes_by_the_clock() -> None:
    from plotrun_pos2.pos2 import Pos2Plotter

    timing = timing_of(Pos2Plotter(), [Measured(1, None, 90.0, 10.0)] * 3)
    begun = worker(Progress(since=NOW), timing)
    assert done(begun, NOW) == 0.0
    assert done(begun, NOW + 50) == pytest.approx(0.5)
    assert done(begun, NOW + 5000) == pytest.approx(0.9)


def test_what_is_done_does_not_shrink_when_more_is_known() -> None:
    from plotrun_pos2.pos2 import Pos2Plotter

    quick = timing_of(Pos2Plotter(), [Measured(1, None, 90.0, 10.0)])
    slow = timing_of(Pos2Plotter(), [Measured(1, None, 900.0, 100.0)] * 3)
    both = one_more(quick, slow)
    begun = worker(Progress(since=NOW - 50), both)
    assert done(begun, NOW) == done(replace(begun, timing=quick), NOW)
    assert seconds_left(begun, NOW) is not None


@given(
    st.lists(
        st.tuples(*[st.floats(0.01, 1e6)] * 4, st.floats(0, 1e6)).map(
            lambda five: measured(*five[:4], delivery=five[4])
        ),
        max_size=5,
    ),
    st.lists(st.integers(0, len(CHIA_LOG)), max_size=40),
)
def test_it_never_goes_back_and_never_says_all(plots: list[Measured], cuts: list[int]) -> None:
    timing, parser, progress = timing_of(CHIA, plots), LogParser(CHIA.rules), Progress()
    before, at = 0.0, 0
    for cut in [*sorted(cuts), len(CHIA_LOG)]:
        progress = CHIA.advance(progress, parser.feed(CHIA_LOG[at:cut]))
        at = cut
        now = done(worker(progress, timing), NOW)
        assert before <= now <= NOT_DELIVERED
        before = now


# What is learned


def save(store: Store, number: int, plotter: str, k: int, key: str, what: Measured) -> None:
    one = Worker(f"w{number}", "j", plotter, Stage.FINISHING, NOW, k=k, size_key=key)
    one = replace(one, plots=(PlotWork(1, PLOT, PlotStage.DELIVERED),))
    event = Event(EventKind.PLOT_DELIVERED, NOW + number, "j", one.id)
    store.save_delivered(1, what, one, [event])


def test_sizes_are_those_of_the_last_plots_with_the_same_keys(farm: Farm) -> None:
    farm.write(plotter="chia", k=32)
    job = load_settings(farm.settings, load_plugins().schema()).jobs[0]
    store = Store(farm.state_dir)
    formula = CHIA.sizes(job)
    assert sizes_of(CHIA, job, store) == formula
    key = size_key(CHIA, job)
    other = replace(measured(1, 1, 1, 1), bytes=5)
    save(store, 0, "chia", 33, key.replace("32", "33"), other)
    save(store, 1, "madmax", 32, key, other)
    assert sizes_of(CHIA, job, store) == formula
    for number in range(2, 9):
        what = replace(measured(1, 1, 1, 1), bytes=1000 - number, tmp_bytes=2000 + number)
        save(store, number, "chia", 32, key, what)
    learned = sizes_of(CHIA, job, store)
    assert learned.plot == 1000 - 4, "the largest of the last five"
    assert learned.tmp == int(2008 * 1.05)
    store.close()


def test_the_size_of_a_compressed_plot_depends_on_its_level() -> None:
    from plotrun_gigahorse import GigahorseGpuPlotter

    assert GigahorseGpuPlotter().size_keys == ("k", "compression")
    assert MadMaxPlotter().size_keys == ("k",)


def test_three_real_plots_teach_size_and_time(farm: Farm) -> None:
    farm.write(plots=4, k=20)
    runner = farm.start("run", "--until-done")
    for _ in range(3):
        until(runner, "plot delivered")
    until(runner, "phase 1")
    told = []
    while not told and runner.poll() is None:  # written within a second
        told = [one for one in farm.workers() if one["seconds_left"] is not None]
    assert 0.0 <= told[0]["fraction"] < 1.0
    least, likely, most = told[0]["seconds_left"]
    assert 0 <= least <= likely <= most
    assert runner.wait(60) == 0
    store = Store(farm.state_dir)
    plots = store.measured.last("chiapos", 20, 10)
    (last, *_) = store.ended_workers(1)
    store.close()
    assert len(plots) == 4
    assert all(len(plot.phases) == 4 and plot.seconds for plot in plots)
    assert all(plot.delivery_seconds is not None for plot in plots)
    assert sorted(plot.bytes for plot in plots) == sorted(p.stat().st_size for p in farm.plots())
    # It was started when the third plot was made, perhaps before that was delivered.
    assert last.plot_size in {max(plot.bytes for plot in plots[n:]) for n in (1, 2)}
    assert last.timing is not None
    assert last.timing.plots == 3
    assert last.stage is Stage.ENDED


@pytest.mark.parametrize("phases", [(), (0.0, 0.0, 0.0, 0.0)])
def test_plots_that_were_seen_to_take_no_time_tell_nothing(phases: tuple[float, ...]) -> None:
    plots = [Measured(1, seconds=0.0, phases=phases)]
    assert replace(timing_of(ChiaPlotter(), plots), silence=None) == timing_of(ChiaPlotter(), [])
