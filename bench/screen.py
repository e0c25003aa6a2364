"""What the live screen takes with 64 quiet plotters, at one picture a second.

`plotrun run` on a terminal of 200x50, the same with `--plain`, and `plotrun status --watch`.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import signal
import subprocess
import tempfile
import termios
import threading
import time
from collections.abc import Iterator
from pathlib import Path

from measuring import report
from overhead import end_all, plotrun, quiet_plotters, use

from plotrun.store import Store

SIZE = (50, 200)
SETTLING = 5.0
"""Seconds after which imports and what is read at the start are over."""


@contextlib.contextmanager
def on_terminal(command: list[str]) -> Iterator[subprocess.Popen[bytes]]:
    """The command with a terminal that takes all it writes."""
    master, slave = os.openpty()
    termios.tcsetwinsize(slave, SIZE)
    process = subprocess.Popen(
        command, stdin=slave, stdout=slave, stderr=slave, start_new_session=True
    )
    os.close(slave)
    threading.Thread(target=drain, args=(master,), daemon=True).start()
    try:
        yield process
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait()


def drain(master: int) -> None:
    with contextlib.suppress(OSError):
        while os.read(master, 65536):
            pass
    os.close(master)


def wait_for(root: Path, plotters: int) -> None:
    """Until so many plotters are in phase 1."""
    while not (root / "state" / "runner.wake").exists():
        time.sleep(0.1)
    store = Store(root / "state")
    while sum(worker.progress.phase == 1 for worker in store.alive_workers()) < plotters:
        time.sleep(0.2)
    store.close()


def measure(root: Path, plotters: int, seconds: float) -> dict[str, object]:
    file = quiet_plotters(root, plotters)
    found: dict[str, object] = {"plotters": plotters}
    try:
        for name, arguments in (("run_plain", ["run", "--plain"]), ("run", ["run"])):
            with on_terminal(plotrun(file, *arguments)) as runner:
                wait_for(root, plotters)
                time.sleep(min(SETTLING, seconds))
                found[name] = use(runner.pid, seconds)
                if name == "run":
                    with on_terminal(plotrun(file, "status", "--watch")) as watch:
                        time.sleep(min(SETTLING, seconds))
                        found["status_watch"] = use(watch.pid, seconds)
    finally:
        end_all(root)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--plotters", type=int, default=64)
    parser.add_argument("--seconds", type=float, default=60)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as root:
        report("screen", measure(Path(root), arguments.plotters, arguments.seconds))


if __name__ == "__main__":
    main()
