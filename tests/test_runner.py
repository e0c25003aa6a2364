"""Scheduling over days, in simulated time."""

from __future__ import annotations

from itertools import pairwise

import pytest

from farm import Farm
from plotrun import EventKind, JobState
from plotrun.clock import SystemClock
from plotrun.holds import JobEnds, hold_of
from plotrun.manager import load_plugins
from plotrun.settings.load import load_settings
from simulated import DAY, HOUR, MINUTE, simulate


def test_the_next_plotter_starts_when_the_last_one_ends(farm: Farm) -> None:
    farm.write(plotter="chia", plots=0, k=32)
    starts = simulate(farm, days=2, plotter_takes=6 * HOUR)
    assert starts == pytest.approx([n * 6 * HOUR for n in range(8)], abs=2)


def test_as_many_run_as_the_limits_allow(farm: Farm) -> None:
    farm.write(
        plotter="chia",
        plots=0,
        max_workers=5,
        rest="[plugins.limits]\nmax_workers = 3\n",
    )
    starts = simulate(farm, days=1, plotter_takes=8 * HOUR)
    assert starts == pytest.approx([n * 8 * HOUR for n in range(3) for _ in range(3)], abs=2)


def test_a_job_stops_at_its_number_of_plots(farm: Farm) -> None:
    farm.write(plotter="chia", plots=5, max_workers=2)
    delivered = simulate(farm, days=7, plotter_takes=HOUR, kind=EventKind.PLOT_DELIVERED)
    assert len(delivered) == 5
    assert len(farm.plots()) == 5


@pytest.mark.parametrize(("made", "expected", "for_good"), [(2, 1, False), (3, 0, True)])
def test_plots_on_their_way_may_fail_and_end_no_job(
    farm: Farm, made: int, expected: int, for_good: bool
) -> None:
    """A worker that fails after this was asked leaves its job to be gone on with."""
    plugins = load_plugins()
    settings = load_settings(farm.write(plots=3), plugins.schema())
    state = JobState("test", made=made, expected=expected)
    hold = hold_of(plugins, settings, settings.jobs[0], state, (), SystemClock())
    assert isinstance(hold, JobEnds)
    assert hold.for_user is for_good


def test_failures_in_a_row_wait_longer_and_longer_and_then_pause(farm: Farm) -> None:
    farm.write(plotter="chia", plots=0)
    starts = simulate(farm, days=7, plotter_takes=10, exit_code=lambda number: 1)
    waits = [1, 2, 4, 8]
    expected = [0.0]
    for wait in waits:
        expected.append(expected[-1] + 10 + wait * MINUTE)
    assert starts == pytest.approx(expected, abs=2)


def test_the_wait_grows_to_an_hour_and_no_further(farm: Farm) -> None:
    farm.write(plotter="chia", plots=0, rest="[plugins.backoff]\npause_after = 0\n")
    starts = simulate(farm, days=7, plotter_takes=10, exit_code=lambda number: 1)
    gaps = [b - a - 10 for a, b in pairwise(starts)]
    assert gaps[:7] == pytest.approx([m * MINUTE for m in (1, 2, 4, 8, 16, 32, 60)], abs=2)
    assert gaps[7:] == pytest.approx([HOUR] * len(gaps[7:]), abs=2)
    growing = 63 * MINUTE + 6 * 10
    assert len(starts) == 7 + (7 * DAY - growing) // (HOUR + 10)


def test_a_success_ends_a_row_of_failures(farm: Farm) -> None:
    farm.write(plotter="chia", plots=0)
    starts = simulate(
        farm, days=0.1, plotter_takes=HOUR / 4, exit_code=lambda number: int(number in (1, 2, 4))
    )
    gaps = [b - a - HOUR / 4 for a, b in pairwise(starts)]
    assert gaps[:5] == pytest.approx([MINUTE, 2 * MINUTE, 0, MINUTE, 0], abs=2)
