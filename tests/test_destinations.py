"""Which destinations take a plot, and which of them gets it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from asked import Asked
from farm import Farm
from plotrun import Candidate

A, B, C = Path("/mnt/a"), Path("/mnt/b"), Path("/mnt/c")
FREE = 1000
ABC = [Candidate(path, n, free=FREE, last_used=3 - n) for n, path in enumerate((A, B, C))]
"""C was used longest ago."""


def one(path: Path = A, **facts: object) -> Candidate:
    return replace(ABC[0], path=path, **facts)  # type: ignore[arg-type]


# Full


@pytest.mark.parametrize(
    ("candidate", "rest", "keys", "reason"),
    [
        (one(needed=1000), "", {}, None),
        (one(needed=1001), "", {}, "full (1000 B free, 1001 B needed)"),
        (one(needed=0, free=0), "", {}, None),
        (one(needed=901, promised=100), "", {}, "full (1000 B free, 100 B promised, 901 B needed)"),
        (
            one(needed=901, expected=100),
            "",
            {},
            "full (1000 B free, 100 B still to be taken by plotters, 901 B needed)",
        ),
        (one(needed=900, promised=100), "", {}, None),
        (one(needed=0, promised=2000), "", {"min_free": "1GB"}, None),
        (one(needed=1), "", {"min_free": "1KB"}, "full (1000 B free, 1000 B to stay free, 1 B "),
        (one(needed=1), '[plugins.skip_full.dst."/mnt/b"]\nmin_free = "1GB"\n', {}, None),
        (one(needed=1), '[plugins.skip_full.dst."/mnt/a"]\nmin_free = "1GB"\n', {}, "full ("),
        (
            one(needed=1000),
            '[plugins.skip_full.dst."/mnt/a"]\nmin_free = 0\n',
            {"min_free": "1GB"},
            None,
        ),
    ],
)
def test_full_is_what_has_no_room_beside_what_is_to_stay_free(
    candidate: Candidate, rest: str, keys: dict[str, str], reason: str | None, farm: Farm
) -> None:
    left, rejected = Asked(farm, rest, **keys).judged([candidate])
    assert (left == [A]) == (reason is None)
    assert (reason or "") in rejected.get(A, "")
    assert bool(rejected) == (reason is not None)


# Not mounted


@pytest.mark.parametrize("kind", ["tmp", "dst"])
@pytest.mark.parametrize(
    ("mount", "points", "must", "reason"),
    [
        (Path("/"), [], False, None),
        (Path("/"), [], True, "not mounted: it lies on the disk of / (must_be_mount)"),
        (Path("/mnt"), [], True, None),
        (None, [], True, "not mounted"),
        (Path("/mnt"), ["/mnt/a"], False, "not mounted: nothing is mounted on /mnt/a"),
        (Path("/mnt/a"), ["/mnt/a"], True, None),
        (Path("/mnt/a"), ["/mnt"], False, None),
        (Path("/"), ["/mnt/b"], False, None),
        (Path("/mnt/a"), ["/mnt/a", "/mnt/a/plots"], False, None),
    ],
)
def test_directories_that_are_not_mounted_are_left_alone(
    kind: str, mount: Path | None, points: list[str], must: bool, reason: str | None, farm: Farm
) -> None:
    rest = f"[plugins.not_mounted]\nmount_points = {points}\n" if points else ""
    asked = Asked(farm, rest, must_be_mount=must, check_room=False)
    candidate = one(mount=mount)
    if kind == "dst":
        rejected = asked.judged([candidate])[1]
    else:
        _, rejected = asked.plugins.left_by_filters(
            "plotrun_filter_tmp",
            [candidate],
            job=asked.job,
            second=False,
            workers=[],
            settings=asked.settings,
        )
    assert (reason or "") in rejected.get(A, "")
    assert bool(rejected) == (reason is not None)


def test_a_marked_destination_is_left_alone(farm: Farm) -> None:
    marked = [one(marks=frozenset({"plotrun.skip"})), one(B, marks=frozenset())]
    assert Asked(farm).judged(marked) == ([B], {A: "marked: plotrun.skip is in it"})


# Choices


@pytest.mark.parametrize(
    ("how", "candidates", "chosen"),
    [
        ("round_robin", ABC, C),
        ("round_robin", [ABC[0], ABC[1]], B),
        ("most_free", [ABC[0], replace(ABC[1], free=1001), ABC[2]], B),
        ("most_free", [replace(ABC[0], free=2000, promised=1001), ABC[1]], B),
        ("most_free", ABC, C),
        ("fill_first", ABC, A),
        ("fill_first", ABC[1:], B),
        ("least_busy", [replace(ABC[0], workers=1), ABC[1], replace(ABC[2], workers=2)], B),
        ("least_busy", ABC, C),
    ],
)
def test_the_choice_of_the_job(
    how: str, candidates: list[Candidate], chosen: Path, farm: Farm
) -> None:
    assert Asked(farm, choose_dst=how).destination(candidates) == chosen


def test_in_turn_is_the_default(farm: Farm) -> None:
    assert Asked(farm).destination(ABC) == C


def test_a_choice_that_does_not_exist_is_a_message(farm: Farm) -> None:
    from plotrun.settings.problems import SettingsError

    with pytest.raises(SettingsError, match='expected "round_robin" or "most_free" or'):
        Asked(farm, choose_dst="best")
