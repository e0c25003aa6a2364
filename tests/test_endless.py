"""Plotters that go on until they are asked to finish: the embedded ones, and a shell around one."""

from __future__ import annotations

import json
import sys

import pytest

from farm import Farm, until
from plotrun.model import Event, EventKind, Progress, Stage, Worker
from plotrun.plotfile import read_plot
from plotrun.store import Store


def worker(**changes: object) -> Worker:
    return Worker(
        **{
            "id": "w",
            "job": "j",
            "plotter": "p",
            "stage": Stage.PLOTTING,
            "created_at": 0.0,
            "plots_wanted": 0,
        }
        | changes
    )  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("progress", "finish_after", "delivered", "to_come"),
    [
        (Progress(), None, 0, 2),
        (Progress(plots_started=1), None, 0, 2),
        (Progress(plots_started=3, plots_complete=2), None, 2, 2),
        (Progress(plots_started=3, plots_complete=1), None, 1, 3),  # a copy under way
        (Progress(plots_started=3, plots_complete=2), 3, 2, 1),
        (Progress(plots_started=3, plots_complete=3), 3, 3, 0),
    ],
)
def test_an_endless_worker_brings_what_it_has_begun_and_one_more(
    progress: Progress, finish_after: int | None, delivered: int, to_come: int
) -> None:
    one = worker(progress=progress, finish_after=finish_after)
    assert one.plots_to_come(delivered) == to_come


def told(farm: Farm, kind: EventKind) -> list[Event]:
    store = Store(farm.state_dir)
    try:
        return [event for event in store.events.last(1000) if event.kind is kind]
    finally:
        store.close()


def asked(farm: Farm) -> list[object]:
    return [event.data["plot"] for event in told(farm, EventKind.FINISH_ASKED)]


def test_one_process_makes_the_number_of_plots_and_then_ends(farm: Farm) -> None:
    farm.write(
        plots=3, k=20, plots_per_process=0, post_command=f"echo %plot_id% >> {farm.root / 'ran'}"
    )
    ended = farm.run_until_done()
    assert ended.returncode == 0, ended.stdout
    assert len(farm.plots()) == 3
    assert ended.stdout.count("plotter started") == 1
    assert asked(farm) == [3]  # while it made the third
    assert len((farm.root / "ran").read_text().split()) == 3
    assert farm.leftovers() == []


def test_two_processes_share_the_number(farm: Farm) -> None:
    farm.write(plots=5, plots_per_process=0, max_workers=2, k=20)
    ended = farm.run_until_done()
    assert ended.returncode == 0, ended.stdout
    assert len(farm.plots()) == 5
    assert ended.stdout.count("plotter started") == 2
    assert farm.leftovers() == []


def test_the_user_lets_a_worker_finish(farm: Farm) -> None:
    """The shell around the plotter must not get the signal: it would end at once."""
    shell = f"true && {sys.executable} -m plotrun_chiapos"
    farm.write(plots=0, plots_per_process=0, command=shell)
    running = farm.start("run")
    until(running, "delivered")
    (one,) = farm.workers()
    said = farm.plotrun("finish", one["id"])
    assert said.returncode == 0, said.stderr
    until(running, f"worker {one['id']}: ended: done")
    running.terminate()
    running.communicate()
    assert len(asked(farm)) >= 1
    for plot in farm.plots():
        assert read_plot(plot).k == 18


def test_a_plotter_that_must_be_told_a_number_may_not_be_endless(farm: Farm) -> None:
    farm.write(plotter="chia", plots_per_process=0)
    said = farm.plotrun("check")
    assert said.returncode == 2
    assert "found 0, expected at least 1: chia must be told how many plots to make" in said.stderr


def test_finish_without_a_match_changes_nothing(farm: Farm) -> None:
    farm.write()
    said = farm.plotrun("finish", "nobody")
    assert said.returncode == 3
    assert said.stderr.startswith("error: no worker is called nobody; ")


def test_the_record_of_an_endless_worker_stays_small(farm: Farm) -> None:
    farm.patch("plotrun.worker_plots", "PLOTS_KEPT", 2)
    farm.write(plots=5, plots_per_process=5)
    ended = farm.run_until_done()
    assert ended.returncode == 0, ended.stdout
    assert len(farm.plots()) == 5
    store = Store(farm.state_dir)
    (one,) = store.ended_workers(1)
    store.close()
    assert one.plots_seen == 5
    assert 2 <= len(one.plots) <= 4
    assert [work.number for work in one.plots] == list(range(one.plots_forgotten + 1, 6))
    (row,) = json.loads(farm.plotrun("history", "--json").stdout)["workers"]
    assert row["plots"] == 5


def test_an_endless_worker_whose_job_was_removed_ends_after_its_plot(farm: Farm) -> None:
    farm.write(plots=0, plots_per_process=0, k=20)
    runner = farm.start("run")
    until(runner, "phase 1")
    farm.write(name="other", plots=1)
    asked_to = until(runner, "plotter asked to end after its plot")
    until(runner, f"{asked_to.split()[5]} ended: done")
    runner.terminate()
    runner.communicate()


def test_a_restart_makes_no_plot_too_many(farm: Farm) -> None:
    keys = {"k": 20, "plots_per_process": 0, "max_workers": 2}
    farm.write(plots=9, **keys)
    runner = farm.start("run")
    until(runner, "plot delivered")
    runner.kill()
    runner.communicate()
    while len(farm.plots()) + len(list(farm.tmp.rglob("finished/*.plot"))) < 3:
        pass  # more are begun while plotrun is down
    plotters = [p for p in farm.processes() if "plotrun_chiapos" in " ".join(p.cmdline())]
    for plotter in plotters:
        plotter.suspend()  # else the next plots could be over before plotrun is there again
    logs = farm.state_dir.glob("logs/*.log")
    begun = sum(log.read_text().count("Starting plotting progress") for log in logs)
    farm.write(plots=begun, **keys)
    again = farm.start("run", "--until-done")
    for _ in plotters:
        until(again, "plotter asked to end after its plot")
    for plotter in plotters:
        plotter.resume()
    rest, _ = again.communicate(timeout=60)
    assert again.returncode == 0, rest
    assert len(farm.plots()) == begun
    assert len(told(farm, EventKind.PLOTTER_STARTED)) == 2, "the running ones make the rest"
    assert farm.leftovers() == []
