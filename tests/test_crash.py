"""plotrun is killed at every point of a worker's life and started again.

Whatever the point: every plot is delivered once, every post-command is run once, nothing is left
in the temporary directory, and the counts are right.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from farm import Farm
from plotrun import EventKind
from plotrun.store import Store

DRIVER = Path(__file__).with_name("crashing_plotrun.py")
SAVES = 16
"""Writes to the store in the life of a worker that has both commands."""
POINTS = [
    *(f"{when} save {number}" for number in range(1, SAVES + 1) for when in ("before", "after")),
    "after spawn pre",
    "after spawn plotter",
    "after spawn post",
    "in phase 1",
    "in phase 3",
    "in copy",
]


@pytest.fixture
def split_farm(farm: Farm) -> Iterator[Farm]:
    """A farm whose temporary directory is a file system of its own: delivery is a copy."""
    mounted = os.geteuid() == 0 and (
        subprocess.run(
            ["mount", "-t", "tmpfs", "-o", "size=200m", "tmpfs", farm.tmp], check=False
        ).returncode
        == 0
    )
    yield farm
    if mounted:
        subprocess.run(["umount", "-l", farm.tmp], check=True)


def run_and_crash(farm: Farm, point: str) -> None:
    """Run plotrun until it kills itself at *point*."""
    ended = subprocess.run(
        [sys.executable, DRIVER, "--settings", farm.settings, "run", "--until-done"],
        env=os.environ | {"CRASH": point},
        capture_output=True,
        timeout=60,
        check=False,
    )
    assert ended.returncode == -signal.SIGKILL, f"{point}: it did not crash: {ended.stdout!r}"


def write_settings(farm: Farm, **keys: object) -> Path:
    """Two plots, one after the other; each command adds a line to a file when it runs."""
    runs = farm.root / "runs"
    wanted: dict[str, object] = {
        "plots": 2,
        "pre_command": f"echo pre %worker% >> {runs}",
        "post_command": f"echo post %plot% >> {runs}",
    }
    farm.write(rest='[plugins.backoff]\nfirst_wait = "10ms"\n', **(wanted | keys))
    return runs


def assert_all_is_well(farm: Farm, runs: Path) -> None:
    plots = farm.plots()
    assert len(plots) == 2
    assert farm.leftovers() == []
    assert farm.plotrun("chiapos-check", *map(str, plots)).returncode == 0
    status = farm.status()
    assert farm.workers() == []
    assert status["jobs"][0]["made"] == 2
    lines = runs.read_text().splitlines()
    assert sorted(line for line in lines if line.startswith("post")) == [
        f"post {plot}" for plot in plots
    ]
    pre = [line for line in lines if line.startswith("pre")]
    assert len(pre) == len(set(pre)), "a pre-command ran twice for one worker"
    delivered = events(farm, EventKind.PLOT_DELIVERED)
    assert sorted(delivered) == [str(plot) for plot in plots]


def events(farm: Farm, kind: EventKind) -> list[str]:
    store = Store(farm.state_dir)
    found = [event for event in store.events.last(1000) if event.kind is kind]
    store.close()
    return [str(event.data.get("plot", event.data)) for event in found]


@pytest.mark.parametrize("point", POINTS)
def test_nothing_is_lost_or_done_twice(split_farm: Farm, point: str) -> None:
    runs = write_settings(split_farm)
    run_and_crash(split_farm, point)
    ended = split_farm.run_until_done()
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert_all_is_well(split_farm, runs)


def test_the_table_covers_the_whole_life(split_farm: Farm) -> None:
    write_settings(split_farm, plots=1)
    run_and_crash(split_farm, f"after save {SAVES}")
    assert len(events(split_farm, EventKind.WORKER_ENDED)) == 1


@pytest.mark.parametrize(
    "point", [f"{when} save {n}" for n in (1, 2, 3) for when in ("before", "after")]
)
def test_a_worker_without_commands_is_taken_up_as_well(farm: Farm, point: str) -> None:
    farm.write(plots=2)
    run_and_crash(farm, point)
    assert farm.run_until_done().returncode == 0
    assert len(farm.plots()) == 2
    assert farm.leftovers() == []
    assert farm.status()["jobs"][0]["made"] == 2


@pytest.mark.parametrize("point", ["before save 10", "after save 10"])
def test_a_delivery_by_rename_is_taken_up(farm: Farm, point: str) -> None:
    runs = write_settings(farm)
    run_and_crash(farm, point)
    assert farm.run_until_done().returncode == 0
    assert_all_is_well(farm, runs)


def test_plotter_dead_as_well_fails_the_worker_and_another_makes_the_plot(farm: Farm) -> None:
    runs = write_settings(farm, k=20)
    run_and_crash(farm, "in phase 1")
    farm.end_plotters()
    ended = farm.run_until_done()
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert "failed: the plotter ended before the plot was complete" in ended.stdout
    assert_all_is_well(farm, runs)


@pytest.mark.parametrize("side", ["pre", "post"])
def test_a_running_command_is_waited_for(farm: Farm, side: str) -> None:
    runs, gate = farm.root / "runs", farm.root / "gate"
    os.mkfifo(gate)
    line = f"echo {side} >> {runs}; read answer < {gate}; exit $answer"
    farm.write(plots=1, **{f"{side}_command": line})
    process = farm.start("run", "--until-done")
    with gate.open("w") as opened:  # opens once the command reads: it is in its middle now
        process.kill()
        process.wait()
        again = farm.start("run", "--until-done", "--plain")
        assert again.stdout is not None
        for output in again.stdout:
            if f"{side}-command runs".encode() in output:
                break
        opened.write("0\n")
    assert again.wait(60) == 0
    assert runs.read_text() == f"{side}\n"
    assert len(farm.plots()) == 1
    assert farm.leftovers() == []


def test_a_command_cut_off_with_plotrun_is_reported_and_not_run_again(farm: Farm) -> None:
    runs, gate = farm.root / "runs", farm.root / "gate"
    os.mkfifo(gate)
    farm.write(plots=1, post_command=f"echo post >> {runs}; read answer < {gate}")
    process = farm.start("run", "--until-done")
    with gate.open("w"):
        process.kill()
        process.wait()
        farm.end_plotters()
        ended = farm.run_until_done()
    assert ended.returncode == 0
    assert "post-command: unknown" in ended.stdout
    assert runs.read_text() == "post\n"
    assert len(farm.plots()) == 1
    assert farm.leftovers() == []


def test_a_plot_that_was_finished_while_plotrun_was_down_is_delivered(farm: Farm) -> None:
    runs = write_settings(farm)
    run_and_crash(farm, "after spawn plotter")
    psutil.wait_procs(farm.processes(), timeout=60)
    status = farm.status()
    assert status["runner"] == {"running": False, "pid": None}
    (worker,) = farm.workers()
    assert 0.9 < worker["fraction"] < 1.0, json.dumps(status)  # made, not delivered
    assert farm.run_until_done().returncode == 0
    assert_all_is_well(farm, runs)
