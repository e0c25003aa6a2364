"""A stand-in for ``chia_plot``, which cannot be installed here: a program for tests.

It takes the real arguments, writes the lines of a real log with real files and names, and fails
as the real one does: directories without a slash, missing directories, a full destination. With
two plots the copy of the first is told in the middle of the second, as in the real log.

$STANDIN_GATE names a pipe that it reads before it ends: a test decides when that is.
"""

from __future__ import annotations

import errno
import os
import re
import secrets
import shutil
import sys
import time
from pathlib import Path

LOG = Path(__file__).parent / "data" / "madmax-k22-two-plots.log"
REAL_IDS = (
    "1ca9106d6f464149e7cec7a02f7d1f53bf210c3f58238a82bb0bb67b24584394",
    "1c4069da5cea8e84cb8484f9474490442bcb3f0b4e7213f4de08ff603a9356f3",
)
PLOT_BYTES = 100_000
REFUSED = 254


def main() -> int:
    given = dict(re.findall(r"(-[a-zA-Z0-9]) ([^-\s][^\0]*?)(?=\0|$)", _joined(sys.argv[1:])))
    tmp, final = given["-t"], given["-d"]
    for flag, name in (("-t", "tmpdir"), ("-d", "finaldir"), ("-2", "tmpdir2")):
        if flag in given and not given[flag].endswith("/"):
            print(f"Invalid {name}: {given[flag]} (needs trailing '/' or '\\')", flush=True)
            return REFUSED
        if flag in given and not Path(given[flag]).is_dir():
            print(f"Failed to write to {name} directory: '{given[flag]}'", flush=True)
            return REFUSED
    makers = [_Maker(given["-k"], Path(tmp), Path(final), number) for number in (0, 1)]
    lines = LOG.read_text().splitlines(keepends=True)
    second = next(i for i, line in enumerate(lines) if line.startswith("Crafting plot 2"))
    if given["-n"] == "1":
        lines = [*lines[:second], *(line for line in lines[second:] if REAL_IDS[0] in line)]
    return _replay(lines, makers)


def _joined(words: list[str]) -> str:
    """Each flag with its value, apart by NULs: a value may hold spaces."""
    flag = re.compile(r"-[a-zA-Z0-9]")
    return "".join(f"\0{word}" if flag.fullmatch(word) else f" {word}" for word in words)


class _Maker:
    """Makes one plot: temporary files, the finished file, the copy."""

    def __init__(self, k: str, tmp: Path, final: Path, number: int) -> None:
        self.plot_id = secrets.token_bytes(32)
        self.name = f"plot-k{k}-2026-11-20-19-38-{self.plot_id.hex()}.plot"
        self.tmp, self.final, self.k, self.number = tmp, final, int(k), number

    def begin(self) -> None:
        (self.tmp / f"{self.name}.p1.table3.tmp").write_bytes(bytes(1000))

    def finish(self) -> None:
        header = b"Proof of Space Plot" + self.plot_id + bytes([self.k])
        header += (8).to_bytes(2, "big") + b"mmx-v2.4" + (128).to_bytes(2, "big") + bytes(128)
        growing = self.tmp / f"{self.name}.tmp"
        growing.write_bytes(header + bytes(PLOT_BYTES))
        growing.rename(self.tmp / self.name)
        (self.tmp / f"{self.name}.p1.table3.tmp").unlink()

    def copy(self) -> None:
        if self.tmp.samefile(self.final):
            return
        while True:
            try:
                shutil.copyfile(self.tmp / self.name, self.final / f"{self.name}.tmp")
            except OSError as error:
                if error.errno != errno.ENOSPC:
                    raise
                words = "fwrite() failed with: No space left on device"
                print(f"Copy to {self.final / self.name} failed with: {words}", flush=True)
                time.sleep(3600)  # as the real one: it stays and tries again
            else:
                (self.final / f"{self.name}.tmp").rename(self.final / self.name)
                (self.tmp / self.name).unlink()
                return


def _replay(lines: list[str], makers: list[_Maker]) -> int:
    current = -1
    for line in lines:
        for maker, real in zip(makers, REAL_IDS, strict=True):
            if line.startswith("Started copy") and real in line:
                maker.copy()
            line = line.replace(f"plot-k22-c1-2026-11-20-19-38-{real}.plot", maker.name)
            line = line.replace(
                f"plot-k22-c1-2026-11-20-19-38-{real}", maker.name.removesuffix(".plot")
            )
        if line.startswith("Crafting plot"):
            current += 1
            makers[current].begin()
        if line.startswith("Total plot creation time"):
            makers[current].finish()
        print(line, end="", flush=True)
    gate = os.environ.get("STANDIN_GATE")
    if gate:
        Path(gate).read_text()
    return 0


if __name__ == "__main__":
    sys.exit(main())
