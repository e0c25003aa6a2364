"""How long a slot is idle: from a plotter's exit to the start of the next one.

Both moments are written down by the plotters themselves: the last thing that one does, and the
first thing that the next one does. What a bare start of the same program costs is measured too.
"""

from __future__ import annotations

import argparse
import asyncio
import statistics
import subprocess
import tempfile
import time
from pathlib import Path

from measuring import HEADER, Bench, report, write_settings

from plotrun.clock import SystemClock
from plotrun.manager import load_plugins
from plotrun.process import Spawn, SystemExecutor
from plotrun.runner import Runner
from plotrun.settings.load import load_settings
from plotrun.store import Store

SCRIPT = """\
echo "start $EPOCHREALTIME" >> "$2"
read -t {seconds} < {never}
cp {header} "$1/plot-$$-$EPOCHREALTIME.plot"
echo complete
echo "end $EPOCHREALTIME" >> "$2"
"""


def measure(root: Path, starts: int, slots: int, seconds: float) -> list[float]:
    """Seconds between the n-th end and the start that follows it, for each end."""
    times, header, never = root / "times", root / "header", root / "never"
    header.write_bytes(HEADER)
    subprocess.run(["mkfifo", str(never)], check=True)
    script = root / "script"
    # A FIFO opened for both directions never has anything to read: a sleep without a process.
    text = SCRIPT.format(seconds=seconds, header=header, never="<(:)")
    text = text.replace("read -t", f"exec 9<>{never}; read -u 9 -t").replace(" < <(:)", "")
    script.write_text(text)
    file = write_settings(
        root,
        f'plots = {starts}\nmax_workers = {slots}\nscript = "{script}"\ntimes = "{times}"\n',
    )
    plugins = load_plugins()
    plugins.register(Bench(), "bench")
    settings = load_settings(file, plugins.schema())

    async def run() -> None:
        store = Store(settings.state_dir)
        runner = Runner(settings, plugins, store, SystemExecutor(), SystemClock())
        await runner.run(until_done=True)
        store.close()

    asyncio.run(run())
    return gaps(times.read_text().splitlines(), slots)


def gaps(lines: list[str], slots: int) -> list[float]:
    """The k-th end frees the slot that start number slots + k takes."""
    starts = sorted(float(line.split()[1]) for line in lines if line.startswith("start"))
    ends = sorted(float(line.split()[1]) for line in lines if line.startswith("end"))
    return [start - end for start, end in zip(starts[slots:], ends, strict=False)]


def bare_start(root: Path, repeat: int) -> float:
    """Median seconds from asking the executor for a process of the same shell to its first act."""

    async def once(log: Path) -> float:
        argv = ["/bin/bash", "-c", "echo $EPOCHREALTIME"]
        before = time.time()
        process = await SystemExecutor().spawn(Spawn(argv, log, worker="bench", step="bench"))
        await process.wait()
        return float(log.read_text()) - before

    async def all_of_them() -> list[float]:
        return [await once(root / f"{number}.log") for number in range(repeat)]

    return statistics.median(asyncio.run(all_of_them()))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--starts", type=int, default=200)
    parser.add_argument("--slots", type=int, nargs="+", default=[1, 16])
    parser.add_argument("--directory", help="where the farm is made; default: a temporary one")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=arguments.directory) as root:
        bare = bare_start(Path(root), 50)
    figures: dict[str, object] = {"bare_start_ms": round(bare * 1000, 2)}
    for slots in arguments.slots:
        with tempfile.TemporaryDirectory(dir=arguments.directory) as root:
            # With many slots the plotters take longer, so that they do not all end at once.
            found = measure(Path(root), arguments.starts, slots, 0.05 * slots)
        ordered = sorted(found)
        figures[f"slots_{slots}"] = {
            "starts": len(found),
            "median_ms": round(statistics.median(found) * 1000, 2),
            "p99_ms": round(ordered[int(0.99 * (len(ordered) - 1))] * 1000, 2),
        }
    report("slot_idle", figures)


if __name__ == "__main__":
    main()
