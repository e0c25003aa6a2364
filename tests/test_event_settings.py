"""Events between jobs in the settings: mistakes, warnings, and what a change changes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from farm import Farm, until
from plotrun import EventKind
from plotrun.manager import load_plugins
from plotrun.settings.changes import LONGEST, changes, changes_words
from plotrun.settings.load import load_settings
from plotrun.settings.problems import SettingsError
from plotrun.settings.settings import Settings
from test_between_jobs import emit, job, write
from test_start_and_emit import events

SCHEMA = load_plugins().schema()


def load(farm: Farm) -> Settings:
    return load_settings(farm.settings, SCHEMA)


MISTAKES: dict[str, tuple[str, str]] = {
    "a mark": (
        '[[job.emit]]\nevent = "x"\n\nat = "plotter fnished"',
        '14: job.emit.at: found "plotter fnished", expected a stage (pre started, ',
    ),
    "a close mark": ('[[job.emit]]\nevent = "x"\nat = "delivred"', "(did you mean delivered?)"),
    "an edge": ('[[job.emit]]\nevent = "x"\nat = "2:1"', '(say which: "2:1 start" or "2:1 end")'),
    "a phase": ('[[job.emit]]\nevent = "x"\nat = "0 end"', "counted from 1"),
    "a part": ('[[job.emit]]\nevent = "x"\nat = "101%"', "from 1% to 100%"),
    "a name": ('[[job.emit]]\nevent = "x y"\nat = "1 end"', '12: job.emit.event: found "x y"'),
    "nothing": ('[[job.emit]]\nat = "1 end"', "11: job.emit.event: found nothing, expected a name"),
    "a key": (
        '[[job.emit]]\nevent = "x"\nat = "1 end"\ndely = "1m"',
        '14: job.emit.dely: found unknown key "dely", expected a key of [job.emit] '
        "(did you mean delay?)",
    ),
    "the same twice": (
        '[[job.emit]]\nevent = "x"\nat = "1 end"\n[[job.emit]]\nevent = "x"\nat = "1  END"',
        "14: job.emit: found the same as before",
    ),
    "no tables": ("emit = 3", "11: job.emit: found 3, expected tables"),
    "a time": (
        '[[job.at]]\nevery = "day"\nat = "25:00"',
        '13: job.at.at: found "25:00", expected a time such as "22:00"',
    ),
    "how often": ('[[job.at]]\nevery = "2 mondays"', '12: job.at.every: found "2 mondays"'),
    "how many": ('[[job.at]]\nevery = "day"\nstart = 0', "13: job.at.start: found 0"),
    "starts": ('start_on = { "x" = 0 }', "11: job.start_on: found a table, expected a table such"),
    "a name of starts": ('start_on = { "x y" = 1 }', '("x y" is no name of an event)'),
    "a list of starts": ('start_on = ["x"]', "expected a table such as"),
}


@pytest.mark.parametrize("what", MISTAKES)
def test_a_mistake_is_told_with_its_line(farm: Farm, what: str) -> None:
    text, expected = MISTAKES[what]
    write(farm, job(farm, "a"))
    farm.settings.write_text(farm.settings.read_text() + text + "\n")
    with pytest.raises(SettingsError) as wrong:
        load(farm)
    assert expected in str(wrong.value)


def test_a_default_is_for_every_job_and_its_mistake_is_told_once(farm: Farm) -> None:
    rest = '[[defaults.emit]]\nevent = "x"\nat = "{}"\n'
    write(farm, job(farm, "a"), job(farm, "b"), rest=rest.format("2 end"))
    assert [len(j.written["emit"]) for j in load(farm).jobs] == [1, 1]
    write(farm, job(farm, "a"), job(farm, "b"), rest=rest.format("2"))
    with pytest.raises(SettingsError) as wrong:
        load(farm)
    (problem,) = wrong.value.problems
    assert "defaults.emit.at" in str(problem)


# Warnings


def warnings(farm: Farm, *jobs: Any) -> list[str]:
    write(farm, *jobs)
    return [problem.expected for problem in load(farm).warnings]


def test_events_that_nobody_emits_or_never(farm: Farm) -> None:
    tables = [emit("made", "job end"), emit("fifth", "5 end")]
    assert warnings(farm, job(farm, "a", emit=tables), job(farm, "b", start_on={"mde": 1})) == [
        "made is never emitted: job a has plots = 0 and no end",
        "fifth: chia has 4 phases, and emits it after them",
        "no job emits the event mde: only `plotrun emit mde` does",
    ]
    assert load(farm).warnings[-1].hint == "did you mean made?"


def ring(farm: Farm, starts: tuple[int, ...], at: str = "worker end", **first: Any) -> list[Any]:
    """Jobs of which each starts so many of the next one, and the last of the first."""
    return [
        job(
            farm,
            f"j{n}",
            start_on={f"e{n}": count},
            emit=[emit(f"e{(n + 1) % len(starts)}", at)],
            **(first if n == 0 else {}),
        )
        for n, count in enumerate(starts)
    ]


def test_a_cycle_is_named_and_whether_it_grows(farm: Farm) -> None:
    (words,) = warnings(farm, *ring(farm, (1, 1, 1)))
    assert words == (
        "workers start one another without end: job j0 emits e1, which starts job j1; "
        "job j1 emits e2, which starts job j2; job j2 emits e0, which starts job j0"
    )
    (words,) = warnings(farm, *ring(farm, (1, 2)))
    assert words.startswith("workers start one another without end, more of them with every round")
    (words,) = warnings(farm, *ring(farm, (1,)))
    assert words.endswith("end: job j0 emits e0, which starts job j0")


def test_two_cycles_through_one_job_grow(farm: Farm) -> None:
    a = job(farm, "a", start_on={"x": 1, "y": 1}, emit=[emit("go", "1 end")])
    b = job(farm, "b", start_on={"go": 1}, emit=[emit("x", "1 end")])
    c = job(farm, "c", start_on={"go": 1}, emit=[emit("y", "1 end")])
    (words,) = warnings(farm, a, b, c)
    assert "more of them" in words


@pytest.mark.parametrize("first", [{"plots": 5}, {"enabled": False}, {"events": False}])
def test_a_cycle_that_ends_is_not_warned_of(farm: Farm, first: dict[str, Any]) -> None:
    assert warnings(farm, *ring(farm, (1, 2), **first)) == []


def test_check_and_run_tell_warnings(farm: Farm) -> None:
    farm.write(plots=1, job='start_on = { "x" = 1 }')
    line = 1 + farm.settings.read_text().splitlines().index('start_on = { "x" = 1 }')
    words = f"{line}: job.start_on: no job emits the event x: only `plotrun emit x` does"
    said = farm.plotrun("check")
    assert said.returncode == 0, "it may be as it should"
    assert f"warn  {farm.settings}:{words}\n" in said.stdout
    farm.run_until_done()
    (event,) = [e for e in events(farm) if e.kind is EventKind.SETTINGS_WARNING]
    assert event.data["problem"] == f"{farm.settings}:{words}"


# Changes


def between(
    farm: Farm, before: list[Any], after: list[Any], rest: tuple[str, str] = ("", "")
) -> str:
    write(farm, *before, rest=rest[0])
    old = load(farm)
    write(farm, *after, rest=rest[1])
    return changes_words(changes(old, load(farm), SCHEMA))


def test_a_change_is_told_in_the_words_of_the_file(farm: Farm) -> None:
    old = [job(farm, "big", max_workers=2, nice=5), job(farm, "gone")]
    new = [job(farm, "big", max_workers=3, start_on={"x": 1}), job(farm, "new")]
    stagger = '[plugins.stagger]\nstagger = "{}m"\n'
    words = between(farm, old, new, (stagger.format(10), stagger.format(5)))
    table, big, *others = words.split("; ")
    assert table == "[plugins.stagger] stagger 10m -> 5m"
    assert others == ["job new added", "job gone removed: its workers run to their end"]
    name, _, changed = big.partition(": ")
    assert name == "job big"
    assert set(changed.split(", ")) == {
        "nice 5 -> unset",
        "max_workers 2 -> 3",
        "start_on unset -> { x = 1 }",
    }


def test_a_command_may_hold_a_password_and_is_not_told(farm: Farm) -> None:
    old = [job(farm, "a", post_command="curl https://me:hunter2@nas")]
    words = between(farm, old, [job(farm, "a", post_command="curl https://me:hunter3@nas")])
    assert words == "job a: post_command changed"


def test_tables_are_not_told_one_by_one_and_the_line_is_short(farm: Farm) -> None:
    old = [job(farm, f"job-{n}", emit=[emit("x", "1 end")]) for n in range(99)]
    new = [job(farm, f"job-{n}", emit=[emit("y", "1 end")]) for n in range(99)]
    words = between(farm, old, new)
    assert words.startswith("job job-0: emit changed; job job-1: emit changed")
    assert len(words) == LONGEST + 1
    assert between(farm, old, old) == "no value is another"


def test_a_running_plotrun_says_what_has_changed(farm: Farm, tmp_path: Path) -> None:
    farm.write(plots=1)
    runner = farm.start("run")
    until(runner, "plotrun runs with")
    farm.write(plots=0, enabled=False)
    line = until(runner, "the settings have changed")
    assert line.endswith("in force: job test: plots 1 -> 0, enabled unset -> false\n")
    runner.terminate()
    assert runner.wait(30) == 0
