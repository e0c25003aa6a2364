"""Each maximum as settings and the starts that it gives: plots of ten hours, two jobs, two tmp."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest

from farm import Farm
from plotrun import EventKind
from simulated import EPOCH, HOUR, simulate_events
from test_when_to_start import ENDS, starts_of

P1 = ENDS[0] * 10
"""Hours of phase 1."""


def toml(value: Any) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f'"{key}" = {toml(item)}' for key, item in value.items()) + "}"
    return json.dumps(value)


def starts(
    farm: Farm, limits: Mapping[str, Any], job: Mapping[str, Any], fails: bool = False
) -> dict[str, list[float]]:
    """Hours at which plotters of each job, in each tmp, were started on one day."""
    (farm.root / "t2").mkdir()
    tmp = [str(farm.tmp), str(farm.root / "t2")]
    keys = {"tmp": tmp, "max_workers": 99, "plots": 0, "plotter": "chia", "k": 32} | job
    other = {"name": "other", "dst": str(farm.root / "b"), **keys}
    other = {name: value for name, value in other.items() if name not in ("plots", "k")}
    more = "[[job]]\n" + "".join(f"{key} = {json.dumps(value)}\n" for key, value in other.items())
    rest = '[plugins.stagger]\nstagger = "1m"\n[plugins.limits]\n'
    rest += "".join(f"{key} = {toml(value)}\n" for key, value in limits.items())
    farm.write(job=more, rest=rest.replace("ROOT", str(farm.root)), **keys)
    events = simulate_events(farm, 1, 10 * HOUR, exit_code=lambda _: int(fails))
    assert len(starts_of(events)) < 60, "the stagger only keeps a mistake from going on for long"
    found: dict[str, list[float]] = {}
    for event in events:
        if event.kind is EventKind.PLOTTER_STARTED:
            place = str(event.data["tmp"]).rpartition("/")[2]
            for name in ("all", str(event.job), place):
                found.setdefault(name, []).append((event.at - EPOCH) / HOUR)
    return found


def groups(count: int, *hours: float) -> list[float]:
    return [hour for hour in hours for _ in range(count)]


@pytest.mark.parametrize(
    ("limits", "job", "where", "expected"),
    [
        ({"max_workers": 3}, {}, "all", groups(3, 0, 10, 20)),
        ({}, {"max_workers": 2}, "test", groups(2, 0, 10, 20)),
        ({}, {"max_workers": 2}, "other", groups(2, 0, 10, 20)),
        ({"max_workers_per_tmp": 2}, {}, "tmp", groups(2, 0, 10, 20)),
        ({"max_workers_per_tmp": 2}, {}, "t2", groups(2, 0, 10, 20)),
        (
            {"max_workers_per_tmp": 2, "tmp": {"ROOT/t2": {"max_workers": 1}}},
            {},
            "t2",
            groups(1, 0, 10, 20),
        ),
        ({"max_phase1": 3}, {}, "all", groups(3, *(n * P1 for n in range(int(24 / P1) + 1)))),
        ({}, {"max_phase1": 2}, "test", groups(2, *(n * P1 for n in range(int(24 / P1) + 1)))),
        (
            {"max_phase1_per_tmp": 2},
            {},
            "tmp",
            groups(2, *(n * P1 for n in range(int(24 / P1) + 1))),
        ),
        (
            {"max_phase1_per_tmp": 2, "tmp": {"ROOT/t2": {"max_phase1": 1}}},
            {},
            "t2",
            groups(1, *(n * P1 for n in range(int(24 / P1) + 1))),
        ),
    ],
)
def test_a_maximum(
    farm: Farm,
    limits: Mapping[str, Any],
    job: Mapping[str, Any],
    where: str,
    expected: list[float],
) -> None:
    found = starts(farm, limits, job)[where]
    # A minute between any two, and as much again with every round.
    assert found == pytest.approx(expected, abs=0.4)


def test_failures_back_off_and_pause(farm: Farm) -> None:
    """Each of these takes ten hours to fail: the waits of 1, 2, 4… minutes follow."""
    found = starts(farm, {}, {"max_workers": 1}, fails=True)
    assert found["test"] == pytest.approx([0, 10 + 1 / 60, 20 + 3 / 60], abs=0.01)
