"""``plotrun status``: with and without a runner, for people and for programs."""

from __future__ import annotations

import json
import re
import signal
from pathlib import Path
from typing import Any

import psutil

from farm import Farm, until

DOC = (Path(__file__).parents[1] / "docs" / "status.md").read_text("utf-8")


def documented(section: str) -> set[str]:
    """The fields that docs/status.md names in the first column of a table, or in a sentence."""
    text = DOC.split(f"\n## {section}\n")[1].split("\n## ")[0]
    rows = re.findall(r"^\| (`.*?) \|", text, re.MULTILINE)
    return set(re.findall(r"`(\w+)`", " ".join(rows) if rows else text))


def plotting(farm: Farm) -> dict[str, Any]:
    """The status while a plotter runs, with no runner up; the plotter is ended afterwards."""
    runner = farm.start("run")
    until(runner, "phase 1")
    runner.send_signal(signal.SIGTERM)
    assert runner.wait(30) == 0
    status = dict(farm.status())
    for worker in farm.workers():
        psutil.Process(worker["pid"]).kill()
    return status


def test_before_the_first_run_there_is_nothing_to_see(farm: Farm) -> None:
    farm.write()
    shown = farm.plotrun("status")
    assert shown.returncode == 0
    assert shown.stdout.startswith("plotrun is not up, 0 workers")


def test_the_form_of_the_json_is_the_documented_one(farm: Farm) -> None:
    farm.write(k=22)
    status = plotting(farm)
    top = json.loads(re.findall(r"```json\n(.*?)```", DOC, re.DOTALL)[0])
    assert status.keys() == top.keys()
    assert status["form"] == top["form"] == 1
    assert status["jobs"][0].keys() == documented("jobs")
    (worker,) = (worker for worker in status["workers"] if worker["own"])
    assert worker.keys() == documented("workers")
    assert status["machine"].keys() == documented("machine") - {"null"}
    assert status["events"][0].keys() == documented("events")
    spans = status["delivered"]
    keys = spans.keys() | spans["today"].keys()
    assert keys == documented("delivered") - {"null"}


def test_without_a_runner_progress_comes_from_the_log(farm: Farm) -> None:
    farm.write(k=22)
    status = plotting(farm)
    (worker,) = (worker for worker in status["workers"] if worker["own"])
    assert status["runner"] == {"running": False, "pid": None}
    assert worker["alive"]
    assert worker["phase"] >= 1
    assert worker["fraction"] > 0
    assert re.fullmatch("[0-9a-f]{64}", worker["plot_id"])
    assert (worker["job"], worker["plotter"], worker["k"]) == ("test", "chiapos", 22)


def test_with_a_runner_its_process_is_named(farm: Farm) -> None:
    farm.write(k=22)
    runner = farm.start("run")
    until(runner, "plotter started")
    assert farm.status()["runner"] == {"running": True, "pid": runner.pid}
    shown = farm.plotrun("status").stdout
    assert f"plotrun runs (process {runner.pid}), 1 workers" in shown
    runner.terminate()
    assert runner.wait(30) == 0


def test_failures_are_shown_with_their_reason(farm: Farm) -> None:
    farm.write(command="exit 9;", rest="[plugins.backoff]\npause_after = 1\n")
    farm.run_until_done()
    (failed,) = farm.status()["failed"]
    assert failed.keys() == documented("failed")
    assert failed["reason"] == "the plotter exited with code 9"
    shown = " ".join(farm.plotrun("status").stdout.split())
    assert f"failed: worker {failed['id']} of job test: the plotter exited with code 9" in shown


def test_the_table_fits_a_terminal_of_80_columns(farm: Farm) -> None:
    farm.write(k=22)
    runner = farm.start("run")
    until(runner, "phase 1")
    while not (worker := farm.workers()[0])["plot_id"]:
        pass  # the runner writes progress once a second
    farm.environment["COLUMNS"] = "80"
    lines = farm.plotrun("status").stdout.splitlines()
    (row,) = (line for line in lines if line.strip().startswith(worker["id"]))
    assert "test" in row
    assert worker["plot_id"][:8] in row
    assert all(len(line) <= 80 for line in lines)
    runner.terminate()
    assert runner.wait(30) == 0
