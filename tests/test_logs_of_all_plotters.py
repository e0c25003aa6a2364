"""Logs of every plotter that is installed: cut anywhere, damaged, binary, endless."""

from __future__ import annotations

import os
import tracemalloc
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from log_checks import check
from plotrun import LogParser, Plotter
from plotrun.manager import load_plugins

ROOT = Path(__file__).parents[1]
LOGS = sorted([*ROOT.glob("tests/data/*.log"), *ROOT.glob("plugins/*/tests/data/*.log")])
with pytest.MonkeyPatch.context() as patched:
    patched.delenv("PLOTRUN_NO_ENTRY_POINTS", raising=False)
    PLOTTERS = load_plugins().plotters()
NAMES = [plotter.name for plotter in PLOTTERS]
every_plotter = pytest.mark.parametrize("plotter", PLOTTERS, ids=NAMES)


def test_all_plotters_are_here() -> None:
    assert {"chia", "chiapos", "madmax", "bladebit"} <= set(NAMES)
    assert {"gigahorse-cpu", "gigahorse-gpu", "pos2", "xchplot2"} <= set(NAMES)
    assert len(LOGS) >= 8


@every_plotter
@given(data=st.data())
def test_cut_anywhere_a_log_says_the_same(plotter: Plotter, data: st.DataObject) -> None:
    log = data.draw(st.sampled_from(LOGS)).read_bytes()[-40_000:]
    cuts = data.draw(st.lists(st.integers(0, len(log)), max_size=12))
    ends = [0, *sorted(cuts), len(log)]
    parser = LogParser(plotter.rules)
    said = [fact for start, end in pairwise(ends) for fact in parser.feed(log[start:end])]
    assert said == LogParser(plotter.rules).feed(log)


@every_plotter
@given(data=st.data())
def test_a_damaged_log_is_no_error(plotter: Plotter, data: st.DataObject) -> None:
    log = bytearray(data.draw(st.sampled_from(LOGS)).read_bytes()[-20_000:])
    chunks = []
    for _ in range(data.draw(st.integers(1, 6))):
        at = data.draw(st.integers(0, len(log) - 1))
        junk = data.draw(st.binary(max_size=40))
        log[at : at + len(junk)] = junk
        chunks.append(bytes(log[at : at + 5000]))
    check(plotter, chunks)


@every_plotter
@given(chunks=st.lists(st.binary(max_size=400), max_size=10))
def test_anything_may_be_in_a_log(plotter: Plotter, chunks: list[bytes]) -> None:
    check(plotter, chunks)


@every_plotter
def test_a_line_without_end_takes_no_memory(plotter: Plotter) -> None:
    """As one line of 1 GB would be, in pieces of a megabyte."""
    piece = os.urandom(1024 * 1024).replace(b"\n", b"x").replace(b"\r", b"x")
    tracemalloc.start()
    try:
        progress = check(plotter, [piece] * 64)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert progress.plots_complete == 0
    assert peak < 16 * 1024 * 1024
