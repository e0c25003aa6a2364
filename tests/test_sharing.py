"""Bandwidth that activities share: the arithmetic of `plotrun simulate`'s disks."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plotrun.simulation.clock import SimulatedLoop
from plotrun.simulation.sharing import Sharing

Work = tuple[float, float, Mapping[str, float]]
"""When it begins, seconds at full speed, bytes a second of disks."""


def run(bandwidth: Mapping[str, float], works: Sequence[Work]) -> tuple[list[float], Sharing]:
    """When each of *works* was done, and the disks afterwards."""
    ends = [0.0] * len(works)

    async def all_of_it() -> Sharing:
        sharing = Sharing(bandwidth)

        async def one(number: int) -> None:
            begins, seconds, demands = works[number]
            await asyncio.sleep(begins)
            await sharing.work(seconds, demands)
            ends[number] = asyncio.get_running_loop().time()

        await asyncio.gather(*map(one, range(len(works))))
        sharing.up_to_now()
        return sharing

    with asyncio.Runner(loop_factory=SimulatedLoop) as loop:
        return ends, loop.run(all_of_it())


@pytest.mark.parametrize(
    ("works", "ends"),
    [
        ([(0, 100, {"a": 100})], [100]),
        ([(0, 100, {"a": 200})], [200]),  # more than the disk can do
        ([(0, 100, {"a": 100}), (0, 100, {"a": 100})], [200, 200]),
        ([(0, 100, {"a": 100}), (50, 100, {"a": 100})], [150, 200]),
        ([(0, 100, {"a": 100}), (50, 10, {"a": 100})], [110, 70]),
        ([(0, 100, {"a": 100}), (0, 100, {"b": 1e9})], [100, 100]),  # b has no limit
        ([(0, 100, {"a": 50}), (0, 100, {"a": 50})], [100, 100]),
        ([(0, 100, {"a": 100, "c": 10}), (0, 100, {"c": 10})], [200, 200]),  # c: 10 a second
        ([(0, 100, {"a": 0})], [100]),
    ],
)
def test_who_is_done_when(works: list[Work], ends: list[float]) -> None:
    found, _ = run({"a": 100.0, "c": 10.0}, works)
    assert found == pytest.approx(ends)


seconds = st.integers(1, 1000).map(float)


@given(
    st.lists(
        st.tuples(
            seconds,
            seconds,
            st.dictionaries(st.sampled_from("abc"), st.integers(1, 500).map(float), min_size=1),
        ),
        min_size=1,
        max_size=6,
    )
)
def test_all_is_done_and_no_disk_does_more_than_it_can(works: list[Work]) -> None:
    bandwidth = {"a": 100.0, "b": 250.0}
    ends, sharing = run(bandwidth, works)
    for (begins, alone, _), end in zip(works, ends, strict=True):
        assert end >= begins + alone - 1e-3
    for disk in "abc":
        wanted = sum(alone * demands.get(disk, 0.0) for _, alone, demands in works)
        assert sharing.moved.get(disk, 0.0) == pytest.approx(wanted, rel=1e-6)
    busy = max(ends) - min(begins for begins, _, _ in works)
    assert all(sharing.moved[disk] <= bandwidth[disk] * busy + 1e-3 for disk in bandwidth)
