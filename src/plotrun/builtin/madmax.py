"""MadMax's plotter: ``chia_plot``, for uncompressed V1 plots."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePath
from typing import Annotated, Any, ClassVar

from annotated_types import Ge, Le

from plotrun import (
    AbsolutePath,
    CopyFailed,
    Fact,
    FinishedLog,
    Help,
    Job,
    KeyProblem,
    LineForm,
    OwnerKeys,
    PhaseStarted,
    PhaseTook,
    PlotComplete,
    PlotNamed,
    PlotStarted,
    Plotter,
    PlotTook,
    Recognised,
    Rule,
    Run,
    Sizes,
    SizesTold,
    StepStarted,
    Trouble,
    hookimpl,
    log_words,
    one_pool,
    recognised,
    v1_plot_bytes,
)


@dataclass(frozen=True, kw_only=True)
class MadMaxKeys(OwnerKeys):
    """The keys of a job that the plotter ``madmax`` reads."""

    k: Annotated[int, Ge(16), Le(34), Help("Size of the plot. Below 32 is for tests.")] = 32
    threads: Annotated[int, Ge(1), Help("Number of threads.")] = 4
    buckets: Annotated[int, Ge(16), Le(1024), Help("Number of buckets.")] = 256
    buckets3: Annotated[
        int | None, Ge(16), Le(1024), Help("Buckets of phases 3 and 4. Default: as buckets.")
    ] = None
    thread_multiplier: Annotated[
        int, Ge(1), Help("Threads of phase 2, as a multiple of threads.")
    ] = 1
    tmp_toggle: Annotated[
        bool, Help("true: tmp and tmp2 change places with every plot of one process.")
    ] = False
    wait_for_copy: Annotated[
        bool, Help("true: wait for the copy of a plot before the next one begins.")
    ] = False
    stage: Annotated[
        AbsolutePath | None,
        Help("Where the finished plot waits for its copy. Default: in tmp."),
    ] = None
    direct_out: Annotated[
        bool, Help("true: the plot is written in its final directory at once.")
    ] = False
    unique: Annotated[bool, Help("true: one plot id for one contract and size (MMX).")] = False
    network_port: Annotated[
        int, Ge(1), Le(65535), Help("Network: 8444 is Chia's, 11337 is MMX's.")
    ] = 8444


def _complete(match: re.Match[bytes]) -> PlotComplete:
    return PlotComplete(match[2].decode(), log_words(match[1]))


def _trouble(match: re.Match[bytes]) -> Trouble:
    return Trouble(log_words(match[0]))


def _phase_took(match: re.Match[bytes]) -> tuple[Fact, ...]:
    """Phases announce their end only: with it the next one begins."""
    phase = int(match[1])
    took = PhaseTook(phase, float(match[2]))
    if phase < LAST_PHASE:
        return (took, PhaseStarted(phase + 1))
    return (SizesTold(plot=int(match[3])), took) if match[3] else (took,)


ENDLESS = -1
"""What ``-n`` says for going on until SIGINT."""
LAST_PHASE = 4
_PLOT_FILE = rb"[^\n]*plot-k[^/\n]*-([0-9a-f]{64})\.plot"
MADMAX_LOG: Sequence[Rule] = (
    Rule(rb"Crafting plot \d+", lambda m: PlotStarted()),
    Rule(
        rb"Plot Name: (plot-k\d+[^\n]*-([0-9a-f]{64}))",
        lambda m: (PlotNamed(m[2].decode(), log_words(m[1])), PhaseStarted(1)),
    ),
    Rule(rb"\[P1\] Table ([1-7]) took", lambda m: StepStarted(int(m[1]))),
    # Phase 2 goes down from table 7 to 2: counted up, so that steps never go back.
    Rule(rb"\[P2\] Table ([2-7]) rewrite took", lambda m: StepStarted(8 - int(m[1]))),
    Rule(
        rb"\[P3-([12])\] Table ([2-7]) took",
        lambda m: StepStarted(2 * (int(m[2]) - 2) + int(m[1])),
    ),
    Rule(rb"\[P4\] total_c3_parks", lambda m: StepStarted(1)),
    Rule(
        rb"Phase ([1-4]) took (\d+(?:\.\d+)?) sec"
        rb"(?:[^\n]*final plot size is (\d{1,18}) bytes)?",
        _phase_took,
    ),
    Rule(rb"Total plot creation time was (\d+(?:\.\d+)?) sec", lambda m: PlotTook(float(m[1]))),
    Rule(rb"Renamed final plot to (" + _PLOT_FILE + rb")", _complete),
    Rule(rb"Copy to (" + _PLOT_FILE + rb") finished", _complete),
    # It stays and tries again; the finished plot lies in tmp under its final name.
    Rule(rb"Copy to [^\n]* failed with[^\n]*", lambda m: CopyFailed(log_words(m[0]))),
    Rule(rb"Invalid [^\n]+", _trouble),
    Rule(rb"Failed to [^\n]*", _trouble),
    Rule(rb"  what\(\):[^\n]*", _trouble),
)
"""How the lines of chia_plot are read; seen in version 1.1.8 and in mmx-v2.4."""

_SECONDS = rb"\d{1,9}(?:\.\d{1,9})?(?:e[+-]?\d\d?)?"
MADMAX_FINISHED = FinishedLog(
    start=LineForm(
        b"Crafting plot ",
        # The first versions tell no date here; the plot's name has it.
        rb"Crafting plot \d+(?: out of -?\w+)?(?: \((?P<started>[\d/]+ [\d:]+)\))?",
    ),
    head=(
        LineForm(b"Number of Threads: ", rb"Number of Threads: +(?P<threads>\d{1,6})\b"),
        LineForm(
            b"Number of Buckets P1:",
            rb"Number of Buckets P1: +2\^\d+ \((?P<buckets>\d{1,6})\)",
        ),
        LineForm(b"Working Directory: ", rb"Working Directory: +(?P<tmp>[^\r\n]+)"),
        LineForm(b"Working Directory 2: ", rb"Working Directory 2: +(?P<tmp2>[^\r\n]+)"),
        LineForm(b"Plot Name: ", rb"Plot Name: (?P<name>plot-[^\r\n]+-[0-9a-f]{64})\b"),
    ),
    preamble=(LineForm(b"Final Directory: ", rb"Final Directory: +(?P<dst>[^\r\n]+)"),),
    body=(
        LineForm(b"Phase ", rb"Phase (?P<phase>[1-4]) took (?P<seconds>" + _SECONDS + rb") sec"),
        LineForm(
            b"Total plot creation time was ",
            rb"Total plot creation time was (?P<total>" + _SECONDS + rb") sec",
        ),
        LineForm(
            b" finished, took ",
            rb"Copy to (?P<file>[^\r\n]*\.plot) finished, took (?P<copy>" + _SECONDS + rb") sec",
        ),
    ),
)
"""How finished plots are found in a log of chia_plot. Where the final directory is the temporary
one there is neither copy nor renaming: a plot is finished when its total is told."""


MADMAX_TEMPORARY = (
    r"plot-k\d+-(?:[cC]\d+-)?[\d-]+-(?P<id>[0-9a-f]{64})\.(?:p\d\w*\.[\w.]+|plot)\.tmp",
)
"""Temporary files of chia_plot; ``….plot.tmp`` is the plot itself while it is written."""


class MadMaxPlotter(Plotter):
    """``chia_plot``."""

    name: ClassVar[str] = "madmax"
    keys: ClassVar[type] = MadMaxKeys
    default_command: ClassVar[str] = "chia_plot"
    rules: ClassVar[Sequence[Rule]] = MADMAX_LOG
    has_tmp2: ClassVar[bool] = True
    several_plots: ClassVar[bool] = True
    endless: ClassVar[bool] = True
    finish_signal: ClassVar[str | None] = "SIGINT"
    phase_shares: ClassVar[tuple[float, ...]] = (0.50, 0.12, 0.33, 0.05)
    phase_steps: ClassVar[tuple[int, ...]] = (7, 6, 12, 1)
    temporary_files: ClassVar[tuple[str, ...]] = MADMAX_TEMPORARY
    finished_log: ClassVar[FinishedLog | None] = MADMAX_FINISHED

    def arguments(self, run: Run) -> list[str]:
        """The arguments of chia_plot; directories end in a slash, or it refuses them."""
        keys: Any = run.job.keys(self.keys)
        words: list[object] = ["-k", keys.k, "-n", run.plots or ENDLESS, "-r", keys.threads]
        words += ["-u", keys.buckets, "-v", keys.buckets3 or keys.buckets]
        words += ["-K", keys.thread_multiplier, "-x", keys.network_port]
        words += ["-t", slashed(run.tmp_dir), "-d", slashed(run.final_dir)]
        words += ["-2", slashed(run.tmp2_dir)] if run.tmp2_dir else []
        words += ["-f", keys.farmer_public_key]
        if keys.pool_contract_address:
            words += ["-c", keys.pool_contract_address]
        else:
            words += ["-p", keys.pool_public_key]
        words += ["-G"] if keys.tmp_toggle else []
        words += ["-w"] if keys.wait_for_copy else []
        words += ["-D"] if keys.direct_out else []
        words += ["-Z"] if keys.unique else []
        words += ["-s", slashed(keys.stage)] if keys.stage else []
        return [str(word) for word in words]

    def copy_blocks(self, job: Job) -> bool:
        """Only if it was told to wait for the copy."""
        keys: Any = job.keys(self.keys)
        return bool(keys.wait_for_copy)

    def other_dirs(self, job: Job) -> tuple[Path, ...]:
        """The stage directory, where it waits for the copy."""
        keys: Any = job.keys(self.keys)
        stage: Path | None = keys.stage
        return (stage,) if stage else ()

    def sizes(self, job: Job) -> Sizes:
        """Finished and temporary bytes, by k."""
        keys: Any = job.keys(self.keys)
        return _sizes(keys.k, keys.tmp_toggle)

    def check(self, values: Any) -> Iterable[KeyProblem]:
        """A plot belongs to a pool key or to a contract: one of them must be given."""
        yield from one_pool(values)

    def recognise(self, argv: Sequence[str]) -> Recognised | None:
        """A process of ``chia_plot`` or ``chia_plot_k34``."""
        if argv and re.fullmatch(r"chia_plot(_k\d+)?(\.exe)?", PurePath(argv[0]).name):
            read = recognised(argv[1:], "-k", "-t", "-2", "-d")
            return replace(read, sizes=_sizes(read.k or 32, "-G" in argv))  # k=32 if not told
        return None


def _sizes(k: int, toggle: bool) -> Sizes:
    """By chia_plot's own help: at k=32 less than 256 GiB in all, 220 in tmp and 110 in tmp2."""
    whole, tmp, tmp2 = (int(gib * 2**30 * 2.0 ** (k - 32)) for gib in (256, 220, 110))
    return Sizes(v1_plot_bytes(k), whole, (tmp, tmp if toggle else tmp2))


def slashed(directory: Path) -> str:
    """A directory as MadMax's plotters want it."""
    return f"{directory}{os.sep}"


@hookimpl
def plotrun_plotters() -> list[Plotter]:
    """The plotter ``madmax``."""
    return [MadMaxPlotter()]
