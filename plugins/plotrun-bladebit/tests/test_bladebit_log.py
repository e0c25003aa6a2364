"""BladeBit's log: every phase and step of each mode.

The logs in data/ are put together from the lines in BladeBit's source (ramplot 1.2 and 3.1,
diskplot 2.0 and 3.1, cudaplot 3.1), with numbers and ids of their own.
"""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from plotrun import (
    Fact,
    LogParser,
    PhaseTook,
    PlotComplete,
    PlotNamed,
    PlotStarted,
    PlotTook,
    Progress,
    Trouble,
)
from plotrun_bladebit import BLADEBIT_LOG, BladebitPlotter

DATA = Path(__file__).parent / "data"
LOGS = {file.stem: file.read_bytes() for file in sorted(DATA.glob("*.log"))}


def facts(log: bytes) -> list[Fact]:
    return LogParser(BLADEBIT_LOG).feed(log)


State = tuple[int, int, int]
"""Phase, step, plots complete."""


def states(log: bytes) -> tuple[list[State], Progress]:
    """Each new state, line by line; within a plot the share done never goes back."""
    plotter, parser = BladebitPlotter(), LogParser(BLADEBIT_LOG)
    progress = Progress()
    seen: list[State] = []
    for line in log.splitlines(keepends=True):
        now = plotter.advance(progress, parser.feed(line))
        state = (now.phase, now.step, now.plots_complete)
        if state != (progress.phase, progress.step, progress.plots_complete):
            seen.append(state)
        assert progress.plot_id != now.plot_id or now.fraction >= progress.fraction
        progress = now
    return seen, progress


def steps(phase: int, numbers: range, complete: int = 0) -> list[State]:
    return [(phase, step, complete) for step in numbers]


def one_ram_plot(
    complete: int, first_compressed: int, previous_at: int | None = None
) -> list[State]:
    """All states of a plot; in phase 1's step *previous_at* the one before is complete."""
    phase1 = steps(1, range(1, 8), complete)
    if previous_at is not None:
        phase1 = steps(1, range(1, previous_at + 1), complete - 1)
        phase1 += steps(1, range(previous_at, 8), complete)
    # A phase begins with step 1, also where compression leaves out a table.
    phase3 = [1, *range(max(2, first_compressed), 7)]
    return [
        *phase1,
        *steps(2, range(1, 6), complete),
        *((3, step, complete) for step in phase3),
        *steps(4, range(1, 5), complete),
    ]


def test_ramplot_of_two_compressed_plots() -> None:
    seen, progress = states(LOGS["ramplot-c07-two-plots"])
    assert seen == [
        *one_ram_plot(0, 2),
        (0, 0, 0),
        *one_ram_plot(1, 2, previous_at=2),
        (4, 5, 1),
        (4, 5, 2),
    ]
    assert progress.fraction == 1.0


def test_ramplot_1_2_tells_the_last_plot_twice_and_it_counts_once() -> None:
    seen, progress = states(LOGS["ramplot-1.2-two-plots"])
    assert seen == [
        *one_ram_plot(0, 1),
        (0, 0, 0),
        *one_ram_plot(1, 1, previous_at=2),
        (4, 5, 1),
        (4, 5, 2),
    ]
    assert progress.fraction == 1.0


def one_disk_plot(complete: int) -> list[State]:
    return [
        *steps(1, range(1, 9), complete),
        *steps(2, range(1, 7), complete),
        *steps(3, range(1, 8), complete),
        (4, 5, complete),
        (4, 5, complete + 1),
    ]


def test_diskplot_of_two_plots() -> None:
    seen, progress = states(LOGS["diskplot-two-plots"])
    assert seen == [*one_disk_plot(0), (0, 0, 1), *one_disk_plot(1)]
    assert progress.fraction == 1.0


def test_diskplot_2_0() -> None:
    seen, progress = states(LOGS["diskplot-2.0"])
    assert seen == one_disk_plot(0)
    assert progress.fraction == 1.0


def one_cuda_plot(complete: int, dropped: int) -> list[State]:
    return [
        *steps(1, range(1, 9), complete),
        *steps(2, range(1, 7 - dropped), complete),
        *((3, step, complete) for step in (1, *range(max(2, 1 + dropped), 8))),
        (4, 5, complete),
        (4, 5, complete + 1),
    ]


@pytest.mark.parametrize(
    ("log", "dropped"), [("cudaplot-c05-two-plots", 1), ("cudaplot-checked", 0)]
)
def test_cudaplot_of_two_plots(log: str, dropped: int) -> None:
    seen, progress = states(LOGS[log])
    assert seen == [*one_cuda_plot(0, dropped), (0, 0, 1), *one_cuda_plot(1, dropped)]
    assert progress.plots_complete == 2


@pytest.mark.parametrize("log", sorted(LOGS))
def test_every_plot_is_named_when_it_begins(log: str) -> None:
    found = facts(LOGS[log])
    starts = [i for i, fact in enumerate(found) if isinstance(fact, PlotStarted)]
    named = [found[i + 1] for i in starts]
    assert len(starts) == LOGS[log].count(b"Generating plot")
    assert all(isinstance(fact, PlotNamed) for fact in named)


@pytest.mark.parametrize("log", [log for log in sorted(LOGS) if not log.startswith("cudaplot")])
def test_plots_are_complete_by_their_ids(log: str) -> None:
    found = facts(LOGS[log])
    named = [fact.plot_id for fact in found if isinstance(fact, PlotNamed)]
    told = [fact.plot_id for fact in found if isinstance(fact, PlotComplete) and fact.plot_id]
    # ramplot 3.1 does not say the last one's name.
    assert told == (named[:-1] if log.startswith("ramplot-c07") else named)


@pytest.mark.parametrize(
    ("log", "phases", "plots"),
    [
        ("diskplot-2.0", [1064.29, 138.45, 657.71], [1861.73]),
        ("cudaplot-c05-two-plots", [68.00, 8.66, 60.15] * 2, [136.81] * 2),
    ],
)
def test_what_phases_and_plots_took(log: str, phases: list[float], plots: list[float]) -> None:
    found = facts(LOGS[log])
    took = [(fact.phase, fact.seconds) for fact in found if isinstance(fact, PhaseTook)]
    assert [seconds for _, seconds in took] == phases
    assert [phase for phase, _ in took] == [1, 2, 3] * len(plots)
    assert [fact.seconds for fact in found if isinstance(fact, PlotTook)] == plots


def test_a_log_of_a_good_run_has_no_trouble() -> None:
    for log in ("ramplot-c07-two-plots", "diskplot-two-plots", "cudaplot-c05-two-plots"):
        assert not [fact for fact in facts(LOGS[log]) if isinstance(fact, Trouble)], log


def test_a_plot_that_bladebit_deletes_is_trouble() -> None:
    (trouble,) = (f for f in facts(LOGS["cudaplot-checked"]) if isinstance(f, Trouble))
    assert trouble.text.endswith("as it is below the proof threshold: 0.120 / 0.600.")


@pytest.mark.parametrize(
    "line",
    [
        "Fatal Error:",
        "*** Panic!!! *** Fatal Error:",
        "*** Crashed! ***",
        "Failed to open plot file with error: 22",
        "Failed to write to plot with error 28:",
        "Failed to obtain temp paths block size from t1: '/x' or t2: '/y'.",
        "Error: Failed to allocate required buffers.",
        "Error: Either a pool public key or a pool contract address must be specified.",
        "Error: Cannot plot classic (uncompressed) plots in 128G or 64G mode.",
        "Error 5 encountered when writing to plot '/mnt/out/x.plot.tmp.",
        "[PlotWriter] Error: Could not rename plot file with error: 13.",
        "No space left in plot output directory for plot '/x.plot.tmp'. Waiting 10.0 seconds "
        "before trying again...",
        "Invalid farmer public key 'abc'",
        "Unexpected argument '--nonsense'",
        "Unrecognized argument '-q'.",
        "A farmer public key must be specified.",
        "At least 1 temporary path (--temp) must be specified.",
        "Warning: Not enough memory available. Buffer allocation may fail.",
        "CUDA error: 2 (0x2 ) cudaErrorMemoryAllocation : out of memory",
        "No CUDA-capable devices found.",
        "Buckets must be power of 2.",
        "diskplot is currently disabled for compressed plotting due to a bug.",
        "Compression level 8 is not currently supported.",
        "Overran park buffer for table 3.",
    ],
)
def test_trouble_is_told_in_its_own_words(line: str) -> None:
    assert facts(line.encode() + b"\n") == [Trouble(line)]


def test_an_older_version_leaves_indentation_before_its_trouble() -> None:
    assert facts(b"Fatal Error:\n  Failed to write P7 to disk.\n") == [
        Trouble("Fatal Error:"),
        Trouble("Failed to write P7 to disk."),
    ]


@pytest.mark.parametrize(
    "line",
    [
        "Table 2 I/O wait time: 0.01 seconds.",
        " Table 1:          1048576 ( 0x0000000000100000 )",
        "Completed table 3 in 9.16 seconds with 3465 / 4294 entries ( 80.68% ).",
        "Compressing is fun",
        "WARNING: Failed to bind NUMA memory on the heap.",
        "Plot /x/plot-k32-2021-08-29-22-22-" + "1f" * 32 + ".plot.tmp finished writing to disk:",
        "/o/plot-k32-x.plot.tmp -> /o/plot-k32-x.plot",
    ],
)
def test_lines_that_mean_nothing(line: str) -> None:
    assert facts(line.encode() + b"\n") == []


def test_an_endless_process_numbers_its_plots_without_an_end() -> None:
    named = "ab" * 32
    assert facts(f"Generating plot 12: {named}\n".encode()) == [PlotStarted(), PlotNamed(named)]


@pytest.mark.parametrize("log", sorted(LOGS))
@settings(max_examples=15, deadline=None)
@given(data=st.data())
def test_a_log_cut_anywhere_says_the_same(log: str, data: st.DataObject) -> None:
    whole = LOGS[log]
    cuts = data.draw(st.lists(st.integers(0, len(whole)), max_size=20))
    parser = LogParser(BLADEBIT_LOG)
    found = []
    for start, end in pairwise([0, *sorted(cuts), len(whole)]):
        found += parser.feed(whole[start:end])
    assert found == facts(whole)


@settings(max_examples=200, deadline=None)
@given(
    st.lists(
        st.one_of(
            st.binary(max_size=200),
            st.sampled_from(
                [
                    b"\nGenerating plot 1 / 1: ",
                    b"\nTable 99",
                    b"\nRunning Phase 9",
                    b"\nFinished Phase 1 in x",
                    b"\nCompleted Plot 1 in 1.",
                    b"\nCompressing tables 9 and 1",
                    b"\r\nTable 2\r\n",
                    b"ab" * 32,
                ]
            ),
        ),
        max_size=20,
    )
)
def test_no_bytes_raise_anything(chunks: list[bytes]) -> None:
    plotter, parser, progress = BladebitPlotter(), LogParser(BLADEBIT_LOG), Progress()
    for chunk in chunks:
        progress = plotter.advance(progress, parser.feed(chunk))
    assert 0.0 <= progress.fraction <= 1.0


def test_shares_of_phases_make_a_whole() -> None:
    assert sum(BladebitPlotter.phase_shares) == pytest.approx(1.0)
    shares = [BladebitPlotter().fraction(phase, step) for phase in range(1, 5) for step in range(9)]
    known = [share for share in shares if share is not None]
    assert len(known) == len(shares)
    assert max(known) <= 1.0
    assert BladebitPlotter().fraction(0, 0) is None
