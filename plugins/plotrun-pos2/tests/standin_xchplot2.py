"""A stand-in for ``xchplot2``, which needs a graphics card: a program for tests.

``plot`` takes the real arguments and writes the real lines: names first, then each plot as it is
written, and the paths on standard output. ``verify FILE`` tells a plot of its own that is whole
from one that is not.

$STANDIN_OLD: as an older version, which says nothing of each plot. $STANDIN_FAIL: the number of
the plot that fails. $STANDIN_SPOIL: plots are bad. $STANDIN_GATE: a pipe that it reads before it
ends, so that a test decides when that is.
"""

from __future__ import annotations

import argparse
import os
import secrets
import sys
from pathlib import Path

BODY_BYTES = 100_000
END = b"whole"


def main() -> int:
    if sys.argv[1:2] == ["verify"]:
        return verify()
    if sys.argv[1:2] != ["plot"]:
        return refused(f"unknown mode {sys.argv[1:2]}")
    given, unknown = parser().parse_known_args(sys.argv[2:])
    if unknown:
        return refused(f"unknown argument: {unknown[0]}")
    if not given.f:
        return refused("--farmer-pk is required")
    if bool(given.c) == bool(given.p):
        return refused("exactly one of --pool-pk, --pool-ph, --pool-contract-address is required")
    return plot(given)


def say(words: str) -> None:
    print(words, file=sys.stderr, flush=True)


def refused(why: str) -> int:
    say(f"Error: {why}")
    return 1


def parser() -> argparse.ArgumentParser:
    known = argparse.ArgumentParser(allow_abbrev=False)
    for flag, default in (("-k", 28), ("-n", 1), ("-s", 2), ("-i", 0), ("-g", 0)):
        known.add_argument(flag, type=int, default=default)
    for flag in ("-f", "-p", "-c", "--devices"):
        known.add_argument(flag)
    known.add_argument("-o", type=Path, default=Path())
    known.add_argument("-v", action="store_true")
    known.add_argument("--continue-on-error", action="store_true")
    return known


def plot(given: argparse.Namespace) -> int:
    old = bool(os.environ.get("STANDIN_OLD"))
    failing = int(os.environ.get("STANDIN_FAIL", "0")) - 1
    ids = [secrets.token_bytes(32) for _ in range(given.n)]
    paths = [given.o / f"plot-k{given.k}-{plot_id.hex()}.plot2" for plot_id in ids]
    if given.v and not old:
        for number, path in enumerate(paths, 1):
            say(f"[plot] prepared {number}/{given.n} {path.name}")
    if not old:  # it holds private keys, so that a later run can go on
        (given.o / "xchplot2-job-1.tsv").write_text("private\n")
    written = []
    for number, (plot_id, path) in enumerate(zip(ids, paths, strict=True)):
        partial = path.with_name(f"{path.name}.partial")
        partial.write_bytes(header(given, plot_id) + bytes(100))
        if number == failing:
            if not given.continue_on_error:
                say("[plot] FAILED: CUDA error: out of memory")
                return 2
            partial.unlink()
            say(f"[batch] plot {number} FAILED: CUDA error: out of memory")
            continue
        end = b"spoiled" if os.environ.get("STANDIN_SPOIL") else END
        partial.write_bytes(header(given, plot_id) + bytes(BODY_BYTES) + end)
        partial.rename(path)
        written.append(path)
        if given.v and not old:
            say(f"[batch] producer finished GPU for plot {number} in 2101.42 ms (T1=1 T2=1 T3=1)")
            say(f"[batch] consumer wrote plot {number}: {path}")
        if not old:
            print(path, flush=True)
    say(f"[plot] wrote {len(written)} plots in 4.5 s (2.25 s/plot)")
    if old:
        for path in paths:  # also of plots that failed
            print(path, flush=True)
    gate = os.environ.get("STANDIN_GATE")
    if gate:
        Path(gate).read_text()
    return 3 if len(written) < given.n and not old else 0


def header(given: argparse.Namespace, plot_id: bytes) -> bytes:
    pool = bytes(32) if given.c else bytes(48)
    memo = pool + bytes.fromhex(given.f) + bytes(32)
    start = b"pos2" + bytes([1]) + plot_id + bytes([given.k, given.s])
    return start + given.i.to_bytes(2, "little") + bytes([given.g, len(memo)]) + memo


def verify() -> int:
    file, trials = Path(sys.argv[2]), sys.argv[sys.argv.index("--trials") + 1]
    say(f"[verify] {file}: running {trials} random challenges")
    if not file.read_bytes().endswith(END):
        say(f"[verify] {trials} trials, 0 with >=1 proof, 0 proofs total")
        say("[verify] FAIL: no proofs produced — plot is likely corrupt")
        return 4
    say("[verify] OK")
    return 0


if __name__ == "__main__":
    sys.exit(main())
