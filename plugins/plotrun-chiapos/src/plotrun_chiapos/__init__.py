"""An embedded plotter: real V1 plots by the wheel ``chiapos``, without an installation of Chia."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import PurePath
from typing import TYPE_CHECKING, Annotated, Any, ClassVar

from annotated_types import Ge, Le

from plotrun import (
    CHIAPOS_FINISHED,
    CHIAPOS_LOG,
    CHIAPOS_PHASE_SHARES,
    CHIAPOS_TEMPORARY,
    FinishedLog,
    Help,
    Job,
    KeyProblem,
    OptionalOwnerKeys,
    Plot,
    PlotFormat,
    Plotter,
    Recognised,
    Rule,
    Run,
    SettingsSection,
    Sizes,
    hookimpl,
    recognised,
    v1_sizes,
    whole_owner,
    with_v1_sizes,
)

if TYPE_CHECKING:
    import click

    from plotrun import Settings

__all__ = ["plotrun_check_plot", "plotrun_commands", "plotrun_plotters", "plotrun_settings"]


@dataclass(frozen=True, kw_only=True)
class ChiaposKeys(OptionalOwnerKeys):
    """The keys of a job that the plotter ``chiapos`` reads."""

    k: Annotated[int, Ge(18), Le(50), Help("Size of the plot. Below 32 is for tests.")] = 32
    threads: Annotated[int, Ge(1), Help("Threads of phase 1.")] = 2
    buckets: Annotated[int | None, Ge(16), Le(128), Help("Number of buckets. Default: by k.")] = (
        None
    )
    stripe: Annotated[
        int | None, Ge(256), Help("Entries that a thread takes at a time. Default: by k.")
    ] = None
    buffer: Annotated[
        int | None, Ge(10), Help("Memory for sorting, in MiB. Default: the plotter's own.")
    ] = None
    bitfield: Annotated[bool, Help("false: plot without a bitfield.")] = True


@dataclass(frozen=True)
class ChiaposSettings:
    """``[plugins.chiapos]``."""

    check_challenges: Annotated[
        int,
        Ge(0),
        Help("Challenges for which a finished V1 plot must have good proofs; 0: no check."),
    ] = 20


class ChiaposPlotter(Plotter):
    """``python -m plotrun_chiapos``."""

    name: ClassVar[str] = "chiapos"
    keys: ClassVar[type] = ChiaposKeys
    default_command: ClassVar[str] = f"{shlex.quote(sys.executable)} -m plotrun_chiapos"
    rules: ClassVar[Sequence[Rule]] = CHIAPOS_LOG
    has_tmp2: ClassVar[bool] = True
    several_plots: ClassVar[bool] = True
    endless: ClassVar[bool] = True
    finish_signal: ClassVar[str | None] = "SIGINT"
    phase_shares: ClassVar[tuple[float, ...]] = CHIAPOS_PHASE_SHARES
    finishes_in_tmp2: ClassVar[bool] = True
    whole_suffix: ClassVar[str | None] = ".plot.2.tmp"
    temporary_files: ClassVar[tuple[str, ...]] = CHIAPOS_TEMPORARY
    finished_log: ClassVar[FinishedLog | None] = CHIAPOS_FINISHED

    def arguments(self, run: Run) -> list[str]:
        """Flags as ``chia plots create`` has them, and ``--stripe``."""
        keys = run.job.keys(ChiaposKeys)
        words = ["-k", keys.k, "-n", run.plots, "-r", keys.threads]
        words += ["-t", run.tmp_dir, "-2", run.tmp2_dir or run.tmp_dir, "-d", run.final_dir]
        for flag, value in (
            ("-u", keys.buckets),
            ("--stripe", keys.stripe),
            ("-b", keys.buffer),
            ("-f", keys.farmer_public_key),
            ("-p", keys.pool_public_key),
            ("-c", keys.pool_contract_address),
        ):
            words += [] if value is None else [flag, value]
        words += [] if keys.bitfield else ["-e"]
        return [str(word) for word in words]

    def sizes(self, job: Job) -> Sizes:
        """Finished and temporary bytes, by k."""
        return v1_sizes(job.keys(ChiaposKeys).k)

    def check(self, values: Any) -> Iterable[KeyProblem]:
        """All keys of a farmable plot, or none for a test plot."""
        yield from whole_owner(values)

    def recognise(self, argv: Sequence[str]) -> Recognised | None:
        """A process of this module."""
        python = argv and PurePath(argv[0]).name.startswith("python")
        if python and list(argv[1:3]) == ["-m", "plotrun_chiapos"]:
            return with_v1_sizes(recognised(argv[3:], "-k", "-t", "-2", "-d"))
        return None

    def version_command(self, command: str) -> str | None:
        """The module tells the version of chiapos."""
        return f"{command} --version"


@hookimpl
def plotrun_plotters() -> list[Plotter]:
    """The plotter ``chiapos``."""
    return [ChiaposPlotter()]


@hookimpl
def plotrun_settings() -> SettingsSection:
    """What the settings may say of checking."""
    return SettingsSection("chiapos", ChiaposSettings)


@hookimpl
def plotrun_check_plot(plot: Plot, settings: Settings) -> str | None:
    """Look for proofs in a V1 plot and verify them."""
    challenges = settings.section(ChiaposSettings).check_challenges
    if plot.format is not PlotFormat.V1 or not challenges:
        return None
    from plotrun_chiapos.verify import verify_apart

    return verify_apart(plot.path, challenges).problem


@hookimpl
def plotrun_commands(cli: click.Group) -> None:
    """``plotrun chiapos-check``."""
    from plotrun_chiapos.cli import command

    cli.add_command(command)
