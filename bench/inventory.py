"""How long ``plotrun plots`` takes over a farm of sparse plot files with real headers.

The first time every header is read, the second time none. Also `replot --dry-run` over the same.
"""

from __future__ import annotations

import argparse
import os
import secrets
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from measuring import report

PLOT_BYTES = 108_900_000_000
MEMOS = (bytes([1]) * 48 + bytes(80), bytes([2]) * 32 + bytes(80))
"""For a pool key (128 bytes) and for a contract (112)."""


def fill(root: Path, plots: int, destinations: int) -> Path:
    """Settings, and destinations with as many plots each."""
    (root / "tmp").mkdir()
    for number in range(destinations):
        directory = root / f"dst{number}"
        directory.mkdir()
        for plot in range(plots // destinations):
            write_plot(directory, 2020 + plot % 6, MEMOS[plot % 2])
    file = root / "settings.toml"
    listed = ", ".join(f'"{root}/dst{number}"' for number in range(destinations))
    file.write_text(
        f'[plotrun]\nstate_dir = "{root}/state"\n[[job]]\nname = "bench"\nplotter = "chia"\n'
        f'tmp = "{root}/tmp"\ndst = [{listed}]\nk = 32\ncommand = "/bin/true"\n'
        f'farmer_public_key = "{KEY}"\npool_public_key = "{KEY}"\n'
        "[job.replot]\nbefore = 2024-01-01\n"
    )
    return file


KEY = (
    "85695fcbc06cc4c4c9451f4dce21cbf8de3e5a13bf48f44cdbb18e2038ba7b8b"
    "b1632d7911ef1e2e08749bddbf165352"
)


def write_plot(directory: Path, year: int, memo: bytes) -> None:
    """A sparse file that begins like a k=32 plot of chia and has its size."""
    plot_id = secrets.token_bytes(32)
    header = b"Proof of Space Plot" + plot_id + bytes([32])
    header += (4).to_bytes(2, "big") + b"v1.0" + len(memo).to_bytes(2, "big") + memo
    path = directory / f"plot-k32-{year}-05-01-12-34-{plot_id.hex()}.plot"
    with path.open("wb") as file:
        file.write(header)
        file.truncate(PLOT_BYTES)
    os.utime(path, (1.6e9, 1.6e9))


def seconds(file: Path, *arguments: str) -> float:
    """How long a command takes."""
    before = time.perf_counter()
    subprocess.run(
        [sys.executable, "-m", "plotrun", "--settings", file, *arguments],
        check=True,
        stdout=subprocess.DEVNULL,
    )
    return round(time.perf_counter() - before, 3)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--plots", type=int, default=20_000)
    parser.add_argument("--destinations", type=int, default=20)
    parser.add_argument("--directory", help="Where to make the farm. Default: the system's.")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=arguments.directory) as root:
        file = fill(Path(root), arguments.plots, arguments.destinations)
        figures: dict[str, object] = {
            "plots": arguments.plots,
            "destinations": arguments.destinations,
            "first_seconds": seconds(file, "plots"),
            "second_seconds": seconds(file, "plots"),
            "json_seconds": seconds(file, "plots", "--json"),
            "dry_run_seconds": seconds(file, "replot", "--dry-run"),
        }
    report("inventory", figures)


if __name__ == "__main__":
    main()
