"""How fast ``plotrun analyze`` reads logs: 1,000 logs of k=32 plots by chia, about 200 MB.

They are made from a real log of a k=25 plot, which has the same lines, with the values of k=32:
each has an id, a date, directories and durations of its own. They are read right after they were
written, from memory: what a disk can do is not measured.
"""

from __future__ import annotations

import argparse
import json
import random
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from measuring import report

from plotrun.analysis.bladebit import BLADEBIT_FINISHED
from plotrun.analysis.many import Tables, analyze
from plotrun.builtin.chia import CHIAPOS_FINISHED
from plotrun.builtin.madmax import MADMAX_FINISHED

TABLES: Tables = (
    ("chia", CHIAPOS_FINISHED),
    ("madmax", MADMAX_FINISHED),
    ("bladebit", BLADEBIT_FINISHED),
)
TEMPLATE = Path(__file__).parents[1] / "tests" / "data" / "chia-k25.log"
SLOWER = 250
"""Times a phase of k=32 takes longer than one of k=25."""


def write_logs(directory: Path, count: int) -> float:
    """Write *count* logs; answers the seconds of all phases in them."""
    text = TEMPLATE.read_text("ascii").replace("k25", "k32").replace("size is: 25", "size is: 32")
    text = re.sub(r"Ram: 0\.(\d+)GiB", r"Ram: 3.\1GiB", text)
    found = re.search(r"^ID: (\w{64})$", text, re.MULTILINE)
    assert found
    pieces = re.split(r"((?<=Time for phase . = )[\d.]+(?= seconds))", text)
    chance, seconds = random.Random(1), 0.0
    for number in range(count):
        varied = list(pieces)
        for at in range(1, len(pieces), 2):
            took = round(float(pieces[at]) * SLOWER * chance.uniform(0.8, 1.2), 3)
            varied[at] = f"{took:.3f}"
            seconds += took
        log = "".join(varied).replace(found[1], f"{chance.getrandbits(256):064x}")
        log = log.replace("/mnt/tmp/00", f"/mnt/tmp/{number % 4:02}")
        log = log.replace("Nov 20", f"Nov {number % 28 + 1:2}")
        (directory / f"{number:08}.log").write_text(log, "ascii")
    return seconds


def read(directory: Path, processes: int | None, repeat: int) -> float:
    """Best seconds of reading all logs."""
    best = float("inf")
    for _ in range(repeat):
        before = time.perf_counter()
        analyze([str(directory)], TABLES, processes)
        best = min(best, time.perf_counter() - before)
    return best


def command(directory: Path) -> dict[str, float]:
    """Seconds of the whole command, and the most memory that one of its processes had."""
    watched = (
        "import json, resource, subprocess, sys, time\n"
        "before = time.perf_counter()\n"
        "subprocess.run(sys.argv[1:], check=True, stdout=subprocess.DEVNULL)\n"
        "took = time.perf_counter() - before\n"
        "print(json.dumps([took, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss]))"
    )
    analyzed = [sys.executable, "-m", "plotrun", "analyze", str(directory)]
    said = subprocess.run(
        [sys.executable, "-c", watched, *analyzed], check=True, capture_output=True
    ).stdout
    took, kib = json.loads(said)
    return {"command_seconds": round(took, 2), "peak_memory_mb": round(kib * 1024 / 1e6, 1)}


def measure(count: int, repeat: int) -> dict[str, object]:
    with tempfile.TemporaryDirectory() as root:
        directory = Path(root)
        seconds = write_logs(directory, count)
        size = sum(log.stat().st_size for log in directory.iterdir()) / 1e6
        found = analyze([str(directory)], TABLES)
        told = sum(phase or 0.0 for plot in found.plots for phase in plot.phases)
        assert len(found.plots) == count, f"{len(found.plots)} plots of {count}"
        assert abs(told - seconds) < 0.001 * count, f"{told} seconds, not {seconds}"
        one, chosen = read(directory, 1, repeat), read(directory, None, repeat)
        return {
            "logs": count,
            "mb": round(size, 1),
            "one_process_seconds": round(one, 3),
            "one_process_mb_per_s": round(size / one),
            "seconds": round(chosen, 3),
            "mb_per_s": round(size / chosen),
            **command(directory),
        }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--logs", type=int, nargs="+", default=[100, 1000])
    parser.add_argument("--repeat", type=int, default=5)
    arguments = parser.parse_args()
    report(
        "analyze", {f"logs_{count}": measure(count, arguments.repeat) for count in arguments.logs}
    )


if __name__ == "__main__":
    main()
