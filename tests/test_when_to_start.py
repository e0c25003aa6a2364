"""Rules of when to start together, in simulated days: exact where they can be, and never broken."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import accumulate, pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from farm import Farm
from plotrun import CHIAPOS_PHASE_SHARES, Event, EventKind
from simulated import DAY, EPOCH, HOUR, MINUTE, ByHand, simulate_events

ENDS = list(accumulate(CHIAPOS_PHASE_SHARES))
"""Which part of a plot's time each phase ends at."""
SOON = 1.1 * MINUTE
"""Logs are read once a minute here."""


def starts_of(events: Sequence[Event], job: str | None = None) -> list[float]:
    return [
        event.at - EPOCH
        for event in events
        if event.kind is EventKind.PLOTTER_STARTED and job in (None, event.job)
    ]


def gaps_of(events: Sequence[Event], job: str | None = None) -> list[float]:
    return [b - a for a, b in pairwise(starts_of(events, job))]


def test_smart_starts_the_next_when_phase_1_is_over(farm: Farm) -> None:
    farm.write(plotter="chia", plots=0, k=32, max_workers=9, start_mode="smart")
    events = simulate_events(farm, 7, 10 * HOUR)
    gaps = gaps_of(events)
    phase_1 = ENDS[0] * 10 * HOUR
    assert len(gaps) == pytest.approx(7 * DAY / phase_1, abs=2)
    assert all(phase_1 <= gap <= phase_1 + SOON for gap in gaps)


def test_a_slot_is_given_early_and_a_restart_does_not_delay_it(farm: Farm) -> None:
    keys = {"max_workers": 1, "start_early_phase": 2, "start_early_delay": "20m"}
    farm.write(plotter="chia", plots=0, k=32, **keys)
    restarts = [n * 7 * MINUTE for n in range(1, 300)]
    events = simulate_events(farm, 2, 10 * HOUR, restarts=restarts)
    early = ENDS[1] * 10 * HOUR + 20 * MINUTE
    gaps = gaps_of(events)
    assert len(gaps) >= 4
    assert all(early <= gap <= early + SOON for gap in gaps)


def test_staggers_and_initial_delays_outlast_restarts(farm: Farm) -> None:
    other = f"""
    stagger = "3h"
    max_workers = 99
    [[job]]
    name = "late"
    plotter = "chia"
    tmp = {json.dumps(str(farm.tmp))}
    dst = {json.dumps(str(farm.root / "b"))}
    initial_delay = "10h"
    stagger = "1h"
    max_workers = 99
    """
    rest = '[plugins.stagger]\nstagger = "15m"\n'
    farm.write(plotter="chia", plots=0, k=32, job=other, rest=rest)
    restarts = [n * 13 * MINUTE for n in range(1, 70)]
    events = simulate_events(farm, 1, 20 * HOUR, restarts=restarts)
    assert starts_of(events, "test") == pytest.approx([n * 3 * HOUR for n in range(8)], abs=2)
    # At 12 o'clock both may start: the first in the settings does, the other when it may again.
    expected = [10 * HOUR, 11 * HOUR, 12.25 * HOUR]
    assert starts_of(events, "late")[:3] == pytest.approx(expected, abs=2)


def test_workers_go_to_the_directory_that_is_ready(farm: Farm) -> None:
    """plotman's rule: the directory whose youngest worker is furthest, of those past 2:1."""
    (farm.root / "tmp2").mkdir()
    tmp = [str(farm.tmp), str(farm.root / "tmp2")]
    rest = f"""
    [plugins.tmp_ready]
    phase = "2:1"
    [plugins.tmp_ready.tmp."{tmp[1]}"]
    phase = "4"
    """
    keys = {"tmp": tmp, "max_workers": 99, "choose_tmp": "furthest", "stagger": "30m"}
    farm.write(plotter="chia", plots=0, k=32, rest=rest, **keys)
    events = simulate_events(farm, 5, 10 * HOUR)
    started = [e for e in events if e.kind is EventKind.PLOTTER_STARTED]
    for directory, part in zip(tmp, (ENDS[0], ENDS[2]), strict=True):
        mine = [event.at for event in started if event.data["tmp"] == directory]
        # The first step of phase 2 is told with the phase; a stagger may be in the way.
        least = part * 10 * HOUR
        gaps = [b - a for a, b in pairwise(mine)]
        assert len(gaps) > 10
        assert all(least <= gap <= least + 30 * MINUTE + SOON for gap in gaps)


def test_hours_and_maxima_together(farm: Farm) -> None:
    keys = {"max_workers": 2, "start_days": ["mon", "tue"], "start_hours": "22:00-06:00"}
    farm.write(plotter="chia", plots=0, k=32, **keys)
    from datetime import datetime

    events = simulate_events(farm, 7, 3 * HOUR)
    shown = [datetime.fromtimestamp(EPOCH + at).strftime("%a %H:%M") for at in starts_of(events)]
    nights = [("Mon 22:00", "Tue 01:00", "Tue 04:00"), ("Tue 22:00", "Wed 01:00", "Wed 04:00")]
    assert sorted(shown) == sorted(words for night in nights for words in night for _ in "12")


def test_a_plotter_started_by_hand_counts_in_its_directory_until_it_ends(farm: Farm) -> None:
    argv = ("chia", "plots", "create", "-t", str(farm.tmp), "-d", "/elsewhere")
    farm.write(plotter="chia", plots=0, k=32, start_mode="smart")
    events = simulate_events(farm, 0.5, 2 * HOUR, by_hand=[ByHand(0, 5 * HOUR, argv)])
    assert starts_of(events)[0] == pytest.approx(5 * HOUR, abs=31)


# Whatever the settings


@dataclass
class Running:
    job: str
    tmp: str
    phase: int = 1
    since: dict[int, float] = field(default_factory=dict)


@dataclass
class Rules:
    """Settings that tests make up, and whether a start keeps to them."""

    jobs: dict[str, dict[str, Any]]
    limits: dict[str, int]
    overall: int
    """Minutes between any two starts."""
    ready: int | None
    hand: list[ByHand]

    def write(self, farm: Farm) -> None:
        rest = [f'[plugins.stagger]\nstagger = "{self.overall}m"']
        if self.ready is not None:
            rest.append(f'[plugins.tmp_ready]\nphase = "{self.ready}"')
        rest.append("[plugins.limits]\n" + "\n".join(f"{k} = {v}" for k, v in self.limits.items()))
        first, *others = (self._job(farm, name) for name in self.jobs)
        more = "".join(
            "[[job]]\n" + "".join(f"{k} = {json.dumps(v)}\n" for k, v in job.items())
            for job in others
        )
        farm.write(**first, k=..., rest="\n".join(rest), job=more)

    def _job(self, farm: Farm, name: str) -> dict[str, Any]:
        keys = self.jobs[name]
        return {
            "name": name,
            "plotter": "chia",
            "plots": 0,
            "dst": str(farm.root / "a"),
            **keys,
            "tmp": [str(farm.root / tmp) for tmp in keys["tmp"]],
            "stagger": f"{keys['stagger']}m",
            "start_early_delay": f"{keys['start_early_delay']}m",
        }

    def broken(
        self, farm: Farm, events: Sequence[Event], later: Rules | None = None, change: float = DAY
    ) -> Iterator[str]:
        """Every rule that a start broke; *later* are the rules in force after the *change*."""
        running: dict[str | None, Running] = {}
        last: dict[str | None, float] = {}
        for event in events:
            now = event.at - EPOCH
            if event.kind is EventKind.PLOTTER_STARTED:
                assert event.job is not None
                start = Running(event.job, Path(str(event.data["tmp"])).name)
                in_force = self if later is None or now < change else later
                if not change <= now < change + SETTLED:
                    yield from in_force._broken_by(farm, start, [*running.values()], last, now)
                running[event.worker] = start
                last[event.job] = last[None] = now
            elif event.kind is EventKind.PHASE_CHANGED and event.worker in running:
                phase = int(event.data["phase"])
                running[event.worker].phase = phase
                running[event.worker].since[phase] = now
            elif event.kind is EventKind.PLOTTER_FINISHED:
                running.pop(event.worker, None)

    def _broken_by(
        self,
        farm: Farm,
        start: Running,
        running: list[Running],
        last: dict[str | None, float],
        now: float,
    ) -> Iterator[str]:
        by_hand = [  # seen within half a minute
            Running("", Path(each.argv[4]).name)
            for each in self.hand
            if each.begins + MINUTE <= now < each.ends
        ]
        running = running + by_hand
        mine = [each for each in running if each.job == start.job]
        here = [each for each in running if each.tmp == start.tmp]
        keys, limits = self.jobs[start.job], self.limits
        counted, most = mine, keys["max_workers"]
        if "start_early_phase" in keys:
            past = keys["start_early_phase"] + 1
            delay = keys["start_early_delay"] * MINUTE
            times = [min((t for p, t in r.since.items() if p >= past), default=None) for r in mine]
            counted = [r for r, t in zip(mine, times, strict=True) if t is None or now < t + delay]
            yield from over(mine, keys.get("start_early_max", most + 1), "early")
        yield from over(counted, most, "job")
        yield from over(phase_1(mine), keys.get("max_phase1"), "phase 1 of job")
        yield from over(running, limits.get("max_workers"), "machine")
        yield from over(phase_1(running), limits.get("max_phase1"), "phase 1")
        yield from over(here, limits.get("max_workers_per_tmp"), "tmp")
        yield from over(phase_1(here), limits.get("max_phase1_per_tmp"), "phase 1 of tmp")
        yield from over(phase_1(here), 1 if keys["start_mode"] == "smart" else None, "smart")
        before = [each for each in here if each.phase < (self.ready or 0)]
        yield from over(before, None if self.ready is None else 1, "ready")
        for name, minutes in ((start.job, keys["stagger"]), (None, self.overall)):
            # Times of the simulation are kept to less than a millisecond.
            if name in last and now - last[name] < minutes * MINUTE - 0.001:
                yield f"stagger {minutes}m of {name}: {now - last[name]:.3f}s"


def over(running: list[Running], most: int | None, what: str) -> Iterator[str]:
    if most is not None and len(running) >= most:
        yield f"{what}: {len(running)} of {most} were running"


def phase_1(running: list[Running]) -> list[Running]:
    return [each for each in running if each.phase == 1]


few = st.integers(1, 3)
minutes = st.sampled_from((0, 0, 1, 20, 95))
job_keys = st.fixed_dictionaries(
    {
        "tmp": st.sampled_from((["tmp"], ["t2"], ["tmp", "t2"], ["t2", "tmp"])),
        "max_workers": st.integers(1, 6),
        "start_mode": st.sampled_from(("normal", "normal", "smart")),
        "stagger": minutes,
        "start_early_delay": minutes,
        "choose_tmp": st.sampled_from(("in_turn", "furthest", "most_free")),
    },
    optional={"max_phase1": few, "start_early_phase": few, "start_early_max": st.integers(1, 6)},
)
limits = st.fixed_dictionaries(
    {},
    optional={
        "max_workers": st.integers(1, 8),
        "max_phase1": few,
        "max_workers_per_tmp": st.integers(1, 4),
        "max_phase1_per_tmp": few,
    },
)


SMALL = st.sampled_from((None, None, 300 * 2**30, 600 * 2**30))
"""Bytes: room for a plot at a time, or two."""
SETTLED = 5.0
"""Seconds after which new settings are in force."""


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    jobs=st.fixed_dictionaries({"one": job_keys, "two": job_keys}),
    limits=limits,
    overall=minutes,
    ready=st.sampled_from((None, None, 2, 3)),
    hours=st.lists(st.floats(0.5, 9), min_size=1, max_size=4),
    hand=st.sampled_from((None, "tmp", "t2")),
    restarts=st.lists(st.floats(60, 0.6 * DAY - 60), max_size=3),
    failing=st.sampled_from((0, 0, 2, 3)),
    room=st.fixed_dictionaries({"tmp": SMALL, "t2": SMALL, "a": SMALL}),
    change=st.none() | st.tuples(st.floats(0, 0.6 * DAY), limits, minutes),
)
def test_no_start_breaks_a_maximum_or_a_stagger(
    jobs: dict[str, dict[str, Any]],
    limits: dict[str, int],
    overall: int,
    ready: int | None,
    hours: list[float],
    hand: str | None,
    restarts: list[float],
    failing: int,
    room: dict[str, int | None],
    change: tuple[float, dict[str, int], int] | None,
) -> None:
    with tempfile.TemporaryDirectory() as directory:
        farm = Farm(Path(directory))
        (farm.root / "t2").mkdir()
        argv = ("chia", "plots", "create", "-t", str(farm.root / str(hand)), "-d", "/elsewhere")
        by_hand = [ByHand(3 * HOUR, 8 * HOUR, argv)] if hand else []
        rules = Rules(jobs, limits, overall, ready, by_hand)
        rules.write(farm)
        later, at, changes = None, DAY, []
        if change is not None:
            at, new_limits, new_overall = change
            later = replace(rules, limits=new_limits, overall=new_overall)
            changes = [(at, lambda: later.write(farm))]
        events = simulate_events(
            farm,
            0.6,
            lambda number: hours[number % len(hours)] * HOUR,
            exit_code=lambda number: int(bool(failing) and number % failing == 0),
            by_hand=by_hand,
            restarts=restarts,
            room={name: size for name, size in room.items() if size is not None},
            changes=changes,
        )
        assert list(rules.broken(farm, events, later, at)) == []
        if change is None or at > 1:
            assert starts_of(events)[0] == pytest.approx(0, abs=1), "nothing holds the first start"
        if not failing and not any(room.values()):
            assert len(starts_of(events)) >= 3
        assert not [event for event in events if event.kind is EventKind.PLUGIN_FAILED]
