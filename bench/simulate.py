"""How long ``plotrun simulate`` takes for a week of 12 plotters at a time."""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from measuring import report

SETTINGS = """
[plotrun]
state_dir = "{root}/state"
[[job]]
name = "week"
plotter = "chia"
tmp = ["{root}/nvme0", "{root}/nvme1"]
dst = ["{root}/hdd0", "{root}/hdd1", "{root}/hdd2"]
farmer_public_key = "{key}"
pool_public_key = "{key}"
max_workers = 12
stagger = "30m"
simulated_phases = ["2h30m", "70m", "2h10m", "10m"]
[plugins.simulation.disks."{root}"]
capacity = "100TB"
bandwidth = "3GB"
"""
KEY = (
    "85695fcbc06cc4c4c9451f4dce21cbf8de3e5a13bf48f44c"
    "dbb18e2038ba7b8bb1632d7911ef1e2e08749bddbf165352"
)


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--days", type=float, default=7)
    parser.add_argument("--repeat", type=int, default=3)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as directory:
        settings = Path(directory, "settings.toml")
        settings.write_text(SETTINGS.format(root=directory, key=KEY))
        command = [sys.executable, "-m", "plotrun", "simulate", "--json"]
        command += ["--settings", str(settings), "--days", str(given.days)]
        best = float("inf")
        for _ in range(given.repeat):
            began = time.perf_counter()
            ended = subprocess.run(command, capture_output=True, check=True)
            best = min(best, time.perf_counter() - began)
    (job,) = json.loads(ended.stdout)["jobs"]
    found = {
        "days": given.days,
        "plots": job["plots"],
        "workers": job["running"]["most"],
        "seconds": round(best, 2),
    }
    report("simulate", found)


if __name__ == "__main__":
    main()
