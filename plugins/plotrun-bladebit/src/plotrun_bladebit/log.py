"""How BladeBit's log is read: one table for its three modes, whose lines differ.

The lines are those of the source of versions 1.2 (ramplot), 2.0 (diskplot) and 3.1 (all three),
and of logs in its public reports.

All modes are brought to the same four phases: tables made, marked, compressed, written.
diskplot and cudaplot name three, and then wait for the disk: that is phase 4 here. Steps are
tables, counted up from 1.

A plot is written by a thread of its own, and renamed by it. So in ramplot the first plot is
complete in the middle of the second one's phase 1, and "Finished plotting" says nothing of the
file.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from plotrun import (
    Fact,
    PhaseStarted,
    PhaseTook,
    PlotComplete,
    PlotNamed,
    PlotStarted,
    PlotTook,
    Rule,
    StepStarted,
    Trouble,
    log_words,
)

_WEIGHTS = ((1, 0.54, 8), (2, 0.08, 5), (3, 0.36, 7), (4, 0.02, 5))
"""Phase, its share of the time, its steps. Phase 1 of ramplot took 314 of 583 seconds in a public
log; phase 4 takes as long as the disk wants."""
PHASE_SHARES = tuple(share for _, share, _ in _WEIGHTS)
_ID = rb"([0-9a-f]{64})"
_SECONDS = rb"(\d+(?:\.\d+)?) sec"
_LINE_END = rb"(?![^\n])"
_WAITING = 5
"""The last step of phase 4: all is computed, the disk has not got it yet."""


def fraction(phase: int, step: int) -> float | None:
    """How much of a plot is done when *step* of *phase* begins; below 1 to the end."""
    before = sum(share for number, share, _ in _WEIGHTS if number < phase)
    for number, share, steps in _WEIGHTS:
        if number == phase:
            return before + share * min(max(step - 1, 0), steps) / steps
    return None


Say = Callable[[re.Match[bytes]], Fact | tuple[Fact, ...]]


def _generating(match: re.Match[bytes]) -> tuple[Fact, ...]:
    return (PlotStarted(), PlotNamed(match[1].decode()))


def _phase(match: re.Match[bytes]) -> tuple[Fact, ...]:
    return (PhaseStarted(int(match[1])), StepStarted(1))


def _begins(phase: int, step: int) -> Say:
    return lambda match: (PhaseStarted(phase), StepStarted(step))


def _phase_took(match: re.Match[bytes]) -> Fact:
    return PhaseTook(int(match[1]), float(match[2]))


def _cuda_phase_took(match: re.Match[bytes]) -> tuple[Fact, ...]:
    """cudaplot tells only when a phase ends: with it the next one begins."""
    begins = int(match[1]) + 1
    return (_phase_took(match), PhaseStarted(begins), StepStarted(_WAITING if begins == 4 else 1))


def _complete(match: re.Match[bytes]) -> Fact:
    return PlotComplete(match[1].decode())


def _trouble(match: re.Match[bytes]) -> Fact:
    return Trouble(log_words(match[0]))


BLADEBIT_LOG: Sequence[Rule] = (
    Rule(rb"Generating plot \d+(?: / \d+)?: " + _ID, _generating),
    Rule(rb"Running Phase ([1-4])", _phase),
    Rule(rb"Finished Phase ([1-4]) in " + _SECONDS, _phase_took),
    Rule(rb"Completed Phase ([1-3]) in " + _SECONDS, _cuda_phase_took),
    # Phase 1. ramplot, diskplot, cudaplot; the last tells when a table is made.
    Rule(rb"Forward propagating to table ([2-7])", lambda m: StepStarted(int(m[1]))),
    Rule(rb"Table ([1-7])(?:: F1 generation)?[ \t]*" + _LINE_END, lambda m: StepStarted(int(m[1]))),
    Rule(rb"Sorting F7 & Writing C Tables", lambda m: StepStarted(8)),
    Rule(rb"Generating F1", _begins(1, 1)),
    Rule(rb"Finished F1 in", lambda m: StepStarted(2)),
    Rule(rb"Table ([2-7]) completed in", lambda m: StepStarted(int(m[1]) + 1)),
    # Phase 2: tables from 6 down; diskplot and cudaplot tell when a table is marked.
    Rule(rb"[ \t]*Prunn?ing table ([2-6])", lambda m: StepStarted(7 - int(m[1]))),
    Rule(rb"Finished marking table ([2-6]) in", lambda m: StepStarted(8 - int(m[1]))),
    Rule(rb"Marked Table ([2-6]) in", lambda m: StepStarted(8 - int(m[1]))),
    # Phase 3.
    Rule(rb"[ \t]*Compressing [Tt]ables? ([1-6]) and [2-7]", lambda m: StepStarted(int(m[1]))),
    Rule(rb"Writing P7 parks", lambda m: StepStarted(7)),
    Rule(rb"Serializing P7 entries", lambda m: StepStarted(7)),
    # Phase 4.
    Rule(rb"[ \t]*Writing P7\.", lambda m: StepStarted(1)),
    Rule(rb"[ \t]*Writing C([1-3]) table", lambda m: StepStarted(int(m[1]) + 1)),
    Rule(rb"Writing final plot tables to disk", lambda m: StepStarted(_WAITING)),
    Rule(rb"Waiting for plot file to complete pending writes", _begins(4, _WAITING)),
    # The end.
    Rule(
        rb"(?:Completed Plot \d+|Finished plotting) in " + _SECONDS,
        lambda m: PlotTook(float(m[1])),
    ),
    # ramplot: the plot before this one; to version 2.0 any plot.
    Rule(rb"Previous plot finished writing to disk[^\n]*" + _ID, _complete),
    Rule(rb"Plot [^\n]*" + _ID + rb"\.plot finished writing to disk", _complete),
    # ramplot: the last plot. To version 2.0 this is told once more of the same plot.
    Rule(rb"Finished writing tables to disk in", lambda m: PlotComplete()),
    # diskplot; to version 2.0 the file is renamed a moment later.
    Rule(rb"Finished writing plot [^\n]*" + _ID, _complete),
    # cudaplot.
    Rule(rb"Completed writing plot in", lambda m: PlotComplete()),
    # Trouble. What follows "Fatal Error:" stands on the next line, in words of its own.
    Rule(rb"(?:\*\*\* Panic!!! \*\*\* )?Fatal Error:[^\n]*", _trouble),
    Rule(rb"\*\*\* Crashed! \*\*\*", _trouble),
    Rule(rb"(?:\[PlotWriter\] )?(?:Error|ERROR)(?::| \d+ )[^\n]*", _trouble),
    Rule(
        rb"[ \t]*(?:Failed to|Failed while|Could not|Invalid|Unexpected|Unrecognized) [^\n]*",
        _trouble,
    ),
    # It waits and tries again.
    Rule(rb"No space left [^\n]*", _trouble),
    Rule(rb"Warning: Not enough memory [^\n]*", _trouble),
    Rule(rb"Overran [^\n]*", _trouble),
    Rule(rb"CUDA (?:error|device \d+ is out of range)[^\n]*", _trouble),
    Rule(rb"No CUDA-capable devices found[^\n]*", _trouble),
    Rule(rb"(?:A farmer public key|At least) [^\n]*must be specified[^\n]*", _trouble),
    Rule(rb"(?:diskplot|ramplot) (?:is )?currently [^\n]*", _trouble),
    Rule(rb"Compression level \d+ is not [^\n]*", _trouble),
    Rule(rb"(?:Buckets must|\d+ buckets (?:are|is)) [^\n]*", _trouble),
    # cudaplot --check: the plot is deleted, and called complete all the same.
    Rule(rb"WARNING: Deleting plot [^\n]*", _trouble),
    Rule(rb"An error occured checking the plot[^\n]*", _trouble),
)
"""The lines that mean something."""
