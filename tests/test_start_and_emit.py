"""Starts and events by hand, and chains of jobs, with real plots of the embedded plotter."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence

import pytest

from farm import Farm, until
from plotrun import Event, EventKind
from plotrun.store import Store


def more_job(farm: Farm, name: str, keys: str) -> str:
    """One more ``[[job]]`` of the embedded plotter."""
    places = f"tmp = {json.dumps(str(farm.tmp))}\ndst = {json.dumps(str(farm.root / 'b'))}\n"
    return f'[[job]]\nname = "{name}"\nplotter = "chiapos"\nk = 18\n{places}{keys}\n'


def emitting(name: str, at: str) -> str:
    return f'[[job.emit]]\nevent = "{name}"\nat = "{at}"\n'


def events(farm: Farm) -> Sequence[Event]:
    store = Store(farm.state_dir)
    try:
        return store.events.last(1000)
    finally:
        store.close()


def names(farm: Farm) -> list[object]:
    return [e.data["event"] for e in events(farm) if e.kind is EventKind.JOB_EVENT]


def test_a_chain_of_three_jobs_runs_from_end_to_end(farm: Farm) -> None:
    chain = (
        emitting("a-phase-2", "2 start") + emitting("a-half", "50%") + emitting("a-over", "job end")
    )
    chain += more_job(farm, "b", 'plots = 2\nmax_workers = 2\nstart_on = { "a-over" = 2 }')
    chain += emitting("b-there", "delivered")
    chain += more_job(farm, "c", 'plots = 2\nstart_on = { "b-there" = 1 }\nqueue = true')
    farm.write(name="a", plots=1, job=chain)
    ended = farm.run_until_done()
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert len(farm.plots()) == 5
    order = ["a-phase-2", "a-half", "a-over", "b-there", "b-there"]
    assert names(farm) == order
    said = ended.stdout
    assert "job a: event a-over: starts 2 of job b\n" in said
    assert said.index("job a: has made its 1 plots") < said.index("job b worker")
    assert said.index("event b-there") < said.index("job c worker")


def test_until_done_does_not_wait_for_an_event_that_nobody_emits(farm: Farm) -> None:
    farm.write(start_on=..., job='start_on = { "by-hand" = 1 }')
    ended = farm.run_until_done()
    assert ended.returncode == 1
    assert ended.stderr == "error: job test: waits for the event by-hand\n"
    assert "warning" not in ended.stderr
    assert "no job emits the event by-hand: only `plotrun emit by-hand` does" in ended.stdout


def test_an_event_by_hand_starts_what_waits_for_it(farm: Farm) -> None:
    farm.write(plots=2, max_workers=2, job='start_on = { "disk-free" = 2 }')
    wrong = farm.plotrun("emit", "disk-fre")
    assert wrong.returncode == 3
    assert wrong.stderr == ("error: no job starts on the event disk-fre: did you mean disk-free?\n")
    said = farm.plotrun("emit", "disk-free")
    assert (said.returncode, said.stdout) == (
        0,
        "plotrun is not up: the event comes when it is\n"
        "job test starts 2, unless something holds it\n",
    )
    ended = farm.run_until_done()
    assert ended.returncode == 0
    assert "event disk-free (of " in ended.stdout
    assert ", plotrun was down): starts 2 of job test\n" in ended.stdout
    assert len(farm.plots()) == 2


def test_a_start_by_hand_is_answered(farm: Farm) -> None:
    farm.write(
        plots=0,
        k=22,
        max_workers=2,
        stagger="10h",
        start_hours=closed_now(),
        job='start_on = { "never" = 1 }',
    )
    runner = farm.start("run")
    until(runner, "plotrun runs with")
    said = farm.plotrun("start", "test", "-n", "2")
    assert (said.returncode, said.stdout) == (0, "job test: 2 workers started\n")
    held = farm.plotrun("start", "test")
    assert (held.returncode, held.stderr) == (
        1,
        "error: job test: 2 of 2 workers of this job\n",
    )
    assert farm.plotrun("start", "tset").returncode == 3
    assert farm.plotrun("start", "test", "-n", "0").returncode == 2
    runner.terminate()
    assert runner.wait(30) == 0
    assert [w["job"] for w in farm.workers()] == ["test", "test"]


def closed_now() -> str:
    """Hours of the day that are over, or far off."""
    hour = (time.localtime().tm_hour + 12) % 24
    return f"{hour:02}:00-{(hour + 1) % 24:02}:00"


def test_a_start_by_hand_without_a_runner_waits_for_it_and_a_pause_holds_it(farm: Farm) -> None:
    farm.write(plots=2, job='start_on = { "never" = 1 }')
    said = farm.plotrun("start", "test")
    assert (said.returncode, said.stdout) == (
        0,
        "plotrun is not up: job test starts 1 when it is\n",
    )
    assert farm.run_until_done().returncode == 1
    assert len(farm.plots()) == 1
    farm.plotrun("pause", "test")
    farm.plotrun("start", "test")
    ended = farm.run_until_done()
    assert "job test: 1 asked for by hand not started: paused by the user\n" in ended.stdout
    assert len(farm.plots()) == 1


def test_paused_events_are_not_emitted_and_the_job_goes_on(farm: Farm) -> None:
    tables = emitting("over", "worker end") + more_job(
        farm, "b", 'plots = 1\nstart_on = { "over" = 1 }'
    )
    farm.write(plots=1, job=tables)
    paused = farm.plotrun("pause", "test", "--events").stdout
    assert paused == "job test emits no events until `plotrun unpause test --events`\n"
    farm.plotrun("run", "--until-done")
    assert farm.status()["jobs"][0]["events_paused"] is True
    assert "its events are paused" in farm.plotrun("status").stdout
    assert names(farm) == []
    assert len(farm.plots()) == 1
    lifted = farm.plotrun("unpause", "--all", "--events").stdout
    assert lifted == "job test emits its events again\njob b emits its events again\n"
    farm.write(plots=2, job=tables)
    assert farm.run_until_done().returncode == 0
    assert names(farm) == ["over"]
    assert len(farm.plots()) == 3


@pytest.mark.parametrize("arguments", [("--events", "--reason", "x"), ("--all", "--events", "x")])
def test_wrong_usage_of_pause(farm: Farm, arguments: tuple[str, ...]) -> None:
    farm.write()
    assert farm.plotrun("pause", "test", *arguments).returncode == 2
