"""How fast a plot is copied, what that costs of a CPU, and how much it leaves in the page cache.

Against the plainest copies that there are: a buffer of 16 MiB, and the kernel's `sendfile`; and
how fast a hash goes over a file, for `verify = "read"`.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from measuring import report

from plotrun.copying import Attempt, bring

Copy = Callable[[Path, Path], None]


def by_buffer(source: Path, destination: Path) -> None:
    """What plotrun did before: a large buffer, and the page cache forgotten at the end."""
    buffer = memoryview(bytearray(16 * 1024 * 1024))
    with source.open("rb", buffering=0) as reader, destination.open("xb", buffering=0) as writer:
        while count := reader.readinto(buffer):
            writer.write(buffer[:count])
        os.fsync(writer.fileno())
    source.unlink()


def by_sendfile(source: Path, destination: Path) -> None:
    """In the kernel."""
    with source.open("rb", buffering=0) as reader, destination.open("xb", buffering=0) as writer:
        while os.sendfile(writer.fileno(), reader.fileno(), None, 16 * 1024 * 1024):
            pass
        os.fsync(writer.fileno())
    source.unlink()


def by_plotrun(verify: str) -> Copy:
    """As plots are brought."""

    def copy(source: Path, destination: Path) -> None:
        bring(source, destination, "bench", verify, Attempt())

    return copy


def measure(copy: Copy, source: Path, destination: Path, size: int) -> dict[str, float]:
    """Megabytes a second with everything on the disk, and seconds of CPU for each gigabyte."""
    block = os.urandom(1024 * 1024)
    with source.open("wb") as file:
        for _ in range(size >> 20):
            file.write(block)
        os.fsync(file.fileno())
    cpu, began = time.process_time(), time.monotonic()
    copy(source, destination)
    seconds, used = time.monotonic() - began, time.process_time() - cpu
    destination.unlink()
    return {"mb_per_s": round(size / seconds / 1e6), "cpu_s_per_gb": round(used / size * 1e9, 2)}


def hash_speed() -> int:
    """Megabytes a second of the hash that compares copies."""
    block, digest, began = bytes(1024 * 1024), hashlib.blake2b(), time.monotonic()
    for _ in range(256):
        digest.update(block)
    return round(256 * len(block) / (time.monotonic() - began) / 1e6)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--mb", type=int, default=1024, help="size of the plot")
    parser.add_argument("--source", type=Path, default=Path("/dev/shm"), help="directory")
    parser.add_argument("--destination", type=Path, help="directory on another file system")
    arguments = parser.parse_args()
    copies = {
        "buffer": by_buffer,
        "sendfile": by_sendfile,
        "plotrun_size": by_plotrun("size"),
        "plotrun_read": by_plotrun("read"),
    }
    figures: dict[str, object] = {"mb": arguments.mb, "blake2b_mb_per_s": hash_speed()}
    with (
        tempfile.TemporaryDirectory(dir=arguments.source) as source,
        tempfile.TemporaryDirectory(dir=arguments.destination) as destination,
    ):
        for name, copy in copies.items():
            there = Path(destination) / "plot"
            figures[name] = measure(copy, Path(source) / "plot", there, arguments.mb << 20)
    report("copying", figures)


if __name__ == "__main__":
    main()
