"""Events between jobs, in simulated days: each is emitted once, and starts what it asks for."""

from __future__ import annotations

import json
import tempfile
from collections import Counter
from collections.abc import Sequence
from itertools import accumulate
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import given as hypothesis_given
from hypothesis import strategies as st

from farm import Farm
from plotrun import CHIAPOS_PHASE_SHARES, Event, EventKind
from plotrun.store import DueEvent, Store
from simulated import DAY, EPOCH, HOUR, MINUTE, simulate_events

ENDS = list(accumulate(CHIAPOS_PHASE_SHARES))
"""Which part of a plot's time each phase ends at."""
SOON = 1.1 * MINUTE
"""Seconds until a log is read."""
Table = dict[str, Any]


def job(farm: Farm, name: str, **keys: Any) -> Table:
    """A job of chia, endless unless *keys* say otherwise."""
    places = {"tmp": str(farm.tmp), "dst": str(farm.root / "a")}
    return {"name": name, "plotter": "chia", "plots": 0, "max_workers": 9} | places | keys


def write(farm: Farm, *jobs: Table, rest: str = "") -> None:
    """Settings with these jobs; a list of tables in one is written as ``[[job.…]]``."""
    text = f"[plotrun]\nstate_dir = {json.dumps(str(farm.state_dir))}\n{rest}\n"
    for each in jobs:
        text += "[[job]]\n"
        tables = {k: v for k, v in each.items() if isinstance(v, list) and isinstance(v[0], dict)}
        text += "".join(f"{k} = {toml(v)}\n" for k, v in each.items() if k not in tables)
        for key, rows in tables.items():
            for row in rows:
                text += f"[[job.{key}]]\n" + "".join(f"{k} = {toml(v)}\n" for k, v in row.items())
    farm.settings.write_text(text)


def toml(value: Any) -> str:
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{k} = {toml(v)}" for k, v in value.items()) + " }"
    return json.dumps(value)


def emit(event: str, at: str, **keys: Any) -> Table:
    return {"event": event, "at": at} | keys


def times(events: Sequence[Event], kind: EventKind, job: str | None = None) -> list[float]:
    return [e.at - EPOCH for e in events if e.kind is kind and job in (None, e.job)]


def emitted(events: Sequence[Event], name: str) -> list[float]:
    """When the event *name* came."""
    return [
        e.at - EPOCH for e in events if e.kind is EventKind.JOB_EVENT and e.data["event"] == name
    ]


def starts(events: Sequence[Event], job: str) -> list[float]:
    return times(events, EventKind.PLOTTER_STARTED, job)


MARKS = [
    ("pre started", 0.0),
    ("pre finished", 0.0),
    ("plotter started", 0.0),
    ("1 start", 0.0),
    ("1 end", ENDS[0]),
    ("1:3 start", ENDS[0] * 2 / 7),
    ("1:3 end", ENDS[0] * 3 / 7),
    ("1:7 end", ENDS[0]),
    ("2 start", ENDS[0]),
    ("4 start", ENDS[2]),
    ("4 end", 1.0),
    ("9:9 end", 1.0),
    ("50%", 0.5 / 0.95),  # of the way to the destination
    ("100%", 1.0),
    ("plotter finished", 1.0),
    ("delivered", 1.0),
    ("post started", 1.0),
    ("post finished", 1.0),
    ("worker end", 1.0),
    ("job end", 1.0),
]


def test_every_mark_is_passed_at_its_moment_and_once(farm: Farm) -> None:
    tables = [emit(f"e{number}", at) for number, (at, _) in enumerate(MARKS)]
    write(farm, job(farm, "a", plots=1, emit=tables))
    events = simulate_events(farm, 0.2, 2 * HOUR)
    for number, (at, part) in enumerate(MARKS):
        (came,) = emitted(events, f"e{number}")
        slack = 3 * MINUTE if at == "50%" else SOON  # a figure comes with each step
        assert part * 2 * HOUR - 1 <= came <= part * 2 * HOUR + slack, at


def test_a_failed_worker_emits_what_it_had_reached_and_its_end(farm: Farm) -> None:
    tables = [emit(f"e{number}", at) for number, (at, _) in enumerate(MARKS)]
    write(farm, job(farm, "a", emit=tables), rest="[plugins.backoff]\npause_after = 1")
    events = simulate_events(farm, 0.1, HOUR, exit_code=lambda number: 1)
    came = {at for number, (at, _) in enumerate(MARKS) if emitted(events, f"e{number}")}
    never = {"4 end", "9:9 end", "100%", "plotter finished", "delivered", "job end"}
    never |= {"post started", "post finished"}
    assert came == {at for at, _ in MARKS} - never


def test_an_event_starts_as_many_workers_as_the_job_says(farm: Farm) -> None:
    write(
        farm,
        job(farm, "a", plots=2, max_workers=1, emit=[emit("go", "2 start", delay="10m")]),
        job(farm, "b", start_on={"go": 3}),
    )
    events = simulate_events(farm, 0.2, 2 * HOUR)
    expected = [
        begun + ENDS[0] * 2 * HOUR + 10 * MINUTE for begun in (0, 2 * HOUR) for _ in range(3)
    ]
    assert starts(events, "b") == pytest.approx(expected, abs=SOON)


def test_what_cannot_start_at_once_is_dropped_and_said(farm: Farm) -> None:
    write(
        farm,
        job(farm, "a", plots=1, emit=[emit("go", "plotter finished")]),
        job(farm, "b", start_on={"go": 3}, max_workers=2),
    )
    events = simulate_events(farm, 0.1, HOUR)
    assert starts(events, "b") == pytest.approx([HOUR] * 2, abs=2)
    (dropped,) = [e for e in events if e.kind is EventKind.STARTS_DROPPED]
    assert dropped.job == "b"
    assert dropped.data == {
        "count": 1,
        "asked_by": "the event go",
        "reason": "2 of 2 workers of this job",
    }


def test_a_job_with_a_queue_keeps_them(farm: Farm) -> None:
    write(
        farm,
        job(farm, "a", plots=2, max_workers=2, emit=[emit("go", "plotter finished")]),
        job(farm, "b", start_on={"go": 2}, max_workers=1, queue=True),
    )
    events = simulate_events(farm, 0.3, HOUR, restarts=[HOUR + 60, 1.5 * HOUR, 2 * HOUR])
    # Two events at one moment add up.
    assert starts(events, "b") == pytest.approx([n * HOUR for n in range(1, 5)], abs=SOON)
    assert times(events, EventKind.STARTS_DROPPED) == []


@pytest.mark.parametrize("at", ["plotter finished", "worker end"])
def test_the_slot_and_the_tmp_of_whoever_emits_are_free(farm: Farm, at: str) -> None:
    rest = "[plugins.limits]\nmax_workers = 1\nmax_workers_per_tmp = 1\n"
    write(
        farm,
        job(farm, "a", start_on={"b-over": 1}, emit=[emit("a-over", at)]),
        job(farm, "b", start_on={"a-over": 1}, emit=[emit("b-over", at)]),
        rest=rest,
    )
    given(farm, "a-over")
    events = simulate_events(farm, 0.25, HOUR)
    assert starts(events, "b") == pytest.approx([0, 2 * HOUR, 4 * HOUR], abs=2)
    assert starts(events, "a") == pytest.approx([HOUR, 3 * HOUR, 5 * HOUR], abs=2)


def given(farm: Farm, name: str) -> None:
    """What ``plotrun emit`` writes."""
    store = Store(farm.state_dir)
    store.due.add([DueEvent(name, EPOCH)])
    store.close()


def test_a_delay_outlasts_restarts(farm: Farm) -> None:
    write(
        farm,
        job(farm, "a", plots=1, emit=[emit("go", "plotter started", delay="20m")]),
        job(farm, "b", start_on={"go": 1}),
    )
    events = simulate_events(farm, 0.1, 2 * HOUR, restarts=[n * 3 * MINUTE for n in range(1, 20)])
    assert emitted(events, "go") == pytest.approx([20 * MINUTE], abs=2)
    assert starts(events, "b") == pytest.approx([20 * MINUTE], abs=2)


def test_an_event_that_comes_before_logs_are_read_again_is_not_dropped(farm: Farm) -> None:
    delays = ("10m", "20m", "30m")
    tables = [emit("go", "plotter started", delay=delay) for delay in delays]
    write(
        farm,
        job(farm, "a", plots=1, emit=tables),
        job(farm, "b", start_on={"go": 1}, max_phase1=1, max_workers=3),
    )
    # Workers of b are in phase 1 for 8 minutes: with an old record of them nothing could start.
    restarts = [20 * MINUTE - 0.1, 30 * MINUTE - 0.1]
    events = simulate_events(farm, 0.1, 8 * MINUTE / ENDS[0], restarts=restarts)
    assert starts(events, "b") == pytest.approx([n * 10 * MINUTE for n in (1, 2, 3)], abs=30)
    assert times(events, EventKind.STARTS_DROPPED) == []


def test_a_number_of_plots_ends_what_events_start(farm: Farm) -> None:
    over = [emit("over", "worker end")]
    write(farm, job(farm, "a", plots=3, start_on={"over": 5}, emit=over))
    given(farm, "over")
    events = simulate_events(farm, 0.2, HOUR / 2)
    assert len(starts(events, "a")) == 3


def test_the_end_of_a_job_is_emitted_each_time_it_ends(farm: Farm) -> None:
    tables = [emit("a-over", "job end")]
    for plots in (2, 3):
        write(
            farm,
            job(farm, "a", plots=plots, emit=tables),
            job(farm, "b", start_on={"a-over": 1}),
        )
        events = simulate_events(farm, 0.1, HOUR / 2, restarts=[HOUR])
        assert len(emitted(events, "a-over")) == 1
        assert len(starts(events, "b")) == 1
        for plot in farm.plots():  # a second simulation makes the same ones
            plot.unlink()


def test_a_job_whose_events_are_off_emits_none_and_what_is_passed_meanwhile_is_gone(
    farm: Farm,
) -> None:
    tables = [emit("phase-2", "2 start"), emit("over", "worker end")]
    write(farm, job(farm, "a", max_workers=1, emit=tables, events=False))
    assert times(simulate_events(farm, 0.02, 40 * MINUTE), EventKind.JOB_EVENT) == []
    store = Store(farm.state_dir)
    (worker,) = store.alive_workers()
    store.close()
    assert worker.emitted == ("phase-2 at 2 start",)


# Whatever the settings

NAMES = ("one", "two", "three")
EVENTS = ("x", "y", "z")
WORKER_MARKS = ("plotter started", "1:4 end", "2 start", "3 end", "plotter finished", "worker end")
emits = st.fixed_dictionaries(
    {"event": st.sampled_from(EVENTS), "at": st.sampled_from((*WORKER_MARKS, "job end"))},
    optional={"delay": st.sampled_from(("1m", "25m"))},
)
jobs = st.fixed_dictionaries(
    {
        "plots": st.integers(1, 4),
        "max_workers": st.integers(1, 3),
        "emit": st.lists(
            emits, min_size=1, max_size=3, unique_by=lambda each: tuple(sorted(each.items()))
        ),
        "queue": st.booleans(),
    },
    optional={
        "start_on": st.dictionaries(st.sampled_from(EVENTS), st.integers(1, 3), min_size=1),
    },
)


@settings(max_examples=6, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@hypothesis_given(
    tables=st.lists(jobs, min_size=2, max_size=3),
    codes=st.lists(st.sampled_from((0, 0, 0, 1)), min_size=1, max_size=5),
    restarts=st.lists(st.floats(30, 2.5 * HOUR), max_size=4),
    by_hand=st.sampled_from(EVENTS),
)
def test_each_event_comes_once_for_each_worker_and_nothing_starts_without_one(
    tables: list[Table], codes: list[int], restarts: list[float], by_hand: str
) -> None:
    with tempfile.TemporaryDirectory() as directory:
        farm = Farm(Path(directory))
        named = dict(zip(NAMES, tables, strict=False))
        write(farm, *(job(farm, name, **keys) for name, keys in named.items()))
        given(farm, by_hand)
        codes_of = lambda number: codes[number % len(codes)]  # noqa: E731
        events = simulate_events(farm, 3 * HOUR / DAY, 20 * MINUTE, codes_of, restarts=restarts)
    came = Counter((e.job, e.worker, e.data["event"]) for e in events if is_event(e))
    ended = {e.worker: e for e in events if e.kind is EventKind.WORKER_ENDED}
    for event in events:
        if event.kind is EventKind.WORKER_CREATED:
            wanted: Counter[str] = Counter()
            for each in named[event.job or ""]["emit"]:
                wanted[each["event"]] += each["at"] in (*WORKER_MARKS,)
            for name in EVENTS:
                count = came[event.job, event.worker, name]
                assert count <= wanted[name], "once for each worker"
                end = ended.get(event.worker)
                if end and end.data["outcome"] == "done" and end.at - EPOCH < 2.5 * HOUR:
                    assert count == wanted[name], "no event is lost"
    for name, keys in named.items():
        if "start_on" in keys:
            asked = sum(n * keys["start_on"].get(event, 0) for (_, _, event), n in came.items())
            assert len(times(events, EventKind.WORKER_CREATED, name)) <= asked


def is_event(event: Event) -> bool:
    return event.kind is EventKind.JOB_EVENT


def test_a_time_written_before_the_clock_was_set_back_comes_when_it_should(farm: Farm) -> None:
    write(farm, job(farm, "a", at=[{"every": "day", "at": "22:00"}]))
    store = Store(farm.state_dir)
    store.asked.set_times({("a", "every day at 22:00"): EPOCH + 400 * DAY})
    store.close()
    events = simulate_events(farm, 1.0, HOUR)
    assert len(starts(events, "a")) == 1
