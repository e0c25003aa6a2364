"""The plotter's process: ``python -m plotrun_chiapos -k 32 -t TMP -2 TMP2 -d FINAL …``.

Its output is chiapos' own, which plotrun reads as it reads chia's.
"""

from __future__ import annotations

import argparse
import importlib.metadata
import itertools
import signal
import sys
import time
from pathlib import Path

DEFAULTS_BY_K = ((20, 16, 2_000), (22, 32, 16_384))
"""Below this k: buckets and stripe. Larger ones than these fail with "Stripe size too large"."""
PLOTTERS_OWN = 0
"""Tells chiapos to take its own value."""


def main() -> int:
    """Make plots; 0 if all of them are made, or it was asked to finish (SIGINT)."""
    arguments = _parser().parse_args()
    # Blocked before there are other threads, it waits for `sigpending`, whoever it came to: a
    # handler may run too late when a thread of the plotter was interrupted.
    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGINT])
    for number in range(1, arguments.n + 1) if arguments.n else itertools.count(1):
        if signal.SIGINT in signal.sigpending():
            break
        print(f"Starting plot {number}/{arguments.n or 'endless'}", flush=True)  # noqa: T201
        try:
            _plot(arguments)
        except (RuntimeError, ValueError) as error:
            print(f"Error: {error}", flush=True)  # noqa: T201
            return 1
    return 0


def _plot(arguments: argparse.Namespace) -> None:
    import chiapos

    from plotrun_chiapos.keys import identity, random_identity

    if arguments.f is None:
        made = random_identity()
    else:
        made = identity(arguments.f, arguments.p, arguments.c)
    buckets, stripe = _by_k(arguments.k)
    stamp = time.strftime("%Y-%m-%d-%H-%M")
    chiapos.DiskPlotter().create_plot_disk(
        str(arguments.t),
        str(arguments.tmp2 or arguments.t),
        str(arguments.d),
        f"plot-k{arguments.k}-{stamp}-{made.plot_id.hex()}.plot",
        arguments.k,
        made.memo,
        made.plot_id,
        arguments.b,
        arguments.u or buckets,
        arguments.stripe or stripe,
        arguments.r,
        arguments.e,
    )


def _by_k(k: int) -> tuple[int, int]:
    for below, buckets, stripe in DEFAULTS_BY_K:
        if k < below:
            return buckets, stripe
    return PLOTTERS_OWN, PLOTTERS_OWN


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("plotrun_chiapos", description="Make Chia V1 plots.")
    version = f"chiapos {importlib.metadata.version('chiapos')}"
    parser.add_argument("--version", action="version", version=version)
    parser.add_argument("-k", type=int, default=32, help="size of the plot")
    parser.add_argument("-n", type=int, default=1, help="number of plots; 0: until SIGINT")
    parser.add_argument("-r", type=int, default=2, help="threads")
    parser.add_argument("-u", type=int, default=0, help="buckets")
    parser.add_argument("-b", type=int, default=0, help="memory for sorting, MiB")
    parser.add_argument("--stripe", type=int, default=0, help="entries a thread takes at a time")
    parser.add_argument("-e", action="store_true", help="no bitfield")
    parser.add_argument("-t", type=Path, required=True, help="temporary directory")
    parser.add_argument("-2", dest="tmp2", type=Path, help="second temporary directory")
    parser.add_argument("-d", type=Path, required=True, help="final directory")
    parser.add_argument("-f", help="farmer public key")
    parser.add_argument("-p", help="pool public key")
    parser.add_argument("-c", help="pool contract address")
    return parser


if __name__ == "__main__":
    sys.exit(main())
