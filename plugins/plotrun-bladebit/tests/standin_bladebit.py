"""A stand-in for ``bladebit``, which cannot be installed here: a program for tests.

It takes the real arguments, writes the lines of a log like the real one's with files and names of
its own, and fails as the real one does. The plot grows as ``….plot.tmp`` in the output directory
and is renamed when the log says so: in ramplot in the middle of the next plot.

$STANDIN_CRASH: a line at whose beginning it crashes. $STANDIN_GATE: a pipe that it reads before
it ends, so that a test decides when that is.
"""

from __future__ import annotations

import errno
import os
import re
import secrets
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

DATA = Path(__file__).parent / "data"
LOGS = {
    "ramplot": "ramplot-c07-two-plots.log",
    "diskplot": "diskplot-two-plots.log",
    "cudaplot": "cudaplot-c05-two-plots.log",
}
"""Each holds two plots."""
K = 32
PLOT_BYTES = 100_000
MEMO = bytes(128)
DATE = "2023-10-14-09-20"
OUTPUT_IN_LOGS = "/mnt/out/"
SWITCHES = {
    *("-w", "--warm-start", "-m", "--no-numa", "--no-cpu-affinity", "--no-direct-io"),
    *("-a", "--alternate", "--no-t1-direct", "--no-t2-direct", "--disk-128", "--disk-16"),
}
GLOBAL_VALUES = {"-t", "-n", "-f", "-c", "-p", "-z"}
VALUES_OF_MODES = {
    "ramplot": set(),
    "diskplot": {
        *("-t1", "-t2", "-b", "--cache", "--f1-threads", "--fp-threads", "--c-threads"),
        *("--p2-threads", "--p3-threads"),
    },
    "cudaplot": {"-t1", "-t2", "-d", "--check", "--check-threshold"},
}


@dataclass
class Given:
    """The command line, read."""

    mode: str = ""
    values: dict[str, str] = field(default_factory=dict)
    switches: set[str] = field(default_factory=set)
    outputs: list[str] = field(default_factory=list)

    @property
    def level(self) -> int:
        return int(self.values.get("-z", "0"))


def fatal(words: str) -> int:
    print(f"\nFatal Error:  \n{words}", file=sys.stderr, flush=True)
    return 1


def main() -> int:
    if sys.argv[1:] == ["--version"]:
        print("3.1.0")
        return 0
    try:
        given = read(sys.argv[1:])
        refuse(given)
    except ValueError as refused:
        return fatal(str(refused))
    return replay(given)


def read(words: list[str]) -> Given:
    given = Given()
    values = set(GLOBAL_VALUES)
    while words:
        word = words.pop(0)
        if not given.mode and word in VALUES_OF_MODES:
            given.mode, values = word, VALUES_OF_MODES[word]
        elif word in values:
            given.values[word] = words.pop(0)
        elif word in SWITCHES:
            given.switches.add(word)
        elif given.mode and not word.startswith("-"):
            given.outputs.append(word)
        else:
            raise ValueError(f"Unexpected argument '{word}'")
    return given


def refuse(given: Given) -> None:
    if "-f" not in given.values:
        raise ValueError("A farmer public key must be specified.")
    if re.fullmatch("[0-9a-f]{96}", given.values["-f"]) is None:
        raise ValueError(f"Invalid farmer public key '{given.values['-f']}'")
    if given.level == 8:
        raise ValueError("Compression level 8 is not currently supported.")
    if given.mode == "diskplot" and given.level:
        raise ValueError("diskplot is currently disabled for compressed plotting due to a bug.")
    if given.mode == "diskplot" and "-t1" not in given.values:
        raise ValueError("At least 1 temporary path (--temp) must be specified.")
    if not given.outputs:
        raise ValueError("At least one output folder must be specified.")


class Plot:
    """Makes one plot: temporary files, the growing file, its final name."""

    def __init__(self, given: Given) -> None:
        self.given = given
        self.plot_id = secrets.token_bytes(32)
        level = f"c{given.level:02}-" if given.level else ""
        self.name = f"plot-k{K}-{level}{DATE}-{self.plot_id.hex()}.plot"
        self.growing = Path(given.outputs[0]) / f"{self.name}.tmp"
        self.temporary = [
            Path(given.values[flag]) / name
            for flag, name in (("-t1", "t1_0.tmp"), ("-t2", "y0_0.tmp"))
            if flag in given.values
        ]

    def begin(self) -> None:
        self.growing.write_bytes(b"")
        for file in self.temporary:
            file.write_bytes(bytes(1000))

    def finish(self) -> None:
        content = self.header() + bytes(PLOT_BYTES)
        while True:
            try:
                self.growing.write_bytes(content)
                break
            except OSError as error:
                if error.errno != errno.ENOSPC:
                    raise
                print(
                    f"No space left in plot output directory for plot '{self.growing}'. "
                    "Waiting 10.0 seconds before trying again...",
                    flush=True,
                )
                time.sleep(3600)  # as the real one: it stays and tries again
        self.growing.rename(self.growing.with_suffix(""))
        for file in self.temporary:
            file.unlink()

    def header(self) -> bytes:
        """ramplot writes the new header always, the others for compressed plots."""
        length = len(MEMO).to_bytes(2, "big")
        level = self.given.level
        if not level and self.given.mode != "ramplot":
            old = b"Proof of Space Plot" + self.plot_id + bytes([K])
            return old + (4).to_bytes(2, "big") + b"v1.0" + length + MEMO
        flags = (1 if level else 0).to_bytes(4, "little") + (bytes([level]) if level else b"")
        version = (2).to_bytes(4, "little")
        return b"PLOT" + version + self.plot_id + bytes([K]) + length + MEMO + flags


def lines_of(given: Given) -> Iterator[str]:
    """The lines of a log for one or two plots."""
    lines = (DATA / LOGS[given.mode]).read_text().splitlines(keepends=True)
    first, second = (i for i, line in enumerate(lines) if line.startswith("Generating plot"))
    if given.values["-n"] == "2":
        yield from lines
    elif given.mode == "ramplot":  # the last plot's way, without the one before it
        yield from lines[:first]
        ids = re.search(r"[0-9a-f]{64}", lines[first])
        assert ids is not None
        yield from (line for line in lines[second:] if ids[0] not in line)
    else:
        yield from lines[:second]


def replay(given: Given) -> int:
    plots: dict[str, Plot] = {}
    crash = os.environ.get("STANDIN_CRASH")
    for line in lines_of(given):
        found = re.search(r"plot-k32-\S*?([0-9a-f]{64})|: ([0-9a-f]{64})$", line)
        if found:
            real = found[1] or found[2]
            plot = plots.setdefault(real, Plot(given))
            line = line.replace(OUTPUT_IN_LOGS, f"{given.outputs[0]}/")
            line = re.sub(rf"plot-k32-\S*?{real}", plot.name.removesuffix(".plot"), line)
            line = line.replace(real, plot.plot_id.hex())
        if crash and line.startswith(crash):
            print("*** Crashed! ***", flush=True)
            return 1
        print(line, end="", flush=True)
        if line.startswith("Generating plot"):
            try:
                plot.begin()
            except OSError as error:
                return fatal(f"Failed to open plot file with error: {error.errno}")
        if " -> " in line:
            plot.finish()
    gate = os.environ.get("STANDIN_GATE")
    if gate:
        Path(gate).read_text()
    return 0


if __name__ == "__main__":
    sys.exit(main())
