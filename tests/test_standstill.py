"""Plotters that stand still: by figures, and by real processes that are quiet."""

from __future__ import annotations

import sys

import psutil
import pytest

from farm import Farm, until
from plotrun.process_table import children_of, identify, process_table, usage
from plotrun.standstill import Standstill, Usage, limit


@pytest.mark.parametrize(
    ("setting", "usual", "seconds"),
    [
        (None, None, 900),
        (None, 60, 900),
        (None, 90.5, 905),
        (None, 1200, 12000),
        (30, 1200, 30),
    ],
)
def test_the_limit(setting: float | None, usual: float | None, seconds: float) -> None:
    assert limit(setting, usual) == seconds


def test_a_line_work_or_being_suspended_is_no_standstill() -> None:
    still = Standstill(1000.0)
    assert still.look(1030, Usage(0.0, stopped=False)) == 30
    still.heard(1040)
    assert still.look(1060, Usage(0.0, stopped=False)) == 20
    assert still.look(1090, Usage(0.31, stopped=False)) == 0, "1 % of 30 s is work"
    assert still.look(1120, Usage(0.60, stopped=False)) == 30, "less is not"
    assert still.look(1150, Usage(0.60, stopped=True)) == 0
    assert still.look(1180, Usage(0.60, stopped=False)) == 30
    assert still.look(1210, None) == 60


def test_a_machine_that_slept_is_no_standstill() -> None:
    still = Standstill(1000.0)
    assert still.look(1030, Usage(0.0, stopped=False)) == 30
    assert still.look(1030 + 8 * 3600, Usage(240.0, stopped=False)) == 0
    assert still.look(1060 + 8 * 3600, Usage(240.0, stopped=False)) == 30
    assert still.look(500, Usage(240.0, stopped=False)) == 0, "the clock was set back"
    assert still.look(530, Usage(240.0, stopped=False)) == 30


def test_what_a_process_and_its_children_use() -> None:
    burn = f"{sys.executable} -c 'import time; t = time.process_time\nwhile t() < 0.3: pass'"
    process = psutil.Popen(["sh", "-c", f"{burn}; kill -STOP $$; true"])
    try:
        ref = identify(process.pid)
        assert ref is not None
        while not (used := usage(ref, children_of(process_table()))) or not used.stopped:
            pass  # until it has burnt its time and stopped itself
        assert used.cpu_seconds >= 0.25  # counted in hundredths
    finally:
        process.kill()
        process.wait()
    assert usage(ref, {}) is None


QUIET = "echo 'Starting phase 1/4: x'; exec sleep 1000"


def write(farm: Farm, **keys: object) -> None:
    farm.patch("plotrun.lookout", "INTERVAL", 0.1)
    farm.write(
        plotter="chia",
        command=f"{QUIET};",
        stuck_after="1s",
        rest="[plugins.backoff]\npause_after = 1\n",
        **keys,
    )


def test_a_stuck_plotter_is_told_and_shown(farm: Farm) -> None:
    write(farm)
    runner = farm.start("run")
    until(runner, "plotter is stuck: no line and no work for 0 minutes")
    while (shown := farm.workers()[0])["stuck_since"] is None:
        pass  # written within a second
    assert shown["stage"] == "plotting"
    assert "stuck since" in farm.plotrun("status").stdout
    runner.terminate()
    runner.communicate()


def test_a_stuck_plotter_is_ended_if_the_user_wants_that(farm: Farm) -> None:
    write(farm, when_stuck="restart")
    ended = farm.run_until_done()
    assert ended.returncode == 1
    assert "failed: the plotter stood still for 1s: ended" in ended.stdout
    assert farm.leftovers() == []
    assert not [p for p in farm.processes() if p.name() == "sleep"]
