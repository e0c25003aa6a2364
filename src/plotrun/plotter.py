"""What a plotter is to plotrun: its keys, its command line, its log and its sizes.

A plugin brings a plotter by subclassing `Plotter` and answering ``plotrun_plotters``.
"""

# ruff: noqa: ARG002 - what the methods of Plotter answer by default needs no arguments

from __future__ import annotations

import shlex
from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from plotrun.logparser import Fact, Rule, advance
from plotrun.model import Job, Progress, Sizes
from plotrun.plotfile import v1_sizes

if TYPE_CHECKING:
    from plotrun.analysis.forms import FinishedLog


@dataclass(frozen=True)
class Run:
    """One process to be started: the job, and the directories made for this worker."""

    job: Job
    plots: int
    """How many plots the process is to make; 0 is endless."""
    tmp_dir: Path
    tmp2_dir: Path | None
    final_dir: Path
    """Where finished files go; never one of the temporary directories."""
    more_final_dirs: tuple[Path, ...] = ()
    """Other directories where they may go, for a plotter that `chooses_dst`."""


@dataclass(frozen=True)
class Recognised:
    """A running plotter's command line, read back."""

    k: int | None = None
    tmp: Path | None = None
    tmp2: Path | None = None
    final_dir: Path | None = None
    sizes: Sizes | None = None
    """What one plot of its takes, if that can be told."""


@dataclass(frozen=True)
class KeyProblem:
    """A value of a job that does not fit the others."""

    key: str
    expected: str


class Plotter(ABC):
    """A program that makes plots."""

    name: ClassVar[str]
    """What ``plotter = "…"`` in the settings says."""
    keys: ClassVar[type]
    """A frozen dataclass: the keys of a job that this plotter reads, with types and defaults."""
    default_command: ClassVar[str]
    """The program, unless the settings say ``command``."""
    rules: ClassVar[Sequence[Rule]]
    """How its log is read."""
    has_tmp2: ClassVar[bool] = False
    several_plots: ClassVar[bool] = False
    """Whether one process can make several plots."""
    endless: ClassVar[bool] = False
    """Whether a process can go on until it is asked to finish, by `finish_signal`."""
    usual_plots: ClassVar[int] = 1
    """How many plots a process usually makes, 0 for endless: the default of the job's
    ``plots_per_process``."""
    finish_signal: ClassVar[str | None] = None
    """The signal ("SIGINT") on which a process that was told to make several plots ends after
    the plot under way, if there is one."""
    chooses_dst: ClassVar[bool] = False
    """Whether it takes several final directories and chooses among them for each plot."""
    size_keys: ClassVar[tuple[str, ...]] = ("k",)
    """The keys of the job on which the size of a finished plot depends."""
    phase_shares: ClassVar[tuple[float, ...]] = ()
    """The usual share of each phase in the time that a plot takes, from phase 1 on: 1 together.
    Empty: it has no phases."""
    phase_steps: ClassVar[tuple[int, ...]] = ()
    """How many steps each phase has. Empty: its log tells a figure of its own."""
    whole_suffix: ClassVar[str | None] = None
    """What a whole plot's name ends in while it has not got its final one: after `PlotTook` and
    before `PlotComplete`. A plotter that dies there leaves a good plot behind."""
    temporary_files: ClassVar[tuple[str, ...]] = ()
    """What its temporary files are called: regular expressions of the whole name, with the plot's
    id as the group ``id``. By these ``plotrun clean`` knows what dead ones have left; files that
    grow into the finished plot belong here too. Empty: only what lies in a worker's own
    directory."""
    finished_log: ClassVar[FinishedLog | None] = None
    """How ``plotrun analyze`` finds finished plots in its logs; None: it does not."""
    finishes_in_tmp2: ClassVar[bool] = False
    """Where the finished file grows: a final directory beside it makes its last step a rename."""

    def command(self, job: Job) -> str:
        """The program, or the shell line that ends with it."""
        return job.command or self.default_command

    @abstractmethod
    def arguments(self, run: Run) -> list[str]:
        """The arguments that follow the command."""

    @abstractmethod
    def sizes(self, job: Job) -> Sizes:
        """Bytes of the finished plot, of temporary space and, where it is known, of memory."""

    def other_dirs(self, job: Job) -> tuple[Path, ...]:
        """Directories beside tmp and dst in which its finished plots may be left."""
        return ()

    def copy_blocks(self, job: Job) -> bool:
        """Whether nothing more is made while a finished plot cannot be brought away."""
        return True

    def recognise(self, argv: Sequence[str]) -> Recognised | None:
        """What a command line says, if it is one of this plotter; None if it is not."""
        return None

    def fraction(self, phase: int, step: int) -> float | None:
        """How much of a plot is done there, from 0 to 1, if its log tells no figure of its own."""
        if not 1 <= phase <= len(self.phase_steps):
            return None
        within = min(1.0, step / self.phase_steps[phase - 1])
        return sum(self.phase_shares[: phase - 1]) + self.phase_shares[phase - 1] * within

    def advance(self, progress: Progress, facts: Sequence[Fact]) -> Progress:
        """The progress after what the log says."""
        now = advance(progress, facts)
        estimate = self.fraction(now.phase, now.step)
        if estimate is not None and now.fraction < estimate:
            now = replace(now, fraction=estimate)
        return now

    def check(self, values: Any) -> Iterable[KeyProblem]:
        """Problems between the values of a job, an instance of `keys`."""
        return ()

    def version_command(self, command: str) -> str | None:
        """A command line that prints the version of the program behind *command*, if any does."""
        return None


_SHELL_SYNTAX = frozenset(";&|<>()$`\n*?[]{}~#!")
_SHELL_WORDS = frozenset({".", "source", "cd", "exec", "export", "eval", "set", "ulimit"})


def is_shell_line(command: str) -> bool:
    """Whether *command* needs a shell: it is more than a program and its arguments."""
    if _SHELL_SYNTAX.intersection(command):
        return True
    words = shlex.split(command)
    return bool(words) and (words[0] in _SHELL_WORDS or "=" in words[0])


def options(argv: Sequence[str], *flags: str) -> list[str]:
    """Values given for *flags* on a command line, as ``-k 32``, ``-k32`` or ``--size=32``."""
    found = []
    for index, word in enumerate(argv):
        for flag in flags:
            if word == flag and index + 1 < len(argv):
                found.append(argv[index + 1])
            elif flag.startswith("--") and word.startswith(f"{flag}="):
                found.append(word[len(flag) + 1 :])
            elif not flag.startswith("--") and len(word) > 2 and word.startswith(flag):
                found.append(word[2:])
    return found


def option(argv: Sequence[str], *flags: str) -> str | None:
    """The last value given for *flags*, or None."""
    return next(reversed(options(argv, *flags)), None)


def recognised(argv: Sequence[str], k: str, tmp: str, tmp2: str, final_dir: str) -> Recognised:
    """A command line read back by the plotter's own one-letter flags."""
    size = option(argv, k)
    paths = [Path(value) if (value := option(argv, flag)) else None for flag in (tmp, tmp2)]
    final = option(argv, final_dir)
    return Recognised(
        k=int(size) if size and size.isdigit() else None,
        tmp=paths[0],
        tmp2=paths[1],
        final_dir=Path(final) if final else None,
    )


def with_v1_sizes(read: Recognised) -> Recognised:
    """With the sizes that chiapos needs for its k: 32 where the command line does not tell."""
    return replace(read, sizes=v1_sizes(read.k or 32))
