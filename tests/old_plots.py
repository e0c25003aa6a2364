"""Old plots for tests: files with real headers, as large as wanted, made when wanted."""

from __future__ import annotations

import os
import secrets
import time
from pathlib import Path

from test_plotfile import ID, bladebit, v1, v2

KINDS = {
    "v1": v1(b"v1.0"),
    "gigahorse": v1(b"mmx-v2.4"),
    "c0": bladebit(0),
    "c7": bladebit(1),
    "v2": v2(),
}
OG_MEMO = bytes([1]) * 48 + bytes(80)
CONTRACT = bytes(range(32))
"""The puzzle hash in the memos of `KINDS`."""
YEAR = 365.25 * 86400


def header(kind: str = "v1", plot_id: bytes = ID, k: int = 32, og: bool = False) -> bytes:
    """The beginning of a plot file."""
    plain = v1(b"v1.0", OG_MEMO) if og else KINDS[kind]
    begin, _, rest = plain.partition(ID)
    return begin + plot_id + bytes([k]) + rest[1:]


def write_plot(
    directory: Path,
    size: int = 4096,
    kind: str = "v1",
    years: float = 3.0,
    k: int = 32,
    og: bool = False,
    name: str | None = None,
    plot_id: bytes | None = None,
) -> Path:
    """A plot file of *size* bytes, every one of them on the disk, written *years* ago."""
    plot_id = plot_id or secrets.token_bytes(32)
    path = directory / (name or f"plot-k{k}-{plot_id.hex()}.plot")
    begin = header(kind, plot_id, k, og)
    path.write_bytes(begin + bytes(max(0, size - len(begin))))
    age(path, years)
    return path


def age(path: Path, years: float) -> None:
    """Let a file look as if it had been written *years* ago."""
    then = time.time() - years * YEAR
    os.utime(path, (then, then))


def free_of(directory: Path) -> int:
    """Free bytes of the file system."""
    status = os.statvfs(directory)
    return status.f_bavail * status.f_frsize


def fill_but(directory: Path, left: int) -> Path:
    """Take all room of a small disk but *left* bytes."""
    path = directory / "filler"
    path.write_bytes(bytes(free_of(directory) - left))
    return path
