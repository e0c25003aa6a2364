"""Headers of plot files, by the formats' own descriptions and by real plots."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from farm import Farm
from plotrun import PlotFormat
from plotrun.plotfile import NotAPlot, parse_header, read_plot, v1_plot_bytes

ID = bytes(range(32))
MEMO = bytes(range(112))


def v1(name: bytes, memo: bytes = MEMO) -> bytes:
    header = b"Proof of Space Plot" + ID + bytes([32]) + len(name).to_bytes(2, "big") + name
    return header + len(memo).to_bytes(2, "big") + memo


def bladebit(flags: int, memo: bytes = MEMO) -> bytes:
    header = b"PLOT" + (2).to_bytes(4, "little") + ID + bytes([32])
    return header + len(memo).to_bytes(2, "big") + memo + flags.to_bytes(4, "little") + b"\7"


def v2(memo: bytes = MEMO) -> bytes:
    return b"pos2\1" + ID + bytes([28, 2, 0, 0, 0, len(memo)]) + memo


def v2_group(memo: bytes = MEMO) -> bytes:
    """As chia_rs 0.53 writes it, seen in a file of its own."""
    group = bytes([2, 1, 0, 0]) + (642_285).to_bytes(8, "little")
    return b"PoS2\2" + ID + bytes([28]) + group + bytes([len(memo)]) + memo


HEADERS = {
    "chiapos": (v1(b"v1.0"), 32, PlotFormat.V1, 0),
    "gigahorse": (v1(b"mmx-v2.4"), 32, PlotFormat.V1_COMPRESSED, None),
    "bladebit": (bladebit(0), 32, PlotFormat.V1, 0),
    "bladebit compressed": (bladebit(1), 32, PlotFormat.V1_COMPRESSED, 7),
    "V2": (v2(), 28, PlotFormat.V2, None),
    "V2 group": (v2_group(), 28, PlotFormat.V2, None),
}


@pytest.mark.parametrize("name", HEADERS)
def test_each_format_is_read(name: str) -> None:
    header, k, plot_format, compression = HEADERS[name]
    assert parse_header(header + bytes(100)) == (ID, k, plot_format, MEMO, compression)


@pytest.mark.parametrize("name", HEADERS)
def test_a_header_that_is_cut_short_is_no_plot(name: str) -> None:
    header = HEADERS[name][0]
    least = len(header) - (name == "bladebit")  # where nothing is compressed there is no level
    for length in range(least):
        with pytest.raises(NotAPlot):
            parse_header(header[:length])


@given(st.binary(max_size=600))
def test_anything_else_is_no_plot(data: bytes) -> None:
    try:
        parse_header(data)
    except NotAPlot:
        return
    assert data.startswith((b"Proof of Space Plot", b"PLOT", b"pos2", b"PoS2"))


def test_a_real_plot(farm: Farm) -> None:
    farm.write()
    assert farm.run_until_done().returncode == 0
    (path,) = farm.plots()
    plot = read_plot(path)
    assert (plot.k, plot.format) == (18, PlotFormat.V1)
    assert plot.plot_id in path.name
    assert plot.size == path.stat().st_size
    # Sizes at k=18 have a standard deviation of 4 %, around 4 % above the formula.
    assert plot.size == pytest.approx(v1_plot_bytes(18), rel=0.3)


def test_a_missing_file_is_an_error_of_the_system(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        read_plot(tmp_path / "gone.plot")
