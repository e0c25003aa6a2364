"""The plotter ``xchplot2``: V2 plots on graphics cards.

Read in the source and manual of xchplot2 of 2026; it cannot run here, for lack of a card.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePath
from typing import Annotated, Any, ClassVar

from annotated_types import Ge, Le

from plotrun import (
    Fact,
    Help,
    Job,
    KeyProblem,
    OwnerKeys,
    PlotComplete,
    PlotNamed,
    PlotStarted,
    Plotter,
    Progress,
    Recognised,
    Rule,
    Run,
    Sizes,
    Trouble,
    log_words,
    one_pool,
    option,
)
from plotrun_pos2.plots import K, Strength, odd_k, v2_sizes

DEVICES = re.compile(r"[a-z0-9]+(:[a-z]+)?(,[a-z0-9]+(:[a-z]+)?)*")
"""What ``--devices`` looks like: "gpu", "0,1", "gpu,2:tiny"."""


@dataclass(frozen=True, kw_only=True)
class Xchplot2Keys(OwnerKeys):
    """The keys of a job that the plotter ``xchplot2`` reads."""

    k: K = 28
    strength: Strength = 2
    plot_index: Annotated[
        int, Ge(0), Le(65535), Help("Index of the first plot; each next one's is one more.")
    ] = 0
    meta_group: Annotated[int, Ge(0), Le(255), Help("Meta group of the plots.")] = 0
    devices: Annotated[
        str | None,
        Help('Cards to use: "gpu" for all, or numbers as in "0,1". Default: one card.'),
    ] = None
    continue_on_error: Annotated[bool, Help("true: go on with the next plot when one fails.")] = (
        False
    )


@dataclass(frozen=True)
class Listed(PlotComplete):
    """A path on standard output: the plot is there. It may have been told before."""


@dataclass(frozen=True)
class Wrote(PlotComplete):
    """The summary at the end: so many plots are written."""

    plots: int = 0


_PLOT_FILE = rb"plot-k\d+-([0-9a-f]{64})\.plot2"
_FROM = rb"\[[^\]\n]*\] "
"""Who says it: "[plot] ", "[batch] ", "[batch:gpu0] "."""


def _prepared(match: re.Match[bytes]) -> tuple[Fact, ...]:
    """All plots of a process are named before the first one is made."""
    named = PlotNamed(match[2].decode())
    return (PlotStarted(), named) if match[1] == b"1" else (named,)


def _complete(match: re.Match[bytes]) -> tuple[Fact, ...]:
    plot_id = match[1].decode()
    return (PlotNamed(plot_id), PlotComplete(plot_id))


def _listed(match: re.Match[bytes]) -> tuple[Fact, ...]:
    plot_id = match[1].decode()
    return (PlotNamed(plot_id), Listed(plot_id))


def _trouble(match: re.Match[bytes]) -> Fact:
    return Trouble(log_words(match[0]))


XCHPLOT2_LOG: Sequence[Rule] = (
    Rule(_FROM + rb"prepared (\d+)/\d+ " + _PLOT_FILE, _prepared),
    # With -v: told when the file has its final name. The number counts from 0.
    Rule(_FROM + rb"consumer wrote plot \d+: [^\n]*" + _PLOT_FILE, _complete),
    Rule(_FROM + rb"wrote (\d+) plots? in", lambda m: Wrote(plots=int(m[1]))),
    # Standard output: older versions list all at the end, newer ones each when it is complete.
    Rule(rb"(?!\[)[^\n]*" + _PLOT_FILE + rb"(?![^\n])", _listed),
    Rule(rb"(?:" + _FROM + rb")?(?:Error|WARNING|FATAL): [^\n]*", _trouble),
    Rule(_FROM + rb"[^\n]*FAIL(?:ED)?\b[^\n]*", _trouble),
)
"""How the lines of ``xchplot2 plot -v`` are read."""


class Xchplot2Plotter(Plotter):
    """``xchplot2 plot``: it tells no phases, and needs no temporary space."""

    name: ClassVar[str] = "xchplot2"
    keys: ClassVar[type] = Xchplot2Keys
    default_command: ClassVar[str] = "xchplot2"
    rules: ClassVar[Sequence[Rule]] = XCHPLOT2_LOG
    several_plots: ClassVar[bool] = True
    finish_signal: ClassVar[str | None] = "SIGINT"
    size_keys: ClassVar[tuple[str, ...]] = ("k", "strength")

    def arguments(self, run: Run) -> list[str]:
        """The arguments of ``xchplot2``; with ``-v`` it names each plot when it is written."""
        keys = run.job.keys(Xchplot2Keys)
        words: list[object] = ["plot", "-k", keys.k, "-n", run.plots, "-s", keys.strength]
        words += ["-i", keys.plot_index, "-g", keys.meta_group, "-f", keys.farmer_public_key]
        if keys.pool_contract_address:
            words += ["-c", keys.pool_contract_address]
        else:
            words += ["-p", keys.pool_public_key]
        words += [] if keys.devices is None else ["--devices", keys.devices]
        words += ["--continue-on-error"] if keys.continue_on_error else []
        return [str(word) for word in [*words, "-v", "-o", run.final_dir]]

    def sizes(self, job: Job) -> Sizes:
        """Bytes of the finished plot; it grows alone."""
        return v2_sizes(job.keys(Xchplot2Keys).k)

    def check(self, values: Any) -> Iterable[KeyProblem]:
        """An even k, a pool, and devices as the program reads them."""
        yield from odd_k(values.k)
        if values.devices is not None and not DEVICES.fullmatch(values.devices):
            yield KeyProblem("devices", 'devices as "gpu", "all" or "0,1"')
        yield from one_pool(values)

    def advance(self, progress: Progress, facts: Sequence[Fact]) -> Progress:
        """The progress after *facts*. A plot that is told again counts once."""
        for fact in facts:
            if isinstance(fact, Wrote):
                plots = max(progress.plots_complete, fact.plots)
                progress = replace(progress, plots_complete=plots)
            elif not isinstance(fact, Listed):
                progress = super().advance(progress, [fact])
                if isinstance(fact, PlotComplete):
                    progress = replace(progress, fraction=0.0)  # the next one's is being made
        return progress

    def recognise(self, argv: Sequence[str]) -> Recognised | None:
        """A process of ``xchplot2 plot``."""
        if len(argv) < 2 or argv[1] != "plot":
            return None
        if PurePath(argv[0]).name not in ("xchplot2", "xchplot2.exe"):
            return None
        k, out = option(argv[2:], "-k", "--k"), option(argv[2:], "-o", "--out")
        return Recognised(
            k=int(k) if k and k.isdigit() else None, final_dir=Path(out) if out else None
        )
