"""What plotrun itself takes while 64 quiet plotters run that write a line a second."""

from __future__ import annotations

import argparse
import contextlib
import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import psutil
from measuring import report, write_settings

SCRIPT = """\
echo "ID: {plot_id}"
exec 9<>{never}
while :; do echo "phase 1 and the step number $((n++))"; read -u 9 -t 1; done
"""
RUN = """\
import sys
sys.path.insert(0, {here!r})
from measuring import Bench
from plotrun import manager
from plotrun.cli import main
load = manager.load_plugins
def load_with_bench(*arguments):
    plugins = load(*arguments)
    plugins.register(Bench(), "bench")
    return plugins
manager.load_plugins = load_with_bench
main()
"""


def measure(root: Path, plotters: int, seconds: float) -> dict[str, object]:
    """CPU seconds for each minute and memory of the plotrun process alone."""
    runner = subprocess.Popen(
        plotrun(quiet_plotters(root, plotters), "run"), stdout=subprocess.PIPE
    )
    assert runner.stdout is not None
    try:
        started = 0
        while started < plotters:
            line = runner.stdout.readline()
            assert line, "plotrun ended before all plotters were started"
            started += b"phase 1" in line
        used = use(runner.pid, seconds)
    finally:
        runner.send_signal(signal.SIGTERM)
        runner.communicate()
        end_all(root)
    return {"plotters": plotters, **used}


def quiet_plotters(root: Path, plotters: int) -> Path:
    """Settings with one job that keeps so many quiet plotters running."""
    never, script = root / "never", root / "script"
    os.mkfifo(never)
    script.write_text(SCRIPT.format(plot_id="ab" * 32, never=never))
    return write_settings(root, f'max_workers = {plotters}\nscript = "{script}"\n')


def plotrun(file: Path, *arguments: str) -> list[str]:
    """A command line of plotrun with the plugin of the benchmarks."""
    code = RUN.format(here=str(Path(__file__).parent))
    return [sys.executable, "-c", code, "--settings", str(file), *arguments]


def use(pid: int, seconds: float) -> dict[str, float]:
    """What a process uses in the coming *seconds*."""
    process = psutil.Process(pid)
    before, begin = process.cpu_times(), time.monotonic()
    time.sleep(seconds)
    after, end = process.cpu_times(), time.monotonic()
    used = after.user + after.system - before.user - before.system
    return {
        "seconds": round(end - begin, 1),
        "cpu_seconds_a_minute": round(60 * used / (end - begin), 3),
        "percent_of_a_core": round(100 * used / (end - begin), 2),
        "rss_mb": round(process.memory_info().rss / 1e6, 1),
    }


def end_all(root: Path) -> None:
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error):
            if str(root) in " ".join(process.cmdline()):
                process.kill()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--plotters", type=int, default=64)
    parser.add_argument("--seconds", type=float, default=60)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as root:
        report("overhead", measure(Path(root), arguments.plotters, arguments.seconds))


if __name__ == "__main__":
    main()
