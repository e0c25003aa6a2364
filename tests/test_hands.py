"""Hands on workers: real plotters suspended, resumed, killed and looked at."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from farm import Farm, small_disk, until
from plotrun.model import EventKind
from plotrun.store import Request, Store

LARGE = 22
"""k of a plot that takes long enough to lay hands on it."""


@pytest.fixture
def plotting(farm: Farm) -> Iterator[tuple[Farm, subprocess.Popen[bytes], str]]:
    """A farm whose runner is up and whose plotter is at work, behind a shell; the worker's id."""
    shell = farm.root / "shell"
    shell.write_text(f'#!/bin/sh\n{sys.executable} -m plotrun_chiapos "$@"\nexit $?\n')
    shell.chmod(0o755)
    farm.write(k=LARGE, plots=2, command=str(shell))
    runner = farm.start("run")
    until(runner, "phase 1")
    yield farm, runner, farm.workers()[0]["id"]
    runner.kill()
    runner.wait()


def ok(farm: Farm, *words: str) -> str:
    said = farm.plotrun(*words)
    assert said.returncode == 0, said.stdout + said.stderr
    return said.stdout


def plotters(farm: Farm) -> list[psutil.Process]:
    """The plotter's processes, with the shell around it."""
    return [p for p in farm.processes() if f"{farm.tmp}/plotrun-" in " ".join(p.cmdline())]


def states(farm: Farm) -> set[str]:
    return {process.status() for process in plotters(farm)}


def stopped(runner: subprocess.Popen[bytes]) -> None:
    runner.terminate()
    runner.communicate(timeout=30)


def told(farm: Farm) -> list[EventKind]:
    store = Store(farm.state_dir)
    try:
        return [event.kind for event in store.events.last(1000)]
    finally:
        store.close()


# Suspended and resumed


def test_a_suspended_worker_stays_so_over_restarts(
    plotting: tuple[Farm, subprocess.Popen[bytes], str],
) -> None:
    farm, runner, one = plotting
    said = ok(farm, "suspend", one[:6])
    assert said == f"worker {one} is suspended until `plotrun resume {one}`\n"
    until(runner, "plotter suspended")
    assert len(plotters(farm)) >= 2
    assert states(farm) == {"stopped"}
    stopped(runner)
    (row,) = farm.workers()
    assert row["suspended"]
    assert 0 <= time.time() - row["suspended_since"] < 120
    again = farm.start("run")
    until(again, "plotter found running")
    assert states(farm) == {"stopped"}
    assert "suspended" in ok(farm, "status")
    assert "plotting, suspended since" in ok(farm, "details", one)
    while "1 of 1 workers" not in farm.holds()[0]:
        pass  # it counts as long as it holds memory and disk
    assert ok(farm, "resume", "test") == f"worker {one} goes on\n"
    until(again, "plotter goes on")
    assert "stopped" not in states(farm)
    assert not farm.workers()[0]["suspended"]
    assert farm.workers()[0]["suspended_since"] is None
    stopped(again)


def test_a_suspended_plotter_is_not_taken_for_stuck(farm: Farm) -> None:
    farm.patch("plotrun.lookout", "INTERVAL", 0.1)
    farm.write(k=LARGE, stuck_after="1s", when_stuck="restart")
    runner = farm.start("run")
    until(runner, "phase 1")
    (row,) = farm.workers()
    ok(farm, "suspend", row["id"])
    until(runner, "plotter suspended")
    time.sleep(2)  # twice the time after which one that stands still is stuck
    assert farm.workers()[0]["stuck_since"] is None
    ok(farm, "kill", "--yes", "all")
    until(runner, "ended: killed")
    stopped(runner)
    assert EventKind.PLOTTER_STUCK not in told(farm)


def test_what_has_no_plotter_cannot_be_suspended(farm: Farm) -> None:
    farm.write(when_full="plot", dst=str(farm.root / "gone"))
    runner = farm.start("run")
    until(runner, "no destination for")
    (row,) = farm.workers()
    for command in ("suspend", "resume", "kill"):
        words = [command, "--yes", row["id"]] if command == "kill" else [command, row["id"]]
        said = farm.plotrun(*words)
        assert said.returncode == 1
        assert said.stderr.startswith("error: ")
        assert said.stderr.count("\n") == 1
    assert len(list(farm.tmp.rglob("*.plot"))) == 1
    stopped(runner)


# Killed


def test_a_killed_worker_is_no_failure_and_leaves_nothing(
    plotting: tuple[Farm, subprocess.Popen[bytes], str],
) -> None:
    farm, runner, one = plotting
    asked = farm.plotrun("kill", one)
    assert asked.returncode == 1, "nobody said yes"
    assert states(farm) - {"stopped"}
    assert "killed; finished plots are delivered" in ok(farm, "kill", "--yes", one)
    assert "the user has it killed" in until(runner, "killed")
    until(runner, f"worker {one}: ended: killed")
    while one in (there := [row["id"] for row in farm.workers()]) or not there:
        pass  # another one starts at once, and not after the wait of a failed job
    assert not (farm.tmp / f"plotrun-{one}").exists()
    (job,) = farm.status()["jobs"]
    assert job["failures_in_row"] == 0
    stopped(runner)
    (row,) = json.loads(ok(farm, "history", "--json"))["workers"]
    assert (row["outcome"], row["reason"]) == ("killed", "killed by the user")
    assert "killed by the user" in ok(farm, "history")


def test_a_suspended_worker_can_be_killed(
    plotting: tuple[Farm, subprocess.Popen[bytes], str],
) -> None:
    farm, runner, one = plotting
    ok(farm, "suspend", one)
    ok(farm, "kill", "--yes", one)
    until(runner, f"worker {one}: ended: killed")
    store = Store(farm.state_dir)
    assert [store.requests.of(what) for what in Request] == [{}, {}, {}]
    store.close()


def test_without_a_runner_the_next_one_does_the_rest(
    plotting: tuple[Farm, subprocess.Popen[bytes], str],
) -> None:
    farm, runner, one = plotting
    stopped(runner)
    assert "the next `plotrun run`" in ok(farm, "kill", "--yes", one)
    assert plotters(farm) == []
    farm.write(k=18, plots=1)
    again = farm.run_until_done()
    assert again.returncode == 0
    assert f"worker {one}: ended: killed" in again.stdout
    assert "failed" not in again.stdout
    assert farm.leftovers() == []
    assert len(farm.plots()) == 1


@pytest.mark.parametrize("runner_dies", ["before it sees the wish", "in the middle"])
def test_plotrun_is_killed_in_the_middle_of_it(
    plotting: tuple[Farm, subprocess.Popen[bytes], str], runner_dies: str
) -> None:
    farm, runner, one = plotting
    store = Store(farm.state_dir)
    if runner_dies == "in the middle":
        for process in plotters(farm):
            process.suspend()  # it does not end before it is let go on
        store.requests.put(Request.KILL, [one], time.time())
        (farm.state_dir / "runner.wake").write_bytes(b"!")
        until(runner, "the user has it killed")
    else:
        store.requests.put(Request.KILL, [one], time.time())
    store.close()
    runner.kill()
    runner.communicate()
    farm.write(k=18, plots=1)
    again = farm.run_until_done()
    assert again.returncode == 0, again.stdout
    assert f"worker {one}: ended: killed" in again.stdout
    assert farm.leftovers() == []
    assert len(farm.plots()) == 1


def test_a_plot_that_is_whole_is_delivered_before_its_plotter_goes(farm: Farm) -> None:
    """chiapos on a full final disk: the plot has no final name, and the process sleeps."""
    with small_disk(farm.root / "a", "1m") as full:
        farm.patch("plotrun.clock", "__doc__", "")
        farm.write(deliver="plotter", dst=str(full), rest='[plugins]\nblocked = ["skip_full"]\n')
        (farm.root / "patches" / "sitecustomize.py").write_text(
            "import plotrun.lifecycle as l\nl.rescue_plots = lambda *_: [1]\n"
        )  # else it is taken away as soon as the copy fails
        runner = farm.start("run")
        until(runner, "plotter says: Could not copy")
        (row,) = farm.workers()
        farm.write(deliver="plotter", dst=[str(full), str(farm.root / "b")], plots=1)
        until(runner, "the settings have changed")
        ok(farm, "kill", "--yes", row["id"])
        until(runner, "plot delivered: " + str(farm.root / "b"))
        until(runner, "half a copy that the plotter left")
        until(runner, "ended: killed")
        stopped(runner)
        (plot,) = (farm.root / "b").glob("*.plot")
        assert ok(farm, "chiapos-check", str(plot))
        assert not (farm.tmp / f"plotrun-{row['id']}").exists()


def test_finished_plots_of_a_killed_process_are_delivered(farm: Farm) -> None:
    farm.write(plots=9, plots_per_process=9, k=20, when_full="plot", dst=str(farm.root / "later"))
    runner = farm.start("run")
    until(runner, "no destination for")
    (row,) = farm.workers()
    ok(farm, "kill", "--yes", row["id"])
    (farm.root / "later").mkdir()
    farm.write(plots=1, k=20, dst=str(farm.root / "later"))
    until(runner, "plot delivered")
    until(runner, "ended: killed")
    stopped(runner)
    assert len(list((farm.root / "later").glob("*.plot"))) >= 1
    assert list(farm.tmp.rglob("*.plot")) == []


def test_a_pre_command_is_killed_and_no_plotter_starts(farm: Farm) -> None:
    farm.write(pre_command="echo begun; sleep 1000", pre_command_must_succeed=False)
    runner = farm.start("run")
    until(runner, "pre-command runs")
    (row,) = farm.workers()
    while "begun" not in (farm.log_dir / f"{row['id']}_pre.log").read_text():
        pass
    assert ok(farm, "logs", "--pre", row["id"]) == "begun\n"
    ok(farm, "kill", "--yes", row["id"])
    until(runner, f"worker {row['id']}: ended: killed")
    stopped(runner)
    assert EventKind.PLOTTER_STARTED not in told(farm)


# Plotters by hand


def by_hand(directory: Path) -> subprocess.Popen[bytes]:
    """A plotter that plotrun did not start, at work."""
    directory.mkdir(exist_ok=True)
    command = [
        sys.executable,
        "-m",
        "plotrun_chiapos",
        "-k",
        "22",
        "-t",
        directory,
        "-d",
        directory,
    ]
    plotter = subprocess.Popen(command, stdout=subprocess.PIPE)
    until(plotter, "Computing table 2")
    return plotter


@pytest.mark.parametrize("files", [False, True])
def test_a_plotter_by_hand_is_named_by_its_process(farm: Farm, files: bool) -> None:
    farm.write()
    place = farm.root / "by hand"
    plotter = by_hand(place)
    pid = plotter.pid
    old = place / f"plot-k22-2026-01-01-00-00-{'ab' * 32}.plot.sort.tmp"
    old.write_text("of another plotter")
    mine = place / "holiday.tmp"
    mine.write_text("of the user")
    assert farm.plotrun("suspend", "all").returncode == 3, "all are those that plotrun started"
    ok(farm, "suspend", str(pid))
    assert is_suspended_now(plotter)
    (row,) = (row for row in farm.status()["workers"] if row["pid"] == pid)
    assert row["suspended"]
    (shown,) = json.loads(ok(farm, "files", f"pid-{pid}", "--json"))["workers"]
    shown_names = {Path(file["path"]).name for file in shown["files"]}
    assert shown_names
    assert shown_names <= {path.name for path in place.iterdir()} - {old.name, mine.name}
    ok(farm, "resume", f"pid-{pid}")
    assert not is_suspended_now(plotter)
    ok(farm, "kill", "--yes", *(["--files"] if files else []), str(pid))
    plotter.communicate()
    assert plotter.returncode == -signal.SIGTERM
    left = {path.name for path in place.iterdir()}
    assert {old.name, mine.name} <= left
    assert (len(left) == 2) == files


def is_suspended_now(process: subprocess.Popen[bytes]) -> bool:
    return psutil.Process(process.pid).status() == psutil.STATUS_STOPPED


# Looked at


def test_what_there_is_to_know_of_a_worker(
    plotting: tuple[Farm, subprocess.Popen[bytes], str],
) -> None:
    farm, _, one = plotting
    while farm.workers()[0]["plot_id"] is None:
        pass  # the runner writes progress once a second
    (row,) = json.loads(ok(farm, "details", one, "--json"))["workers"]
    assert row["id"] == one
    assert row["memory_bytes"] > 1_000_000
    assert row["cpu_seconds"] > 0
    assert len(row["pids"]) >= 2
    assert row["tmp_bytes"] > 0
    assert row["settings"]["k"] == LARGE
    assert row["command_line"][-1] == row["final_dir"]
    shown = ok(farm, "details", row["plot_ids"][0][:10])
    for words in (one, "plotting, running", "phase", "setting       k = 22", row["tmp_dir"]):
        assert words in shown
    files = ok(farm, "files", one)
    assert f"worker {one}: " in files
    assert row["plot_ids"][0] in files
    (listed,) = json.loads(ok(farm, "files", "all", "--json"))["workers"]
    assert listed["bytes"] == sum(file["bytes"] for file in listed["files"]) > 0


def test_logs_are_followed_until_the_worker_ends(farm: Farm) -> None:
    farm.write(k=20, post_command="echo there %plot%")
    runner = farm.start("run")
    until(runner, "plotter started")
    (row,) = farm.workers()
    following = farm.start("logs", "-f", row["id"][:7])
    post = farm.start("logs", "-f", "--post", row["id"])
    assert "Renamed final file" in following.communicate(timeout=60)[0].decode()
    assert post.communicate(timeout=60)[0].decode().startswith("there ")
    assert (following.returncode, post.returncode) == (0, 0)
    stopped(runner)
    ended = ok(farm, "logs", row["id"])
    assert ended == (farm.log_dir / f"{row['id']}.log").read_text()
    (plot,) = farm.plots()
    assert ok(farm, "logs", plot.name.split("-")[-1][:12]) == ended, "by the id of its plot"
    assert f"worker {row['id']}\n" in ok(farm, "details", row["id"][:5])
    none = farm.plotrun("logs", "--pre", row["id"])
    assert none.returncode == 3
    assert none.stderr.startswith(f"error: worker {row['id']} has no log of pre-commands")


def test_events_are_shown_and_followed(farm: Farm) -> None:
    farm.write()
    following = farm.start("events", "-f", "--json", "-n", "0")
    while not (farm.state_dir / "plotrun.sqlite3").exists():
        pass
    farm.run_until_done()
    line = json.loads(until(following, "worker_ended"))
    assert (line["job"], line["data"]["outcome"]) == ("test", "done")
    following.send_signal(signal.SIGINT)
    following.communicate(timeout=10)
    assert following.returncode == 0
    shown = ok(farm, "events", "--worker", line["worker"][:4]).splitlines()
    assert "begins with chiapos" in shown[0]
    assert shown[-1].endswith(f"job test worker {line['worker']}: ended: done")
    assert len(ok(farm, "events", "-n", "2").splitlines()) <= 2
    assert ok(farm, "events", "--job", "other") == ""


# Tried again


def retried(farm: Farm, one: str) -> dict[str, Any]:
    """The worker's row in the history after it was taken up once more."""
    again = farm.run_until_done()
    assert again.returncode == 0, again.stdout + again.stderr
    rows = json.loads(ok(farm, "history", "--json"))["workers"]
    return dict(next(row for row in rows if row["id"] == one))


def test_a_failed_post_command_runs_once_more(farm: Farm) -> None:
    flag = farm.root / "works"
    farm.write(
        post_command=f"echo ran >> {farm.root / 'ran'}; test -e {flag}",
        post_command_must_succeed=True,
    )
    farm.run_until_done()
    (failed,) = farm.status()["failed"]
    flag.touch()
    assert "taken up by the next `plotrun run`" in ok(farm, "retry", failed["id"])
    row = retried(farm, failed["id"])
    assert (row["outcome"], row["reason"]) == ("done", None)
    assert (farm.root / "ran").read_text() == "ran\nran\n"
    assert len(farm.plots()) == 1
    said = farm.plotrun("retry", failed["id"])
    assert (said.returncode, said.stderr) == (
        1,
        f"error: worker {failed['id']} has not failed (done)\n",
    )


def test_a_rejected_plot_is_checked_again_by_a_runner_that_is_up(farm: Farm) -> None:
    flag = farm.root / "good"
    package = farm.root / "patches"
    farm.patch("plotrun.clock", "__doc__", "")
    (package / "sitecustomize.py").write_text(
        "import pathlib, plotrun.builtin.plot_header as h\n"
        "from plotrun import hookimpl\n"
        "@hookimpl\n"
        "def plotrun_check_plot(plot):\n"
        f"    return None if pathlib.Path({str(flag)!r}).exists() else 'not today'\n"
        "h.plotrun_check_plot = plotrun_check_plot\n"
    )
    farm.write(plots=1, rest="[plugins.backoff]\npause_after = 1\n")
    runner = farm.start("run")
    until(runner, "ended: failed")
    (failed,) = farm.status()["failed"]
    flag.touch()
    assert ok(farm, "retry", failed["id"][:6]) == f"worker {failed['id']} is taken up now\n"
    until(runner, "taken up once more")
    until(runner, "plot delivered")
    until(runner, f"worker {failed['id']}: ended: done")
    stopped(runner)
    assert len(farm.plots()) == 1
    assert farm.leftovers() == []


def test_where_nothing_was_left_the_job_may_start_at_once(farm: Farm) -> None:
    farm.write(command="exit 1;", rest="[plugins.backoff]\npause_after = 1\n")
    assert farm.run_until_done().returncode == 1
    (failed,) = farm.status()["failed"]
    farm.write()
    assert (
        ok(farm, "retry", failed["id"]) == "job test may start again with the next `plotrun run`\n"
    )
    assert farm.run_until_done().returncode == 0
    assert len(farm.plots()) == 1
    ok(farm, "pause", "test")
    assert "job test is paused" in ok(farm, "retry", failed["id"])
    assert farm.plotrun("retry", "zzz").returncode == 3
