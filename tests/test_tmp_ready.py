"""Which tmp directories are ready for the next worker, by phase and step."""

from __future__ import annotations

from pathlib import Path

import pytest

from asked import Asked, by_hand, worker
from farm import Farm
from plotrun import Stage

A, B = Path("/mnt/a"), Path("/mnt/b")


@pytest.mark.parametrize(
    ("rest", "workers", "before"),
    [
        ("", [worker(tmp=A), worker(tmp=A)], None),
        ('phase = "2:1"', [], None),
        ('phase = "2:1"', [worker(tmp=A, phase=2, step=1)], None),
        ('phase = "2:1"', [worker(tmp=A, phase=2, step=0)], "1 of 1 before phase 2:1"),
        ('phase = "2:1"', [worker("other", 1, 7, tmp=A)], "1 of 1 before phase 2:1"),
        ('phase = "2:1"', [worker(tmp=B)], None),
        ('phase = "3"', [worker(tmp=A, phase=3, step=0)], None),
        ('phase = "3"', [worker(tmp=A, phase=2, step=9)], "1 of 1 before phase 3:0"),
        ('phase = "2:1"', [worker(tmp=A, stage=Stage.FINISHING)], None),
        ('phase = "2:1"', [worker(tmp=A, stage=Stage.CREATED, phase=0)], "1 of 1 before phase 2:1"),
        ('phase = "1:5"', [by_hand(A)], "1 of 1 before phase 1:5"),
        ('phase = "1:5"', [worker(tmp=A, phase=1, step=5)], None),
        ('phase = "2:1"\nworkers = 2', [worker(tmp=A), worker(tmp=A, phase=3)], None),
        ('phase = "2:1"\nworkers = 2', [worker(tmp=A), by_hand(A)], "2 of 2 before phase 2:1"),
    ],
)
def test_a_directory_is_ready_while_few_are_before(
    rest: str, workers: list, before: str | None, farm: Farm
) -> None:
    asked = Asked(farm, f"[plugins.tmp_ready]\n{rest}", tmp=[str(A), str(B)])
    expected = {A: f"not ready, {before}"} if before else {}
    assert {p: r for p, r in asked.rejected(*workers).items() if p == A} == expected


def test_single_directories_may_have_other_values(farm: Farm) -> None:
    rest = f"""\
    [plugins.tmp_ready]
    phase = "2:1"
    [plugins.tmp_ready.tmp."{A}"]
    workers = 2
    [plugins.tmp_ready.tmp."{B}"]
    phase = "4"
    """
    asked = Asked(farm, rest, tmp=[str(A), str(B)])
    assert asked.rejected(worker(tmp=A), worker(tmp=B, phase=3)) == {
        B: "not ready, 1 of 1 before phase 4:0"
    }
    assert asked.rejected(worker(tmp=A), worker(tmp=A), worker(tmp=B, phase=4)) == {
        A: "not ready, 2 of 2 before phase 2:1"
    }


def test_second_temporary_directories_are_always_ready(farm: Farm) -> None:
    asked = Asked(farm, '[plugins.tmp_ready]\nphase = "2:1"', tmp=str(A), tmp2=str(B))
    assert asked.rejected(worker(tmp=B, tmp2=B), second=True) == {}


@pytest.mark.parametrize(
    ("rest", "said"),
    [
        ("phase = 2", 'found 2, expected a phase and step such as "2:1", or "3" (it is not text)'),
        ('phase = "2.1"', "it cannot be read"),
        ('phase = "1:0"', "no worker is before that"),
        ("workers = 0", "found 0, expected a whole number of at least 1"),
        ('tmp = { "/a" = { phase = "x" } }', '"/a": phase: found "x", expected a phase and step'),
    ],
)
def test_wrong_values_are_messages(rest: str, said: str, farm: Farm) -> None:
    from plotrun.settings.problems import SettingsError

    with pytest.raises(SettingsError) as wrong:
        Asked(farm, f"[plugins.tmp_ready]\n{rest}")
    assert said in str(wrong.value)
