"""``plotrun pause`` and ``plotrun unpause``."""

from __future__ import annotations

import json

from farm import Farm, until

OTHER = """
[[job]]
name = "other"
plotter = "chiapos"
plots = 1
k = 18
tmp = {tmp}
dst = {dst}
"""


def write_two(farm: Farm) -> None:
    farm.write(job=OTHER.format(tmp=json.dumps(str(farm.tmp)), dst=json.dumps(f"{farm.root}/a")))


def paused(farm: Farm) -> dict[str, str | None]:
    return {job["name"]: job["paused"] for job in farm.status()["jobs"]}


def test_a_paused_job_starts_nothing_and_says_why(farm: Farm) -> None:
    write_two(farm)
    said = farm.plotrun("pause", "test", "--reason", "new disk\non Tuesday").stdout
    assert said == "job test starts nothing more until `plotrun unpause test`\n"
    ended = farm.run_until_done()
    assert ended.returncode == 1
    assert ended.stderr == "error: job test: paused by the user: new disk on Tuesday\n"
    assert len(farm.plots()) == 1, "the other job is not paused"
    assert farm.holds() == ["paused by the user: new disk on Tuesday"]
    assert farm.plotrun("unpause", "test").returncode == 0
    assert farm.run_until_done().returncode == 0
    assert len(farm.plots()) == 2


def test_a_pause_reaches_a_runner_that_is_up_and_what_runs_goes_on(farm: Farm) -> None:
    farm.write(k=22, plots=2)
    runner = farm.start("run", "--until-done")
    until(runner, "plotter started")
    assert farm.plotrun("pause", "test").returncode == 0
    until(runner, "delivered")
    assert runner.wait(60) == 1
    assert farm.holds() == ["paused by the user"]
    assert len(farm.plots()) == 1


def test_all_jobs_at_once(farm: Farm) -> None:
    write_two(farm)
    assert farm.plotrun("pause", "--all").stdout.count("starts nothing more") == 2
    assert farm.run_until_done().returncode == 1
    assert paused(farm) == {"test": "paused by the user", "other": "paused by the user"}
    assert farm.plots() == []
    lifted = farm.plotrun("unpause", "--all").stdout
    assert lifted == "job test may start again\njob other may start again\n"
    assert paused(farm) == {"test": None, "other": None}


def test_neither_or_both_of_job_and_all_is_wrong_usage(farm: Farm) -> None:
    farm.write()
    for command in (["pause"], ["pause", "test", "--all"], ["unpause"], ["unpause", "x", "--all"]):
        wrong = farm.plotrun(*command)
        assert wrong.returncode == 2
        assert "give either the name of a job or --all" in wrong.stderr


def test_a_job_that_is_not_there_matches_nothing(farm: Farm) -> None:
    farm.write()
    wrong = farm.plotrun("pause", "tset")
    assert wrong.returncode == 3
    assert wrong.stderr == "error: there is no job tset; there are: test\n"
