"""The original plotter: ``chia plots create``.

Its log lines are those of chiapos, which other programs print too: `CHIAPOS_LOG`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import PurePath
from typing import Annotated, Any, ClassVar

from annotated_types import Ge, Le

from plotrun import (
    ContractAddress,
    CopyFailed,
    FinishedLog,
    FractionDone,
    Help,
    Job,
    KeyProblem,
    LineForm,
    PhaseStarted,
    PhaseTook,
    PlotComplete,
    PlotNamed,
    PlotStarted,
    Plotter,
    PlotTook,
    PublicKey,
    Recognised,
    Rule,
    Run,
    Sizes,
    SizesTold,
    StepStarted,
    Trouble,
    hookimpl,
    log_words,
    recognised,
    v1_sizes,
    with_v1_sizes,
)


@dataclass(frozen=True)
class ChiaKeys:
    """The keys of a job that the plotter ``chia`` reads."""

    k: Annotated[int, Ge(18), Le(50), Help("Size of the plot. Below 32 is for tests.")] = 32
    threads: Annotated[int, Ge(1), Help("Threads of phase 1.")] = 2
    buckets: Annotated[int, Ge(16), Le(128), Help("Number of buckets.")] = 128
    buffer: Annotated[
        int | None, Ge(1), Help("Memory for sorting, in MiB. Default: the plotter's own.")
    ] = None
    bitfield: Annotated[bool, Help("false: plot without a bitfield (-e).")] = True
    farmer_public_key: Annotated[
        PublicKey | None, Help("Farmer public key. Default: from chia's keychain.")
    ] = None
    pool_public_key: Annotated[
        PublicKey | None, Help("Pool public key, for plots of the old kind (OG).")
    ] = None
    pool_contract_address: Annotated[
        ContractAddress | None, Help("Pool contract address, for portable plots.")
    ] = None
    fingerprint: Annotated[
        int | None, Ge(0), Help("Which key of chia's keychain to use, if there are several.")
    ] = None
    exclude_final_dir: Annotated[
        bool, Help("Do not add the final directory to chia's harvester (-x).")
    ] = True


def _trouble(match: re.Match[bytes]) -> Trouble:
    return Trouble(log_words(match[0]))


def _working_space(match: re.Match[bytes]) -> SizesTold:
    return SizesTold(tmp=int(float(match[1]) * 2**30))


CHIAPOS_LOG: Sequence[Rule] = (
    Rule(rb"Starting plotting progress into temporary dirs:", lambda m: PlotStarted()),
    Rule(rb"ID: ([0-9a-f]{64})\b", lambda m: PlotNamed(m[1].decode())),
    Rule(rb"Starting phase ([1-4])/4:", lambda m: PhaseStarted(int(m[1]))),
    Rule(rb"Computing table ([1-7])\b", lambda m: StepStarted(int(m[1]))),
    # Phase 2 goes down from table 7 to 2: counted up, so that steps never go back.
    Rule(rb"Backpropagating on table ([2-7])\b", lambda m: StepStarted(8 - int(m[1]))),
    Rule(rb"Compressing tables ([1-6]) and [2-7]", lambda m: StepStarted(int(m[1]))),
    Rule(rb"\tStarting to write C1 and C3 tables", lambda m: StepStarted(1)),
    Rule(rb"\tWriting C2 table", lambda m: StepStarted(2)),
    Rule(rb"Progress update: ([01](?:\.\d+)?)", lambda m: FractionDone(float(m[1]))),
    Rule(
        rb"Time for phase ([1-4]) = (\d+(?:\.\d+)?) seconds",
        lambda m: PhaseTook(int(m[1]), float(m[2])),
    ),
    Rule(rb"Total time = (\d+(?:\.\d+)?) seconds", lambda m: PlotTook(float(m[1]))),
    Rule(rb"Approximate working space used \(without final file\): (\d+\.\d+) GiB", _working_space),
    Rule(
        rb'Renamed final file from (?:[^\n]*" to "([^"\n]*)")?',
        lambda m: PlotComplete(path=log_words(m[1]) if m[1] else None),
    ),
    # Both: chia sleeps five minutes, tries again, and never exits.
    Rule(rb"Only wrote \d+ of \d+ bytes at offset [^\n]*", _trouble),
    Rule(rb"Could not copy [^\n]*", lambda m: CopyFailed(log_words(m[0]))),
    Rule(rb"Caught plotting error: [^\n]*", _trouble),
    Rule(rb"(?:click\.exceptions\.)?\w*Error: [^\n]*", _trouble),
)
"""How the lines of chiapos are read; seen in versions 1.0 to 2.0."""

_SECONDS = rb"\d{1,9}(?:\.\d{1,9})?"
CHIAPOS_FINISHED = FinishedLog(
    start=LineForm(
        b"Starting plotting progress into temporary dirs:",
        # Both directories may have " and " in their names: the second begins like a path.
        rb"Starting plotting progress into temporary dirs: (?P<tmp>[^\r\n]+?) and "
        rb"(?P<tmp2>(?:/|[A-Za-z]:[\\/])[^\r\n]*|(?:(?! and )[^\r\n])+)(?=[\r\n]|$)",
    ),
    head=(
        LineForm(b"ID: ", rb"ID: (?P<plot_id>[0-9a-f]{64})\b"),
        LineForm(b"Plot size is: ", rb"Plot size is: (?P<k>\d{1,3})\b"),
        LineForm(b"Buffer size is: ", rb"Buffer size is: (?P<buffer>\d{1,9})MiB"),
        LineForm(b" buckets", rb"Using (?P<buckets>\d{1,6}) buckets"),
        LineForm(b" threads of stripe", rb"Using (?P<threads>\d{1,6}) threads of stripe"),
        # Not in the first versions; there the line of the last step tells.
        LineForm(b"Final Directory is: ", rb"Final Directory is: (?P<dst>[^\r\n]+)"),
        LineForm(b"Starting phase 1/4:", rb"Starting phase 1/4: .*?\.\.\. (?P<started>[^\r\n]+)"),
    ),
    body=(
        # The thousands of lines about buckets have neither "=" nor a quotation mark, which are
        # found twenty times faster than words.
        LineForm(
            b"=", rb"Time for phase (?P<phase>[1-4]) = (?P<seconds>" + _SECONDS + rb") seconds"
        ),
        LineForm(b"=", rb"Total time = (?P<total>" + _SECONDS + rb") seconds"),
        LineForm(b"=", rb"Copy time = (?P<copy>" + _SECONDS + rb") seconds"),
        LineForm(b'"', rb'Renamed final file from [^\r\n]* to "(?P<file>[^\r\n]*\.plot)"'),
    ),
    complete_with="file",
)
"""How finished plots are found in a log of chiapos, versions 1.0 to 2.0."""

CHIAPOS_TEMPORARY = (
    r"plot-k\d+-[\d-]+-(?P<id>[0-9a-f]{64})\.plot\."
    r"(?:p\w+\.t\d\.sort_bucket_\d+|table\d|sort|2)\.tmp",
)
"""Temporary files of chiapos, seen in versions 1.0 to 2.0."""

USUAL_BUFFER = 3389
"""MiB that chia takes for sorting when it is not told (chia 1.0 to 2.7)."""
CHIAPOS_PHASE_SHARES = (0.42, 0.19, 0.37, 0.02)
"""Where the "Progress update" lines stand when a phase ends: 0.42, 0.61, 0.98."""


class ChiaPlotter(Plotter):
    """``chia plots create``."""

    name: ClassVar[str] = "chia"
    keys: ClassVar[type] = ChiaKeys
    default_command: ClassVar[str] = "chia plots create"
    rules: ClassVar[Sequence[Rule]] = CHIAPOS_LOG
    has_tmp2: ClassVar[bool] = True
    several_plots: ClassVar[bool] = True
    phase_shares: ClassVar[tuple[float, ...]] = CHIAPOS_PHASE_SHARES
    finishes_in_tmp2: ClassVar[bool] = True
    whole_suffix: ClassVar[str | None] = ".plot.2.tmp"
    temporary_files: ClassVar[tuple[str, ...]] = CHIAPOS_TEMPORARY
    finished_log: ClassVar[FinishedLog | None] = CHIAPOS_FINISHED

    def arguments(self, run: Run) -> list[str]:
        """The arguments of ``chia plots create`` (2.7.5; the same in all versions since 1.2)."""
        keys = run.job.keys(ChiaKeys)
        words = ["-k", keys.k, "-n", run.plots, "-r", keys.threads, "-u", keys.buckets]
        words += ["-t", run.tmp_dir, "-2", run.tmp2_dir or run.tmp_dir, "-d", run.final_dir]
        for flag, value in (
            ("-b", keys.buffer),
            ("-f", keys.farmer_public_key),
            ("-p", keys.pool_public_key),
            ("-c", keys.pool_contract_address),
            ("-a", keys.fingerprint),
        ):
            words += [] if value is None else [flag, value]
        words += [] if keys.bitfield else ["-e"]
        words += ["-x"] if keys.exclude_final_dir else []
        words += ["--override-k"] if keys.k < 32 else []
        return [str(word) for word in words]

    def sizes(self, job: Job) -> Sizes:
        """Finished and temporary bytes, by k; of memory, the buffer."""
        keys = job.keys(ChiaKeys)
        return replace(v1_sizes(keys.k), memory=(keys.buffer or USUAL_BUFFER) * 2**20)

    def check(self, values: Any) -> Iterable[KeyProblem]:
        """A plot belongs to a pool key or to a contract, not to both."""
        if values.pool_public_key and values.pool_contract_address:
            expected = "either pool_public_key or pool_contract_address, not both"
            yield KeyProblem("pool_contract_address", expected)

    def recognise(self, argv: Sequence[str]) -> Recognised | None:
        """A process of ``chia plots create``, also one that Python runs by the script's path."""
        for at in range(min(3, len(argv) - 2)):
            is_chia = PurePath(argv[at]).name in ("chia", "chia.exe")
            if is_chia and list(argv[at + 1 : at + 3]) == ["plots", "create"]:
                return with_v1_sizes(recognised(argv[at + 3 :], "-k", "-t", "-2", "-d"))
        return None

    def version_command(self, command: str) -> str | None:
        """``chia version`` in place of ``chia plots create``."""
        front, found, _ = command.rpartition("plots create")
        return f"{front}version" if found else None


@hookimpl
def plotrun_plotters() -> list[Plotter]:
    """The plotter ``chia``."""
    return [ChiaPlotter()]
