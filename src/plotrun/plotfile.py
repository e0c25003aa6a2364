"""Reading the header of a plot file: what the file is, whatever it is called.

Formats: V1 is chiapos' ("Proof of Space Plot"), compressed V1 is BladeBit's ("PLOT") or
Gigahorse's (a chiapos header with a format of its own). V2 is chia_rs': "pos2" to version 0.50,
"PoS2" from 0.53 on, where the id is that of a group of plots.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import NamedTuple

from plotrun.model import Plot, PlotFormat, Sizes

V1_MAGIC = b"Proof of Space Plot"
BLADEBIT_MAGIC = b"PLOT"
V2_MAGIC = b"pos2"
V2_GROUP_MAGIC = b"PoS2"
HEADER_BYTES = 512
"""More than any header of these formats needs."""
PLOT_SUFFIXES = (".plot", ".plot2")
"""Names of finished plot files: every known plotter writes under another name and renames."""


class NotAPlot(ValueError):  # noqa: N818 - reads as what it says
    """The file does not begin with the header of a plot."""


class Header(NamedTuple):
    """What the first bytes of a plot file say."""

    plot_id: bytes
    k: int
    format: PlotFormat
    memo: bytes
    compression: int | None
    """Level: 0 for an uncompressed V1 plot, 1 to 9 for one of BladeBit's. None where the header
    does not tell: Gigahorse's are compressed to a level that only their names say, and V2 plots
    have none."""


def read_plot(path: Path) -> Plot:
    """Describe the plot at *path* by its header.

    Raises:
        NotAPlot: the header is none of a plot, or is cut short.
        OSError: the file cannot be read.
    """
    with path.open("rb") as file:
        header = file.read(HEADER_BYTES)
        size = os.fstat(file.fileno()).st_size
    read = parse_header(header)
    return Plot(path, read.plot_id.hex(), read.k, read.format, size, read.memo)


def parse_header(header: bytes) -> Header:
    """What the header's bytes say.

    Raises:
        NotAPlot: the bytes are not the header of a plot, or too few.
    """
    reader = _Reader(header)
    if header.startswith(V1_MAGIC):
        reader.take(len(V1_MAGIC))
        plot_id, k = reader.take(32), reader.number(1)
        name = reader.take(reader.number(2))
        memo = reader.take(reader.number(2))
        if name.startswith(b"v"):  # chiapos writes "v1.0", Gigahorse "mmx-v2.4"
            return Header(plot_id, k, PlotFormat.V1, memo, 0)
        return Header(plot_id, k, PlotFormat.V1_COMPRESSED, memo, None)
    if header.startswith(BLADEBIT_MAGIC):
        reader.take(8)  # the magic and the version
        plot_id, k = reader.take(32), reader.number(1)
        memo = reader.take(reader.number(2))
        if not int.from_bytes(reader.take(4), "little") & 1:
            return Header(plot_id, k, PlotFormat.V1, memo, 0)
        return Header(plot_id, k, PlotFormat.V1_COMPRESSED, memo, reader.number(1))
    if header.startswith(V2_MAGIC):
        reader.take(5)  # the magic and the version
        plot_id, k = reader.take(32), reader.number(1)
        reader.take(4)  # strength, index and group
        return Header(plot_id, k, PlotFormat.V2, reader.take(reader.number(1)), None)
    if header.startswith(V2_GROUP_MAGIC):
        reader.take(5)  # the magic and the version
        group_id, k = reader.take(32), reader.number(1)
        reader.take(12)  # strength, size of the group (2), meta group, place of the tables (8)
        return Header(group_id, k, PlotFormat.V2, reader.take(reader.number(1)), None)
    raise NotAPlot("does not begin like a plot file")


class _Reader:
    """Takes bytes off the front and says so when there are too few."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    def take(self, count: int) -> bytes:
        end = self._at + count
        if end > len(self._data):
            raise NotAPlot("the header is cut short")
        taken, self._at = self._data[self._at : end], end
        return taken

    def number(self, count: int) -> int:
        """A big-endian number, as chiapos writes them."""
        return int.from_bytes(self.take(count), "big")


def is_plot_name(name: str) -> bool:
    """Whether a file of this name would be a finished plot."""
    return name.endswith(PLOT_SUFFIXES) and not name.startswith(".")


def v1_plot_bytes(k: int) -> int:
    """Bytes of an uncompressed V1 plot: within 1 % from k=25 up.

    Chance moves small plots more, since each table's size follows from the one before: of 150
    plots at k=18, 2 in 3 were within 0 and 8 % above; at k=20 within 2 %.
    """
    return int((2 * k + 1) * 2 ** (k - 1) * 0.78)


def v1_sizes(k: int) -> Sizes:
    """Bytes of a V1 plot that is made by chiapos, which builds the finished file in tmp2."""
    return Sizes(v1_plot_bytes(k), v1_tmp_bytes(k), (v1_tmp_bytes(k), v1_plot_bytes(k)))


def v1_tmp_bytes(k: int) -> int:
    """Temporary bytes a V1 plot needs: 239 GiB at k=32 (chiapos), doubling with every k."""
    return int(239 * 2**30 * 2.0 ** (k - 32))
