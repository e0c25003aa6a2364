"""How long a command takes that only looks: ``--help``, and ``status`` with 16 workers.

Without a runner ``status`` reads the workers' logs itself.
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from measuring import report, write_settings

from plotrun.lock import RunnerLock
from plotrun.model import Progress, Stage, Worker
from plotrun.process_table import identify
from plotrun.store import Store


def fill(root: Path, workers: int) -> list[subprocess.Popen[bytes]]:
    """A store with living workers, each with a process and the whole log of a k=25 plot."""
    log = Path(__file__).parents[1] / "tests" / "data" / "chia-k25.log"
    store = Store(root / "state")
    running = []
    for number in range(workers):
        process = subprocess.Popen(["sleep", "1000"])
        running.append(process)
        worker = Worker(
            id=f"{number:08x}",
            job="bench",
            plotter="chia",
            stage=Stage.PLOTTING,
            created_at=time.time(),
            started_at=time.time(),
            tmp=root / "tmp",
            log=log,
            k=32,
            process=identify(process.pid),
            progress=Progress(phase=1, step=3, fraction=0.2, plot_id="ab" * 32),
        )
        store.save_worker(worker)
    store.close()
    return running


def time_of(arguments: list[str], repeat: int) -> dict[str, float]:
    """Best and median milliseconds of a command."""
    found = []
    for _ in range(repeat + 1):
        before = time.perf_counter()
        subprocess.run(
            [sys.executable, "-m", "plotrun", *arguments], check=True, stdout=subprocess.DEVNULL
        )
        found.append(1000 * (time.perf_counter() - before))
    found.pop(0)  # the first one reads the files from the disk
    return {"best_ms": round(min(found), 1), "median_ms": round(statistics.median(found), 1)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeat", type=int, default=20)
    parser.add_argument("--workers", type=int, default=16)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as root:
        file = str(write_settings(Path(root), 'script = "/bin/true"\n'))
        running = fill(Path(root), arguments.workers)
        try:
            figures: dict[str, object] = {
                "help": time_of(["--help"], arguments.repeat),
                "version": time_of(["version"], arguments.repeat),
                "status_without_runner": time_of(["--settings", file, "status"], arguments.repeat),
            }
            lock = RunnerLock(Path(root) / "state")
            status = ["--settings", file, "status"]
            figures["status"] = time_of(status, arguments.repeat)
            figures["status_json"] = time_of([*status, "--json"], arguments.repeat)
            lock.release()
        finally:
            for process in running:
                process.kill()
                process.wait()
    report("cli_startup", figures)


if __name__ == "__main__":
    main()
