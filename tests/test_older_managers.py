"""Settings in the manner of each older manager start plots at the moments that its rules give.

The machine is the same for all: plots of ten hours (4 h, 1.5 h, 4 h and 0.5 h), and two tmp
directories. Hours are counted from the beginning of the simulation.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import pytest

from farm import Farm
from simulated import HOUR

PHASES = ["4h", "90m", "4h", "30m"]
SOON = 0.01
"""Hours. Logs are read a second after they were written."""


def simulated(farm: Farm, days: float, rest: str = "", job: str = "", **keys: Any) -> Any:
    tmp = [str(farm.tmp), str(farm.root / "t2")]
    values = {"tmp": tmp, "plots": 0, "k": 32, "simulated_phases": PHASES, "max_workers": 99}
    disks = "".join(f'[plugins.simulation.disks."{t}"]\ncapacity = "9TB"\n' for t in tmp)
    for name in "ab":
        disks += f'[plugins.simulation.disks."{farm.root / name}"]\n'
        disks += 'capacity = "90TB"\nbandwidth = "1GB"\n'
    farm.write(plotter="chia", rest=disks + rest, job=job, **(values | keys))
    ended = farm.plotrun("simulate", "--json", "--days", str(days))
    assert ended.returncode == 0, ended.stderr
    return json.loads(ended.stdout)


def hours(found: Any, job: str | None = None, tmp: str = "") -> list[float]:
    """When plotters were started."""
    return [
        (span["begun"] - found["begun"]) / HOUR
        for span in found["spans"]
        if job in (None, span["job"]) and span["tmp"].endswith(tmp)
    ]


def about(expected: Sequence[float]) -> Any:
    return pytest.approx(list(expected), abs=len(expected) * SOON)


def test_plotboss_smart(farm: Farm) -> None:
    """One in phase 1 for each tmp: a start in each of them whenever phase 1 is over there."""
    found = simulated(farm, 1, start_mode="smart", max_workers=8)
    for tmp in ("tmp", "t2"):
        assert hours(found, tmp=f"/{tmp}") == about([0, 4, 8, 12, 16, 20])


def test_swar_stagger_and_early_start(farm: Farm) -> None:
    """Two at a time, an hour apart, and another one 30 minutes after a plot's phase 3."""
    keys = {
        "max_workers": 2,
        "stagger": "1h",
        "initial_delay": "30m",
        "start_early_phase": 3,
        "start_early_delay": "15m",
        "start_early_max": 3,
    }
    found = simulated(farm, 1.2, **keys)
    # The third: when the first has been past phase 3 (9.5 h after its start) for a quarter.
    assert hours(found) == about([0.5, 1.5, 10.25, 11.25, 20, 21])


def test_plotman_tmp_readiness(farm: Farm) -> None:
    """A tmp is ready when none of its plots is before 2:1; the one furthest on is taken."""
    rest = '[plugins.tmp_ready]\nphase = "2:1"\n[plugins.stagger]\nstagger = "30m"\n'
    found = simulated(farm, 1, rest, choose_tmp="furthest")
    assert hours(found, tmp="/tmp") == about([0, 4, 8, 12, 16, 20])
    assert hours(found, tmp="/t2") == about([0.5, 4.5, 8.5, 12.5, 16.5, 20.5])


def test_it_never_starts_two_at_a_time_where_a_stagger_forbids_it(farm: Farm) -> None:
    found = simulated(farm, 2, '[plugins.stagger]\nstagger = "17m"\n')
    starts = hours(found)
    assert len(starts) > 100
    assert all(b - a >= 17 / 60 - 1e-6 for a, b in pairwise(starts))
