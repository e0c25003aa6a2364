"""Bytes of Gigahorse's plots, by size and compression level."""

from __future__ import annotations

from plotrun import v1_plot_bytes

GIB_OF_K32 = (101.4, 87.5, 86.0, 84.4, 82.8, 81.3, 79.6, 78.0, 76.4, 75.0)
"""GiB of a k=32 plot at C0 to C9, as its users report; at higher levels plots are smaller."""


def plot_bytes(k: int, level: int) -> int:
    """Bytes of a finished plot, never too few: until plotrun knows this machine's own plots.

    Compression saves less at a smaller k (a plot at k=22 and C1 has 93 % of an uncompressed
    one's bytes, at k=32 86 %), and how much is known of k=32 only.
    """
    if k < 32:
        return v1_plot_bytes(k)
    known = GIB_OF_K32[min(level, len(GIB_OF_K32) - 1)] * 2**30
    return int(known * v1_plot_bytes(k) / v1_plot_bytes(32))
