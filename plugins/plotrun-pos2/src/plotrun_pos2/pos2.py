"""The plotter ``pos2``: V2 plots on the CPU, by the wheel ``chia_rs``."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import PurePath
from typing import Any, ClassVar

from plotrun import (
    Job,
    KeyProblem,
    OptionalOwnerKeys,
    PlotComplete,
    PlotNamed,
    PlotStarted,
    Plotter,
    Recognised,
    Rule,
    Run,
    Sizes,
    Trouble,
    log_words,
    recognised,
    whole_owner,
)
from plotrun_pos2.plots import K, Strength, odd_k, v2_sizes


@dataclass(frozen=True, kw_only=True)
class Pos2Keys(OptionalOwnerKeys):
    """The keys of a job that the plotter ``pos2`` reads."""

    k: K = 28
    strength: Strength = 2


class Pos2Plotter(Plotter):
    """``python -m plotrun_pos2``: it tells no phases, and needs no temporary space."""

    name: ClassVar[str] = "pos2"
    keys: ClassVar[type] = Pos2Keys
    default_command: ClassVar[str] = f"{shlex.quote(sys.executable)} -m plotrun_pos2"
    several_plots: ClassVar[bool] = True
    endless: ClassVar[bool] = True
    finish_signal: ClassVar[str | None] = "SIGINT"
    size_keys: ClassVar[tuple[str, ...]] = ("k", "strength")
    rules: ClassVar[Sequence[Rule]] = (
        Rule(rb"Starting plot \d+", lambda m: PlotStarted()),
        Rule(rb"ID: ([0-9a-f]{64})", lambda m: PlotNamed(m[1].decode())),
        Rule(rb"Finished plot ([0-9a-f]{64})", lambda m: PlotComplete(m[1].decode())),
        Rule(rb"Error: [^\n]*", lambda m: Trouble(log_words(m[0]))),
    )

    def arguments(self, run: Run) -> list[str]:
        """The program's own flags; ``-t`` is only for recognising it."""
        keys = run.job.keys(Pos2Keys)
        words: list[object] = ["-k", keys.k, "-n", run.plots, "-s", keys.strength]
        words += ["-t", run.tmp_dir, "-d", run.final_dir]
        for flag, value in (
            ("-f", keys.farmer_public_key),
            ("-p", keys.pool_public_key),
            ("-c", keys.pool_contract_address),
        ):
            words += [] if value is None else [flag, value]
        return [str(word) for word in words]

    def sizes(self, job: Job) -> Sizes:
        """Bytes of the finished plot; it grows alone."""
        return v2_sizes(job.keys(Pos2Keys).k)

    def check(self, values: Any) -> Iterable[KeyProblem]:
        """An even k; all keys of a farmable plot, or none for a test plot."""
        yield from odd_k(values.k)
        yield from whole_owner(values)

    def recognise(self, argv: Sequence[str]) -> Recognised | None:
        """A process of this module."""
        python = argv and PurePath(argv[0]).name.startswith("python")
        if python and list(argv[1:3]) == ["-m", "plotrun_pos2"]:
            return recognised(argv[3:], "-k", "-t", "-2", "-d")
        return None

    def version_command(self, command: str) -> str | None:
        """The module tells the version of chia_rs."""
        return f"{command} --version"
