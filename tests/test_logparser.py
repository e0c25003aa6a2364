"""Reading logs: real ones, cut anywhere, and whatever else may be in a file."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from plotrun import CHIAPOS_LOG
from plotrun.logparser import (
    LONGEST_LINE,
    Fact,
    FractionDone,
    LogParser,
    PhaseTook,
    PlotComplete,
    PlotNamed,
    PlotTook,
    SizesTold,
    Trouble,
    advance,
)
from plotrun.model import Progress

DATA = Path(__file__).parent / "data"
K25 = (DATA / "chia-k25.log").read_bytes()
ID = "dbdce5a8c7caa4eb29e27dd31594924eb841ec5887f0c4d50284c0652a8cbefa"


def facts(log: bytes, size: int | None = None) -> list[Fact]:
    """What *log* says, fed in chunks of *size*."""
    parser = LogParser(CHIAPOS_LOG)
    chunks = [log[at : at + size] for at in range(0, len(log), size)] if size else [log]
    return [fact for chunk in chunks for fact in parser.feed(chunk)]


def test_every_phase_and_step_of_a_real_log() -> None:
    seen = []
    progress, parser = Progress(), LogParser(CHIAPOS_LOG)
    for line in K25.splitlines(keepends=True):
        now = advance(progress, parser.feed(line))
        if (now.phase, now.step) != (progress.phase, progress.step):
            seen.append((now.phase, now.step, now.fraction))
        progress = now
    assert seen == [
        (1, 0, 0.0),
        *((1, table, done) for table, done in enumerate((0, 0.01, 0.06, 0.12, 0.2, 0.28, 0.36), 1)),
        (2, 0, 0.42),
        *((2, step, done) for step, done in enumerate((0.42, 0.43, 0.48, 0.51, 0.55, 0.58), 1)),
        (3, 0, 0.61),
        *((3, step, done) for step, done in enumerate((0.61, 0.66, 0.73, 0.79, 0.85, 0.92), 1)),
        (4, 0, 0.98),
        (4, 1, 0.98),
        (4, 2, 0.98),
    ]
    assert progress == Progress(
        phase=4, step=2, fraction=1.0, plot_id=ID, plots_started=1, plots_complete=1, whole=False
    )


def test_what_a_real_log_tells_beside_progress() -> None:
    found = facts(K25)
    assert [fact for fact in found if isinstance(fact, PlotNamed)] == [PlotNamed(ID)]
    assert [fact for fact in found if isinstance(fact, PhaseTook)] == [
        PhaseTook(1, 70.609),
        PhaseTook(2, 11.142),
        PhaseTook(3, 39.517),
        PhaseTook(4, 1.838),
    ]
    assert [fact for fact in found if isinstance(fact, PlotTook)] == [PlotTook(123.108)]
    assert [fact for fact in found if isinstance(fact, SizesTold)] == [
        SizesTold(tmp=int(1.776 * 2**30))
    ]
    (complete,) = [fact for fact in found if isinstance(fact, PlotComplete)]
    assert complete.path == f"/mnt/dst/00/plot-k25-2026-11-20-19-31-{ID}.plot"


def test_a_plot_is_whole_before_it_is_complete() -> None:
    before, _, _ = K25.partition(b"Renamed final file")
    progress = advance(Progress(), facts(before))
    assert (progress.whole, progress.plots_complete) == (True, 0)
    assert progress.fraction < 1.0


@pytest.mark.parametrize("size", [1, 7, 4096])
def test_chunks_may_be_cut_anywhere(size: int) -> None:
    assert facts(K25, size) == facts(K25)


@settings(max_examples=25, deadline=None)
@given(cuts=st.lists(st.integers(0, len(K25)), max_size=20))
def test_any_chunks_say_the_same(cuts: list[int]) -> None:
    parser, found = LogParser(CHIAPOS_LOG), []
    places = [0, *sorted(cuts), len(K25)]
    for start, end in pairwise(places):
        found += parser.feed(K25[start:end])
    assert found == facts(K25)


@pytest.mark.parametrize(
    ("log", "words"),
    [
        ("chia-tmp-full.log", "Only wrote 696324 of 789390 bytes at offset 1048572"),
        ("chia-dst-full.log", 'Could not copy "/mnt/tmp/00/plot-k18-x.plot.2.tmp"'),
    ],
)
def test_a_full_disk_is_trouble_in_the_plotters_words(log: str, words: str) -> None:
    found = facts((DATA / log).read_bytes())
    (trouble,) = (fact for fact in found if isinstance(fact, Trouble))
    assert trouble.text.startswith(words)
    assert advance(Progress(), found).trouble == trouble.text


def test_trouble_is_over_when_the_plotter_goes_on() -> None:
    stuck = advance(Progress(), [Trouble("disk full")])
    assert stuck.trouble == "disk full"
    assert advance(stuck, [FractionDone(0.5)]).trouble is None


def test_progress_never_goes_back() -> None:
    there = advance(Progress(), [FractionDone(0.7), FractionDone(0.3)])
    assert there.fraction == 0.7
    assert advance(there, [FractionDone(7.0)]).fraction == 1.0


def test_another_plots_completion_is_counted_and_leaves_this_ones_progress() -> None:
    now = advance(Progress(), [PlotNamed("b"), FractionDone(0.2), PlotComplete("a")])
    assert (now.plots_complete, now.fraction) == (1, 0.2)


@settings(max_examples=150, deadline=None)
@given(chunks=st.lists(st.binary(max_size=300), max_size=10))
def test_anything_may_be_in_a_log(chunks: list[bytes]) -> None:
    parser = LogParser(CHIAPOS_LOG)
    progress = Progress()
    for chunk in chunks:
        progress = advance(progress, parser.feed(chunk))
        assert 0.0 <= progress.fraction <= 1.0


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_a_real_log_with_damage_raises_nothing(data: st.DataObject) -> None:
    start = data.draw(st.integers(0, len(K25)))
    noise = data.draw(st.binary(max_size=200))
    end = data.draw(st.integers(start, len(K25)))
    advance(Progress(), facts(K25[:start] + noise + K25[end:]))


def test_a_line_without_end_takes_no_memory() -> None:
    parser = LogParser(CHIAPOS_LOG)
    for _ in range(64):
        assert parser.feed(b"x" * 1024 * 1024) == []
        assert len(parser._rest) <= LONGEST_LINE
    assert parser.feed(b"Progress update: 0.5\nProgress update: 0.25\n") == [FractionDone(0.25)]


def test_a_carriage_return_ends_a_line() -> None:
    assert facts(b"Progress update: 0.1\rProgress update: 0.2\n") == [
        FractionDone(0.1),
        FractionDone(0.2),
    ]


def test_words_of_trouble_are_short_and_printable() -> None:
    (trouble,) = facts(b"Could not copy \xff" + b"y" * 5000 + b"\n")
    assert isinstance(trouble, Trouble)
    assert len(trouble.text) <= 510
    assert trouble.text.startswith("Could not copy \\xff")
