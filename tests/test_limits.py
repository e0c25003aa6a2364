"""How many may run, and be in phase 1: each maximum at its boundary."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from asked import Asked, by_hand, worker
from farm import Farm
from plotrun import Stage

A, B = Path("/mnt/a"), Path("/mnt/b")
FREE = {"max_workers": 99}
"""A job whose own maximum is out of the way."""


@pytest.mark.parametrize(
    ("rest", "keys", "workers", "reason"),
    [
        ("", {"max_workers": 2}, [worker()], None),
        ("", {"max_workers": 2}, [worker(), worker()], "2 of 2 workers of this job"),
        ("", {"max_workers": 2}, [worker(), worker("other"), by_hand()], None),
        ("", {"max_workers": 1}, [worker(stage=Stage.FINISHING)], None),
        ("", {"max_workers": 1}, [worker(stage=Stage.CREATED)], "1 of 1 workers of this job"),
        ("max_workers = 2", FREE, [worker()], None),
        ("max_workers = 2", FREE, [by_hand(), worker("o")], "2 of 2 workers on this machine"),
        ("max_workers = 2", FREE, [worker("o"), worker(stage=Stage.CLEANING)], None),
        ("", {"max_workers": 99, "max_phase1": 2}, [worker(), worker(phase=2)], None),
        (
            "",
            {"max_workers": 99, "max_phase1": 2},
            [worker(), worker(phase=0)],
            "2 of 2 workers of this job in phase 1",
        ),
        ("", {"max_workers": 99, "max_phase1": 1}, [worker("other"), by_hand()], None),
        ("max_phase1 = 2", FREE, [worker(), worker(phase=2), worker("o", phase=4)], None),
        (
            "max_phase1 = 2",
            FREE,
            [worker("o"), by_hand()],
            "2 of 2 workers on this machine in phase 1",
        ),
        (
            "max_workers = 1",
            {"max_workers": 1},
            [worker()],
            "1 of 1 workers of this job\n1 of 1 workers on this machine",
        ),
    ],
)
def test_maxima_of_the_job_and_of_the_machine(
    rest: str, keys: dict[str, Any], workers: list[Any], reason: str | None, farm: Farm
) -> None:
    assert Asked(farm, f"[plugins.limits]\n{rest}", **keys).reason(*workers) == reason


@pytest.mark.parametrize(
    ("rest", "keys", "workers", "rejected"),
    [
        ("max_workers_per_tmp = 2", {}, [worker(tmp=A), worker(tmp=B)], {}),
        ("max_workers_per_tmp = 2", {}, [worker(tmp=A), worker("o", 4, tmp=A)], {A: "workers"}),
        ("max_workers_per_tmp = 1", {}, [worker(tmp=A, stage=Stage.FINISHING)], {}),
        ("max_workers_per_tmp = 2", {}, [by_hand(A), by_hand(A / "below")], {A: "workers"}),
        ("max_workers_per_tmp = 1", {}, [by_hand(A.parent), by_hand(Path("/mnt/a2"))], {}),
        ("max_phase1_per_tmp = 2", {}, [worker(tmp=A), worker(tmp=A, phase=2)], {}),
        ("max_phase1_per_tmp = 2", {}, [worker(tmp=B), by_hand(B)], {B: "in phase 1"}),
        ("", {"start_mode": "smart"}, [worker(tmp=A, phase=2), worker(tmp=B, phase=4)], {}),
        ("", {"start_mode": "smart"}, [worker("o", tmp=B)], {B: "in phase 1 (smart)"}),
        ("", {"start_mode": "normal"}, [worker(tmp=A), worker(tmp=B)], {}),
    ],
)
def test_maxima_of_tmp_directories(
    rest: str, keys: dict[str, Any], workers: list[Any], rejected: dict[Path, str], farm: Farm
) -> None:
    asked = Asked(farm, f"[plugins.limits]\n{rest}", tmp=[str(A), str(B)], **FREE, **keys)
    found = asked.rejected(*workers)
    assert {path: reason.split(" ", 3)[3] for path, reason in found.items()} == rejected


def test_the_words_name_count_and_maximum(farm: Farm) -> None:
    asked = Asked(farm, "[plugins.limits]\nmax_phase1_per_tmp = 2", tmp=str(A))
    assert asked.rejected(worker(tmp=A), worker(tmp=A)) == {A: "2 of 2 in phase 1"}


def test_a_directory_may_have_maxima_of_its_own(farm: Farm) -> None:
    rest = f"""\
    [plugins.limits]
    max_workers_per_tmp = 1
    max_phase1_per_tmp = 1
    [plugins.limits.tmp."{A}/"]
    max_workers = 2
    """
    asked = Asked(farm, rest, tmp=[str(A), str(B)])
    one = [worker(tmp=A, phase=2), worker(tmp=B, phase=2)]
    assert asked.rejected(*one) == {B: "1 of 1 workers"}
    assert asked.rejected(*one, worker(tmp=A, phase=2))[A] == "2 of 2 workers"
    in_phase1 = asked.rejected(worker(tmp=A))
    assert in_phase1 == {A: "1 of 1 in phase 1"}, "what it does not say holds for it, too"


def test_smart_is_stricter_than_a_maximum(farm: Farm) -> None:
    rest = "[plugins.limits]\nmax_phase1_per_tmp = 3"
    asked = Asked(farm, rest, tmp=str(A), start_mode="smart")
    assert asked.rejected(worker(tmp=A)) == {A: "1 of 1 in phase 1 (smart)"}


def test_second_temporary_directories_have_no_maxima(farm: Farm) -> None:
    rest = "[plugins.limits]\nmax_workers_per_tmp = 1\nmax_phase1_per_tmp = 1"
    asked = Asked(farm, rest, tmp=str(A), tmp2=str(B), start_mode="smart")
    shared = worker(tmp=A, tmp2=B / "plotrun-w")
    assert asked.rejected(shared, second=True) == {}
    assert list(asked.rejected(shared)) == [A]


EARLY = {"max_workers": 1, "start_early_phase": 2, "start_early_delay": "10m"}


@pytest.mark.parametrize(
    ("starts", "now", "reason"),
    [
        ([0, 100], 9999, "1 of 1 workers of this job"),
        ([0, 100, 200], 200 + 599, "1 of 1 workers of this job"),
        ([0, 100, 200], 200 + 600, None),
        ([0, 100, 200, 700], 200 + 600, None),
        ([0, 100, 200, 700], 200 + 599, "1 of 1 workers of this job"),
    ],
)
def test_a_worker_past_the_phase_for_long_enough_counts_no_more(
    starts: list[float], now: float, reason: str | None, farm: Farm
) -> None:
    assert Asked(farm, **EARLY).reason(worker(starts=starts), now=now) == reason


def test_a_hold_says_when_the_next_worker_counts_no_more(farm: Farm) -> None:
    asked = Asked(farm, **EARLY | {"start_early_max": 5})
    held = asked.hold(worker(starts=[0, 1, 50]), now=60)
    assert held is not None
    assert held.until == 50 + 600
    two = asked.hold(worker(starts=[0, 1, 50]), worker(starts=[0, 1, 20]), now=60)
    assert two is not None
    assert two.until == 50 + 600, "two are more than the maximum: both must leave"
    unknown = asked.hold(worker(starts=[0, 1]), now=60)
    assert unknown is not None
    assert unknown.until is None


@pytest.mark.parametrize(
    ("most", "running", "reason"),
    [
        (None, 1, None),
        (None, 2, "2 of 2 workers of this job, early starts included"),
        (3, 2, None),
        (3, 3, "3 of 3 workers of this job, early starts included"),
    ],
)
def test_early_starts_have_a_maximum(
    most: int | None, running: int, reason: str | None, farm: Farm
) -> None:
    keys = EARLY | ({"start_early_max": most} if most else {})
    late = [worker(starts=[0, 1, 2])] * running
    assert Asked(farm, **keys).reason(*late, now=9999) == reason


@pytest.mark.parametrize(
    ("rest", "keys", "said"),
    [
        ("max_phase1 = 0", {}, "plugins.limits.max_phase1: found 0, expected a whole number of"),
        ("", {"start_mode": "clever"}, 'found "clever", expected "normal" or "smart"'),
        ("", {"start_early_delay": 5}, "found 5, expected a duration"),
        (
            'tmp = { "/a" = { max_workers = 0 } }',
            {},
            "plugins.limits.tmp: found a table, expected a table for each directory "
            '("/a": max_workers: found 0, expected a whole number of at least 1)',
        ),
        ('tmp = { "/a" = { max_work = 1 } }', {}, 'unknown key "max_work", did you mean max_wo'),
        ('tmp = { "a" = { } }', {}, '"a": it is a relative path'),
        ('tmp = { "/a" = 3 }', {}, '"/a": found 3, expected a table'),
        ('tmp = { "/a" = { }, "/a/" = { } }', {}, '"/a/": it is named twice'),
        ("tmp = 3", {}, "plugins.limits.tmp: found 3, expected a table for each directory"),
    ],
)
def test_wrong_values_are_messages(rest: str, keys: dict[str, Any], said: str, farm: Farm) -> None:
    from plotrun.settings.problems import SettingsError

    with pytest.raises(SettingsError) as wrong:
        Asked(farm, f"[plugins.limits]\n{rest}", **keys)
    assert said in str(wrong.value)
    assert "\n" not in str(wrong.value)
