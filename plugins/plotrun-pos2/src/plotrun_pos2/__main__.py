"""The plotter's process: ``python -m plotrun_pos2 -k 28 -d FINAL …``."""

from __future__ import annotations

import argparse
import importlib.metadata
import itertools
import secrets
import signal
import sys
from pathlib import Path

from chia_rs import G1Element, compute_plot_group_id_v2, create_v2_single_plot_group
from chia_rs.sized_bytes import bytes32
from chia_rs.sized_ints import uint8, uint16

from plotrun_chiapos.keys import PUZZLE_HASH_BYTES, new_memo, plot_public_key, pool_of

PLOT_INDEX = uint16(0)
META_GROUP = uint8(0)
TEST_MEMO_BYTES = 112
"""Of a plot that nobody can farm: as long as that of one for a pool contract."""


def main() -> int:
    """Make plots; 0 if all of them are made, or it was asked to finish (SIGINT)."""
    arguments = _parser().parse_args()
    # Blocked before there are other threads, it waits for `sigpending`, whoever it came to: a
    # handler may run too late when a thread of the plotter was interrupted.
    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGINT])
    for number in range(1, arguments.n + 1) if arguments.n else itertools.count(1):
        if signal.SIGINT in signal.sigpending():
            break
        _say(f"Starting plot {number}/{arguments.n or 'endless'}")
        try:
            _plot(arguments)
        except (OSError, RuntimeError, ValueError) as error:
            _say(f"Error: {error}")
            return 1
    return 0


def _plot(arguments: argparse.Namespace) -> None:
    if arguments.f is None:
        memo, group_id = secrets.token_bytes(TEST_MEMO_BYTES), bytes32(secrets.token_bytes(32))
    else:
        memo = new_memo(arguments.f, arguments.p, arguments.c)
        group_id = _group_id(memo, arguments.s)
    final = arguments.d / f"plot-k{arguments.k}-{group_id.hex()}.plot2"
    # A finished plot has its name only when it is whole.
    partial = final.with_name(f"{final.name}.partial")
    _say(f"ID: {group_id.hex()}")
    create_v2_single_plot_group(
        str(partial), arguments.k, arguments.s, group_id, PLOT_INDEX, META_GROUP, memo
    )
    partial.rename(final)
    _say(f"Finished plot {group_id.hex()}")


def _group_id(memo: bytes, strength: int) -> bytes32:
    pool, key = pool_of(memo), plot_public_key(memo)
    if len(pool) == PUZZLE_HASH_BYTES:
        return compute_plot_group_id_v2(uint8(strength), key, None, bytes32(pool))
    return compute_plot_group_id_v2(uint8(strength), key, G1Element.from_bytes(pool), None)


def _say(line: str) -> None:
    print(line, flush=True)  # noqa: T201 - the log is the point


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("plotrun_pos2", description="Make Chia V2 plots.")
    version = f"chia_rs {importlib.metadata.version('chia_rs')}"
    parser.add_argument("--version", action="version", version=version)
    parser.add_argument("-k", type=int, default=28, help="size of the plot, even")
    parser.add_argument("-n", type=int, default=1, help="number of plots; 0: until SIGINT")
    parser.add_argument("-s", type=int, default=2, help="strength")
    parser.add_argument("-t", type=Path, help="temporary directory; not used")
    parser.add_argument("-d", type=Path, required=True, help="final directory")
    parser.add_argument("-f", help="farmer public key")
    parser.add_argument("-p", help="pool public key")
    parser.add_argument("-c", help="pool contract address")
    return parser


if __name__ == "__main__":
    sys.exit(main())
