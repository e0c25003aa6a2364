"""Finished plots in logs: real ones, those of other versions and managers, and broken ones."""

from __future__ import annotations

import os
import random
import re
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analyzed import (
    CUDA_ID,
    CUDAPLOT,
    DATA,
    DISK_ID,
    DISKPLOT,
    K25,
    K25_ID,
    MADMAX,
    RAM_ID,
    RAMPLOT,
    TABLES,
    another,
    only_plots,
    told,
)
from plotrun.analysis.forms import AROUND
from plotrun.analysis.many import analyze
from plotrun.analysis.plots import FinishedPlot
from plotrun.analysis.reader import LONGEST_LINE, LogReader, Skipped, tables_of

K25_PLOT = FinishedPlot(
    log="",
    plotter="chia",
    plot_id=K25_ID,
    k=25,
    tmp="/mnt/tmp/00",
    tmp2="/mnt/tmp/00",
    dst="/mnt/dst/00",
    threads=2,
    buckets=128,
    buffer=500,
    started="2026-11-20T19:31:17",
    phases=(70.609, 11.142, 39.517, 1.838),
    copy=None,
    total=123.108,
)
SHORT = only_plots(K25)


@pytest.fixture(scope="module")
def here() -> Iterator[Path]:
    """A directory for all the logs of a test that tries many."""
    with tempfile.TemporaryDirectory() as name:
        yield Path(name)


def plots(directory: Path, log: bytes) -> list[FinishedPlot]:
    """Finished plots of a log, without its path."""
    return [replace(plot, log="") for plot in told(directory, log).plots]


def test_everything_that_a_real_log_of_chia_tells(here: Path) -> None:
    assert plots(here, K25) == [K25_PLOT]


def test_everything_that_a_real_log_of_madmax_tells(here: Path) -> None:
    first, second = plots(here, MADMAX)
    assert (first.plotter, first.k, first.threads, first.buckets) == ("madmax", 20, 2, 16)
    assert (first.tmp, first.tmp2, first.dst) == ("/mnt/tmp/00", "/mnt/tmp/00", "/mnt/dst/00")
    assert (first.started, second.started) == ("2026-11-20T19:52:33", "2026-11-20T19:52:35")
    assert (first.phases, first.total) == ((1.34745, 0.160565, 0.708797, 0.065405), 2.29909)
    assert (second.phases, second.total) == ((1.31367, 0.140656, 0.678313, 0.087109), 2.22514)


def test_a_copy_among_the_lines_of_the_next_plot_belongs_to_its_own(here: Path) -> None:
    assert [plot.copy for plot in plots(here, MADMAX)] == [0.061, 0.044]
    swapped = MADMAX.replace(b"took 0.044", b"took 9.5").replace(b"took 0.061", b"took 7.5")
    assert [plot.copy for plot in plots(here, swapped)] == [7.5, 9.5]
    renamed = plots(here, (DATA / "madmax-k22-two-plots.log").read_bytes())
    assert [(plot.copy, plot.total) for plot in renamed] == [(None, 8.25812), (None, 7.97034)]


@pytest.mark.parametrize("name", ["chia-tmp-full.log", "chia-dst-full.log"])
def test_a_plot_that_is_not_finished_is_told_and_not_counted(here: Path, name: str) -> None:
    found = told(here, (DATA / name).read_bytes())
    assert (found.plots, found.unfinished, found.skipped) == ((), 1, None)


def test_bladebit_in_all_its_ways(here: Path) -> None:
    ram, disk, cuda = plots(here, RAMPLOT + DISKPLOT + CUDAPLOT)
    assert (ram.plotter, ram.plot_id, ram.k, ram.threads) == ("bladebit", RAM_ID, 32, 88)
    assert (ram.phases, ram.copy, ram.total) == ((313.98, 44.6, 203.26, 1.11), 19.96, 582.91)
    assert (ram.tmp, ram.dst, ram.buffer, ram.started) == (
        None,
        "/mnt/out",
        416 * 1024,
        "2021-08-29T22:22",
    )
    assert (disk.plot_id, disk.threads, disk.buckets) == (DISK_ID, 64, 256)
    assert (disk.tmp, disk.tmp2, disk.dst, disk.buffer) == ("/mnt/t1", "/mnt/t2", "/mnt/d", 4063)
    assert (disk.phases, disk.copy, disk.total) == ((526.48, 100.36, 562.95, None), 0.5, 1189.79)
    assert (cuda.plot_id, cuda.dst, cuda.started) == (CUDA_ID, "/mnt/a", "2023-05-05T21:11")
    assert (cuda.phases, cuda.copy, cuda.total) == ((77.51, 4.21, 65.3, None), 12.5, 147.21)
    assert (cuda.tmp, cuda.buckets) == (None, None)  # nothing of the process before


def test_the_first_versions_of_chia_and_a_copy_to_another_disk(here: Path) -> None:
    log = SHORT.replace(b"Final Directory is: /mnt/dst/00\n", b"")
    log = log.replace(b"Progress update", b"").replace(b"Fri Nov 20", b"Sun Apr  4")
    copied = (
        b'Copied final file from "a.plot.2.tmp" to "b.plot.2.tmp"\nCopy time = 1366.272 seconds.'
    )
    log = log.replace(b"Renamed final", copied + b" CPU (19.210%) x\nRenamed final")
    expected = replace(K25_PLOT, copy=1366.272, started="2026-04-04T19:31:17")
    assert plots(here, log) == [expected]


def test_a_log_from_windows(here: Path) -> None:
    log = SHORT.replace(b"/mnt/tmp/00", rb"D:\my tmp").replace(b"/mnt/dst/00/", rb"E:\\plots\\")
    log = log.replace(b"/mnt/dst/00", rb"E:\plots" + b"\\").replace(b"\n", b"\r\n")
    assert plots(here, log) == [
        replace(K25_PLOT, tmp=r"D:\my tmp", tmp2=r"D:\my tmp", dst=r"E:\plots")
    ]


@pytest.mark.parametrize("log", [K25, MADMAX, RAMPLOT + DISKPLOT])
def test_line_ends_make_no_difference(here: Path, log: bytes) -> None:
    assert plots(here, log.replace(b"\n", b"\r\n")) == plots(here, log)
    assert plots(here, log.rstrip()) == plots(here, log)


def test_directories_may_have_and_in_their_names(here: Path) -> None:
    log = SHORT.replace(b"/mnt/tmp/00", b"/mnt/this and that")
    (plot,) = plots(here, log)
    assert (plot.tmp, plot.tmp2) == ("/mnt/this and that", "/mnt/this and that")


def test_a_workers_own_directory_is_left_out(here: Path) -> None:
    log = SHORT.replace(b"/mnt/tmp/00", b"/mnt/nvme/plotrun-0a1b2c3d")
    log = log.replace(b"/mnt/dst/00", b"/mnt/hdd/plotrun-0a1b2c3d/finished")
    (plot,) = plots(here, log)
    assert (plot.tmp, plot.tmp2, plot.dst) == ("/mnt/nvme", "/mnt/nvme", "/mnt/hdd")


def test_many_plots_in_one_log_and_one_that_was_killed(here: Path) -> None:
    ids = [f"{number:064x}" for number in range(12)]
    log = b"".join(another(K25, plot_id) for plot_id in ids[:6]) + K25[:50_000]
    log += b"".join(another(K25, plot_id) for plot_id in ids[6:])
    found = told(here, log)
    assert [plot.plot_id for plot in found.plots] == ids
    assert {plot.total for plot in found.plots} == {123.108}
    assert found.unfinished == 1


def test_a_process_appended_with_other_directories_is_told_apart(here: Path) -> None:
    other = MADMAX.replace(b"/mnt/dst/00", b"/mnt/dst/01").replace(b"951342", b"000000")
    assert [plot.dst for plot in plots(here, MADMAX + other)] == ["/mnt/dst/00"] * 2 + [
        "/mnt/dst/01"
    ] * 2


@settings(max_examples=60, deadline=None)
@given(
    block=st.sampled_from([1, 100, 4096, AROUND, 70_000]),
    filler=st.integers(0, 40_000),
)
def test_blocks_may_be_cut_anywhere(here: Path, block: int, filler: int) -> None:
    log = MADMAX + b"." * filler + b"\n" + SHORT + RAMPLOT + DISKPLOT
    assert told(here, log, max(block, 50)) == told(here, log)
    assert len(told(here, log).plots) == 5


@settings(max_examples=150, deadline=None)
@given(data=st.data())
def test_a_log_cut_anywhere_tells_nothing_wrong(here: Path, data: st.DataObject) -> None:
    log = data.draw(st.sampled_from([SHORT + another(SHORT, "ab" * 32), MADMAX, RAMPLOT, DISKPLOT]))
    cut = data.draw(st.integers(0, len(log)))
    found, whole = plots(here, log[:cut]), plots(here, log)
    for plot, right in zip(found, whole, strict=False):
        assert replace(plot, copy=right.copy) == right
        assert plot.copy in (None, right.copy)
    ends = (b'.plot"\n', b" min)\n", b" minutes).\n", b" minutes ).\n")
    lines = log[:cut].splitlines(keepends=True)
    last = (b"Renamed final file", b"Total plot creation", b"Finished plotting")
    complete = sum(line.startswith(last) and line.endswith(ends) for line in lines)
    assert len(found) in (complete, complete + 1)  # + 1: only the end of its last line is missing


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_plots_with_a_piece_of_the_log_missing_are_not_mixed(
    here: Path, data: st.DataObject
) -> None:
    first, second = SHORT, another(SHORT, "ab" * 32).replace(b"= 123.108", b"= 999.9")
    gone = data.draw(st.integers(0, len(first))), data.draw(st.integers(0, len(second)))
    for plot in plots(here, first[: gone[0]] + second[gone[1] :]):
        assert (plot.plot_id, plot.total) in ((K25_ID, 123.108), ("ab" * 32, 999.9))


@settings(max_examples=100, deadline=None)
@given(pieces=st.lists(st.binary(max_size=400) | st.sampled_from(MADMAX.splitlines()), max_size=30))
def test_anything_may_be_in_a_file(here: Path, pieces: list[bytes]) -> None:
    found = told(here, b"\n".join(pieces))
    assert all(plot.total > 0 for plot in found.plots)
    assert (found.skipped is None) == bool(found.plots or found.unfinished)


@pytest.mark.parametrize(
    ("log", "why"),
    [
        (b"", Skipped.EMPTY),
        (random.Random(1).randbytes(3_000_000), Skipped.BINARY),
        (b"Proof of Space Plot" + bytes(100), Skipped.BINARY),
        (b"nothing about plots\n" * 100_000, Skipped.NO_PLOT),
        (b"x" * 5_000_000, Skipped.NO_PLOT),
    ],
)
def test_why_a_file_is_skipped(here: Path, log: bytes, why: Skipped) -> None:
    assert told(here, log).skipped is why


def test_enormous_lines_are_passed_over(here: Path) -> None:
    between = b"=" * 3_000_000 + b"\n" + b'Renamed final file from  to "' * 100_000 + b"\n"
    between += b"y" * (LONGEST_LINE + 1) + b"\n"
    head, phase, rest = SHORT.partition(b"Time for phase 2")
    assert plots(here, between + head + between + phase + rest + between) == [K25_PLOT]


def test_the_documented_table_of_a_plugin_works(here: Path) -> None:
    doc = (Path(__file__).parents[1] / "docs" / "analyze.md").read_text("utf-8")
    (code,) = re.findall(r"```python\n(.*?)```", doc, re.DOTALL)
    names: dict[str, Any] = {}
    exec(code, names)
    log = here / "tiny"
    log.write_text(f"making plot {K25_ID}\nphase 1 took 2.5\nphase 2 took 4\ndone after 7\n")
    (plot,) = LogReader(tables_of({"tiny": names["TinyPlotter"].finished_log})).read(str(log)).plots
    assert (plot.plot_id, plot.total, plot.phases) == (K25_ID, 7.0, (2.5, 4.0, None, None))


def test_nothing_that_is_no_file_is_opened(here: Path) -> None:
    os.mkfifo(here / "pipe.log")
    (here / "gone.log").symlink_to(here / "nowhere")
    found = analyze([str(here / "pipe.log"), str(here / "gone.log")], TABLES)
    assert (found.plots, found.skipped) == ([], {Skipped.UNREADABLE: 2})
