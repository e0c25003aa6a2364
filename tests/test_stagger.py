"""The least time between starts, and the delay before a job's first, at their boundaries."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from asked import NOW, Asked, by_hand, worker
from farm import Farm
from plotrun import Event, EventKind, JobState, Stage
from plotrun.store import Store

FREE = {"max_workers": 99}


@pytest.fixture(autouse=True)
def utc(zone: Callable[[str], None]) -> None:
    zone("UTC")


@pytest.mark.parametrize(
    ("state", "workers", "until"),
    [
        ({}, [], None),
        ({"last_start_at": NOW - 600}, [], None),
        ({"last_start_at": NOW - 599}, [], NOW + 1),
        ({"last_start_at": NOW + 600}, [], NOW + 1200),  # the clock was set back
        ({"last_start_at": NOW + 601}, [], None),  # by more than can be waited for
        ({"last_start_at": NOW - 599}, [worker(started=NOW - 5)], NOW + 595),
        ({"last_start_at": NOW - 5}, [worker(started=NOW - 599)], NOW + 595),
        ({}, [worker(stage=Stage.FINISHING, started=NOW - 10)], NOW + 590),
        ({"last_start_of_any": NOW}, [worker("other", started=NOW), by_hand(started=NOW)], None),
    ],
)
def test_the_stagger_of_a_job(state: dict, workers: list, until: float | None, farm: Farm) -> None:
    hold = Asked(farm, stagger="10m", **FREE).hold(*workers, state=JobState("test", **state))
    assert (hold.until if hold else None) == until
    if hold is not None:
        assert hold.reason.startswith("10m between starts of this job: not before Mon 1")


@pytest.mark.parametrize(
    ("state", "workers", "until"),
    [
        ({}, [], None),
        ({"last_start_at": NOW}, [], None),
        ({"last_start_of_any": NOW - 600}, [], None),
        ({"last_start_of_any": NOW - 599}, [], NOW + 1),
        ({}, [worker("other", started=NOW - 599)], NOW + 1),
        ({}, [by_hand(started=NOW - 599)], NOW + 1),
        ({}, [by_hand(started=NOW - 600)], None),
    ],
)
def test_the_stagger_of_all(state: dict, workers: list, until: float | None, farm: Farm) -> None:
    asked = Asked(farm, '[plugins.stagger]\nstagger = "10m"', **FREE)
    hold = asked.hold(*workers, state=JobState("test", **state))
    assert (hold.until if hold else None) == until
    if hold is not None:
        assert hold.reason.startswith("10m between any two starts: not before")


def test_a_worker_that_is_about_to_start_holds_the_next(farm: Farm) -> None:
    asked = Asked(farm, stagger="10m", **FREE)
    state = JobState("test", last_start_at=NOW - 3600)
    for stage in (Stage.CREATED, Stage.PRE_COMMAND):
        waiting = worker(stage=stage, started=None)
        words = "10m between starts of this job: worker w is about to start"
        assert asked.reason(waiting, state=state) == words
    failed = worker(stage=Stage.CLEANING, started=None)
    assert asked.reason(failed, state=state) is None


@pytest.mark.parametrize(
    ("state", "until"),
    [
        ({"listed_at": NOW - 3599}, NOW + 1),
        ({"listed_at": NOW - 3600}, None),
        ({"listed_at": NOW + 3601}, None),  # the clock was set back
        ({"listed_at": NOW - 10, "last_start_at": NOW - 5}, None),
        ({"listed_at": NOW - 10, "last_start_of_any": NOW - 5}, NOW + 3590),
    ],
)
def test_the_initial_delay(state: dict, until: float | None, farm: Farm) -> None:
    hold = Asked(farm, initial_delay="1h").hold(state=JobState("test", **state))
    assert (hold.until if hold else None) == until
    if hold is not None:
        assert hold.reason.startswith("initial delay of 1h: not before Mon 1")


def test_with_several_the_last_one_counts(farm: Farm) -> None:
    asked = Asked(farm, '[plugins.stagger]\nstagger = "30m"', stagger="10m", **FREE)
    hold = asked.hold(state=JobState("test", last_start_at=NOW, last_start_of_any=NOW))
    assert hold is not None
    assert hold.until == NOW + 1800
    assert len(hold.reason.split("\n")) == 2


def test_the_store_knows_the_last_real_start_of_a_job(tmp_path: Path) -> None:
    store = Store(tmp_path)

    def save(name: str, created: float, started: float | None, stage: Stage) -> None:
        from dataclasses import replace

        new = worker(stage=stage, started=started)
        store.save_worker(replace(new, id=name, created_at=created))

    assert store.jobs.record("test").last_start_at is None
    save("a", 100.0, 160.0, Stage.ENDED)
    assert store.jobs.record("test").last_start_at == 160
    save("b", 200.0, None, Stage.PRE_COMMAND)
    assert store.jobs.record("test").last_start_at == 200
    save("b", 200.0, None, Stage.ENDED)
    assert store.jobs.record("test").last_start_at == 160, "its pre-command failed"
    assert store.jobs.record("other").last_start_at is None
    store.close()


def test_the_store_knows_the_last_start_of_any_job(tmp_path: Path) -> None:
    store = Store(tmp_path)
    assert store.jobs.record("test").last_start_of_any is None
    store.events.add([Event(EventKind.PLOTTER_STARTED, 5.0, "other", "w")])
    store.events.add([Event(EventKind.PLOTTER_FINISHED, 9.0, "other", "w")])
    assert store.jobs.record("test").last_start_of_any == 5
    store.close()


def test_the_store_keeps_when_a_job_was_first_listed(tmp_path: Path, farm: Farm) -> None:
    store = Store(tmp_path)
    job = Asked(farm).job
    assert store.jobs.record("test").listed_at is None
    store.jobs.note_listed([job], 10.0)
    store.jobs.note_listed([job], 20.0)
    store.jobs.note_listed([], 30.0)
    store.jobs.note_listed([job], 40.0)
    assert store.jobs.record("test").listed_at == 10
    store.close()


@pytest.mark.parametrize("value", [10, "soon"])
def test_a_wrong_duration_is_a_message(value: object, farm: Farm) -> None:
    from plotrun.settings.problems import SettingsError

    with pytest.raises(SettingsError, match=r"job\.stagger: found .*, expected a duration"):
        Asked(farm, stagger=value)
