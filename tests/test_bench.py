"""The benchmarks run, and print the figures that bench/README.md shows."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

BENCH = Path(__file__).parents[1] / "bench"


def figures(*command: str) -> dict[str, Any]:
    ended = subprocess.run(
        [sys.executable, BENCH / command[0], *command[1:]],
        capture_output=True,
        check=True,
        timeout=120,
    )
    printed: dict[str, Any] = json.loads(ended.stdout)
    assert printed["benchmark"] == command[0].removesuffix(".py")
    return printed


def test_slot_idle() -> None:
    found = figures("slot_idle.py", "--starts", "6", "--slots", "1", "2")
    assert found["bare_start_ms"] > 0
    assert found["slots_1"]["starts"] == 5
    assert found["slots_2"]["starts"] == 4
    assert 0 < found["slots_1"]["median_ms"] <= found["slots_1"]["p99_ms"]


def test_overhead() -> None:
    found = figures("overhead.py", "--plotters", "4", "--seconds", "1")
    assert found["plotters"] == 4
    assert found["seconds"] >= 1
    assert found["rss_mb"] > 1
    assert found["percent_of_a_core"] >= 0


def test_screen() -> None:
    found = figures("screen.py", "--plotters", "3", "--seconds", "1")
    for name in ("run_plain", "run", "status_watch"):
        assert found[name]["seconds"] >= 1
        assert found[name]["percent_of_a_core"] >= 0


def test_analyze() -> None:
    found = figures("analyze.py", "--logs", "3", "12", "--repeat", "1")
    for count in (3, 12):
        measured = found[f"logs_{count}"]
        assert measured["logs"] == count
        assert measured["mb"] == pytest.approx(0.2 * count, rel=0.1)
        assert measured["mb_per_s"] > 1
        assert measured["command_seconds"] > measured["seconds"] > 0
        assert measured["peak_memory_mb"] > 1


def test_inventory() -> None:
    found = figures("inventory.py", "--plots", "40", "--destinations", "2")
    assert (found["plots"], found["destinations"]) == (40, 2)
    for name in ("first", "second", "json", "dry_run"):
        assert found[f"{name}_seconds"] > 0


def test_copying() -> None:
    found = figures("copying.py", "--mb", "4")
    assert found["mb"] == 4
    assert found["blake2b_mb_per_s"] > 0
    for name in ("buffer", "sendfile", "plotrun_size", "plotrun_read"):
        assert found[name]["mb_per_s"] > 0


def test_cli_startup() -> None:
    found = figures("cli_startup.py", "--repeat", "2", "--workers", "2")
    for command in ("help", "version", "status", "status_json", "status_without_runner"):
        assert 0 < found[command]["best_ms"] <= found[command]["median_ms"]


def test_simulate() -> None:
    found = figures("simulate.py", "--days", "1", "--repeat", "1")
    assert found["workers"] == 12
    assert found["plots"] == 36
    assert found["seconds"] > 0
