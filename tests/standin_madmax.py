"""A stand-in for ``chia_plot`` and ``cuda_plot``, which cannot be installed here: for tests.

It takes the real arguments, writes the lines of a real log with real files and names, and does
what the real one does: it refuses directories without a slash, missing directories and unknown
commands; the copy of a plot is told in the middle of the next one; nothing is told of a copy
where the final directory is the temporary one; SIGINT ends it after the plot under way if it was
told to make several, and at once if it was told to make one; a copy that fails is tried again
for ever.

``$STANDIN_LOG`` names another log to take the lines from. ``$STANDIN_GATE`` names a pipe that it
reads before it ends, ``$STANDIN_GATES`` a directory of pipes, named by number, each of which it
reads early in a plot: a test decides when those are.
"""

from __future__ import annotations

import errno
import itertools
import os
import re
import secrets
import shutil
import signal
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

DATA = Path(__file__).parent / "data"
LOG = Path(os.environ.get("STANDIN_LOG", DATA / "madmax-k22-two-plots.log"))
SMALL_BYTES = 100_000
LARGEST_REAL_K = 22
"""A plot up to this k has the size of a real one."""
REFUSED = 254
COPY_AGAIN = 0.2
"""Seconds before a copy that failed is tried again; five minutes in the real one."""

finish = False


def main() -> int:
    given = _arguments(sys.argv[1:])
    for flag, name in (("-t", "tmpdir"), ("-d", "finaldir"), ("-2", "tmpdir2"), ("-3", "tmpdir3")):
        for directory in given.get(flag, ()):
            if not directory.endswith("/"):
                _say(f"Invalid {name}: {directory} (needs trailing '/' or '\\')")
                return REFUSED
            if not Path(directory).is_dir():
                _say(f"Failed to write to {name} directory: '{directory}'")
                return REFUSED
    wanted = int(given["-n"][0])
    if wanted != 1:
        signal.signal(signal.SIGINT, _interrupted)
    lines = LOG.read_text().splitlines()
    begins = [i for i, line in enumerate(lines) if line.startswith("Crafting plot")]
    for line in lines[: begins[0]]:
        _say(line)
    end = begins[1] if len(begins) > 1 else len(lines)
    template = [line for line in lines[begins[0] : end] if not _of_copy(line)]
    made, copier = None, ThreadPoolExecutor(1)  # one copy after the other, as in the real one
    for number in itertools.count(1):
        if finish or number == wanted + 1:
            break
        plot = _Plot(given, number, LOG.read_text())
        plot.make(template, made, copier)
        made = plot
    if finish:
        _say("Process has been interrupted, waiting for copy/rename operations to finish ...")
    if made is not None:
        copier.submit(made.copy)
    copier.shutdown()
    _wait_for("STANDIN_GATE")
    return 0


def _interrupted(number: int, frame: object) -> None:
    global finish
    finish = True
    os.write(1, b"\n** The crafting of plots will stop after the current plot. **\n")


def _arguments(words: list[str]) -> dict[str, list[str]]:
    """Each flag with its values: one may come several times."""
    found: dict[str, list[str]] = {}
    flag = ""
    for word in words:
        if re.fullmatch(r"-([a-zA-Z]|2|3)", word):
            flag = word
            found.setdefault(flag, [])
        else:
            found.setdefault(flag, []).append(word)
    return found


def _bytes(k: int) -> int:
    return int((2 * k + 1) * 2 ** (k - 1) * 0.78) if k <= LARGEST_REAL_K else SMALL_BYTES


def _of_copy(line: str) -> bool:
    return line.startswith(("Started copy", "Renamed final", "Copy to", "Total number of plots"))


def _wait_for(variable: str, name: str = "") -> None:
    gate = os.environ.get(variable)
    if gate:
        Path(gate, name).read_text()


def _say(line: str) -> None:
    print(line, flush=True)


class _Plot:
    """One plot: temporary files, the finished file, the copy."""

    def __init__(self, given: dict[str, list[str]], number: int, log: str) -> None:
        found = re.search(r"Plot Name: (plot-k(\d+)\S*-([0-9a-f]{64}))", log)
        assert found is not None
        self._real = found[1]
        k = given.get("-k", [found[2]])[0]
        level = f"-c{given['-C'][0]}" if "-C" in given else ""
        self._plot_id = secrets.token_bytes(32)
        self._name = f"plot-k{k}{level}-2026-11-20-19-38-{self._plot_id.hex()}"
        self.tried = threading.Event()
        self._k, self._number = int(k), number
        self._stage = given.get("-s", given["-t"])[0]
        self._tmp, self._finals = given["-t"][0], given.get("-d", given["-t"][:1])

    @property
    def _source(self) -> Path:
        return Path(self._stage, f"{self._name}.plot")

    def make(self, template: list[str], before: _Plot | None, copier: ThreadPoolExecutor) -> None:
        """Make it; in its middle the plot *before* it is copied."""
        part = Path(self._tmp, f"{self._name}.p1.table3.tmp")
        part.write_bytes(bytes(1000))
        for line in template:
            _say(
                line.replace(self._real, self._name).replace(
                    "plot 1 out", f"plot {self._number} out"
                )
            )
            if line.startswith("[P1] Table 2"):
                _wait_for("STANDIN_GATES", str(self._number))
                if before is not None:
                    copier.submit(before.copy)
                    before.tried.wait(1)  # not for ever: one that fails holds up the next ones
        header = b"Proof of Space Plot" + self._plot_id + bytes([self._k])
        header += (8).to_bytes(2, "big") + b"mmx-v2.4" + (128).to_bytes(2, "big") + bytes(128)
        growing = self._source.with_name(f"{self._name}.plot.tmp")
        growing.write_bytes(header)
        os.truncate(growing, _bytes(self._k))  # holes: they take no room here
        growing.rename(self._source)
        part.unlink()

    def copy(self) -> None:
        """Bring it to a final directory, however often that fails."""
        while True:
            for final in self._finals:
                if final == self._tmp:
                    return
                copied = self._copied(Path(final, f"{self._name}.plot"))
                self.tried.set()
                if copied:
                    return
            time.sleep(COPY_AGAIN)

    def _copied(self, target: Path) -> bool:
        _say(f"Started copy to {target}")
        try:
            if self._source.stat().st_dev == target.parent.stat().st_dev:
                self._source.rename(target)
                _say(f"Renamed final plot to {target.name}")
                return True
            growing = target.with_name(f"{target.name}.tmp")
            shutil.copyfile(self._source, growing)
        except OSError as error:
            if error.errno not in (errno.ENOSPC, errno.ENOENT):
                raise
            _say(f"Copy to {target} failed with: fwrite() failed with: {error.strerror}")
            return False
        growing.rename(target)
        self._source.unlink()
        _say(f"Copy to {target} finished, took 0.061 sec, 257.043 MB/s")
        return True


if __name__ == "__main__":
    sys.exit(main())
