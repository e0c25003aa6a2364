"""Which workers a name on the command line means."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plotrun.cli import EXIT_NOTHING_MATCHED, EXIT_USAGE
from plotrun.cli.selecting import CommandError, select, select_one
from plotrun.model import ProcessRef, Progress, Stage, Worker


def worker(name: str, job: str, plot_id: str = "", pid: int = 0) -> Worker:
    return Worker(
        id=name,
        job=job,
        plotter="chia",
        stage=Stage.PLOTTING,
        created_at=0.0,
        process=ProcessRef(pid, "x") if pid else None,
        progress=Progress(plot_id=plot_id or None),
    )


FARM = (
    worker("3f9a1c07", "nvme", "aa11" * 16, 100),
    worker("3f112233", "nvme", "aa22" * 16, 200),
    worker("12345678", "hdd", "bb33" * 16, 300),
    worker("pid-400", "", "", 400),
)
ABOVE = {101: [100, 1], 301: [300, 1], 12: [1]}


def above(pid: int) -> Sequence[int]:
    return ABOVE.get(pid, [])


@pytest.mark.parametrize(
    ("names", "meant"),
    [
        (["3f9a1c07"], [0]),
        (["3f9"], [0]),
        (["aa2"], [1]),
        (["nvme"], [0, 1]),
        (["300"], [2]),
        (["301"], [2]),  # below the process that plotrun started
        (["101", "3f9"], [0]),  # once
        (["all"], [0, 1, 2]),
        (["400"], [3]),
        (["pid-400"], [3]),
        (["hdd", "pid-400"], [2, 3]),
        (["1234"], [2]),
    ],
)
def test_a_name_means(names: list[str], meant: list[int]) -> None:
    assert select(names, FARM, above) == [FARM[number] for number in meant]


@pytest.mark.parametrize(
    ("name", "code", "words"),
    [
        ("", EXIT_NOTHING_MATCHED, "no worker is called ; there are: 3f9a1c07 (job nvme"),
        ("zz", EXIT_NOTHING_MATCHED, "no worker is called zz; there are: 3f9a1c07 (job nvme"),
        ("12", EXIT_USAGE, "12 may mean several workers"),
        ("3f", EXIT_USAGE, "3f9a1c07 (job nvme, plot aa11aa11); 3f112233 (job nvme, plot aa22"),
        ("aa", EXIT_USAGE, "aa may mean several workers, give more of it: 3f9a1c07"),
        ("999", EXIT_NOTHING_MATCHED, "pid-400 (chia by hand)"),
    ],
)
def test_a_name_that_means_none_or_several_is_told(name: str, code: int, words: str) -> None:
    farm = (*FARM, worker("99fe0000", "x", pid=12)) if name == "12" else FARM
    with pytest.raises(CommandError) as told:
        select(["3f9", name], farm, above)
    assert told.value.exit_code == code
    assert words in told.value.message


def test_an_ended_worker_is_meant_where_none_lives() -> None:
    ended = [worker("3f000000", "nvme", "cc" * 32), worker("44000000", "nvme", "cd" * 32)]
    assert select_one("44", FARM, ended) == ended[1]
    assert select_one("cc", FARM, ended) == ended[0]
    assert select_one("3f9", FARM, ended) == FARM[0]
    with pytest.raises(CommandError, match="may mean several"):
        select_one("nvme", FARM, ended)
    with pytest.raises(CommandError, match="c may mean several"):
        select_one("c", FARM, ended)


@given(st.text(max_size=10), st.sampled_from(FARM))
def test_whatever_is_given_only_a_name_of_it_means_a_worker(name: str, one: Worker) -> None:
    try:
        (found,) = select([name], [one], above)
    except CommandError:
        return
    assert found == one
    assert name
    names = (one.id, one.progress.plot_id or "", str(one.process.pid) if one.process else "")
    assert any(known.startswith(name) for known in names) or name in (one.job, "all")
