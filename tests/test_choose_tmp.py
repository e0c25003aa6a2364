"""Which of the tmp directories that may be taken."""

from __future__ import annotations

from pathlib import Path

import pytest

from asked import Asked, by_hand, worker
from farm import Farm
from plotrun import Candidate, Stage

A, B, C = Path("/mnt/a"), Path("/mnt/b"), Path("/mnt/c")
ABC = [Candidate(path, n, free=10, last_used=3 - n) for n, path in enumerate((A, B, C))]
"""C was used longest ago."""


@pytest.mark.parametrize("how", [{}, {"choose_tmp": "in_turn"}])
def test_in_turn_is_the_default(how: dict[str, str], farm: Farm) -> None:
    assert Asked(farm, **how).chosen(ABC, worker(tmp=C)) == C


@pytest.mark.parametrize(
    ("workers", "chosen"),
    [
        ([], C),
        ([worker(tmp=C, phase=4)], B),
        ([worker(tmp=A, phase=4), worker(tmp=B, phase=3), worker(tmp=C, phase=2)], A),
        ([worker(tmp=A, step=2), worker(tmp=B, step=3), worker(tmp=C, step=1)], B),
        ([worker(tmp=A, phase=4), worker(tmp=A), worker(tmp=B, phase=2), worker(tmp=C)], B),
        ([worker(tmp=A, phase=2), worker(tmp=B, phase=2), by_hand(C)], B),
        ([worker(tmp=A, stage=Stage.FINISHING), worker(tmp=B), worker(tmp=C)], A),
    ],
)
def test_the_one_whose_youngest_worker_is_furthest(workers: list, chosen: Path, farm: Farm) -> None:
    assert Asked(farm, choose_tmp="furthest").chosen(ABC, *workers) == chosen


def test_second_directories_are_compared_by_the_workers_that_use_them_as_such(farm: Farm) -> None:
    asked = Asked(farm, choose_tmp="furthest", tmp2=[str(A), str(B)])
    workers = [worker(phase=1, tmp=A, tmp2=B / "own"), worker(phase=3, tmp=B, tmp2=A / "own")]
    assert asked.chosen(ABC[:2], *workers, second=True) == A
    assert asked.chosen(ABC[:2], *workers, second=False) == B


def test_the_one_with_the_most_free_space(farm: Farm) -> None:
    asked = Asked(farm, choose_tmp="most_free")
    free = [Candidate(A, 0, free=10), Candidate(B, 1, free=12), Candidate(C, 2, free=None)]
    assert asked.chosen(free) == B
    assert asked.chosen(ABC) == C, "where they are equal, in turn"


def test_a_choice_that_does_not_exist_is_a_message(farm: Farm) -> None:
    from plotrun.settings.problems import SettingsError

    said = 'found "best", expected "in_turn" or "furthest" or "most_free"'
    with pytest.raises(SettingsError, match=said):
        Asked(farm, choose_tmp="best")
