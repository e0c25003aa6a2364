"""The plotter ``bladebit``."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, ClassVar

from plotrun import (
    Fact,
    Job,
    KeyProblem,
    PlotComplete,
    Plotter,
    Progress,
    Recognised,
    Rule,
    Run,
    Sizes,
    v1_plot_bytes,
)
from plotrun_bladebit import command_line, log
from plotrun_bladebit.keys import CUDA, DISK, RAM, BladebitKeys, problems

GIB = 2**30
COMPRESSED_GIB = {1: 87.5, 2: 86.0, 3: 84.5, 4: 82.9, 5: 81.3, 6: 79.6, 7: 78.0, 9: 75.2}
"""GiB of a plot of k=32 by compression level: docs.chia.net, "Choosing a compression level"."""
DISK_TMP_GIB, DISK_TMP2_GIB, DISK_TMP2_ALTERNATE_GIB = 288, 192, 102
"""GiB of diskplot. Its README: 480 in all, 390 with --alternate; its help: a cache of 192 holds
all that tmp2 gets otherwise."""
CUDA_128_GIB, CUDA_16_GIB = 192, 352
"""GiB of cudaplot with --disk-128 and --disk-16, not measured. Upper estimates from the source:
six tables of 24 or 32 and a buffer; --disk-16 adds two buffers of 80 for what passes between
tables."""


RAM_GIB = 416
"""GiB of memory that ramplot takes for k=32 (its README)."""


class BladebitPlotter(Plotter):
    """``bladebit`` and ``bladebit_cuda``, from version 2.0 on.

    No signal is known on which it ends after the plot under way. A file named ``….plot.tmp`` is
    never taken for whole: its table of contents is written last, just before it is renamed.
    """

    name: ClassVar[str] = "bladebit"
    keys: ClassVar[type] = BladebitKeys
    default_command: ClassVar[str] = "bladebit"
    rules: ClassVar[Sequence[Rule]] = log.BLADEBIT_LOG
    has_tmp2: ClassVar[bool] = True
    several_plots: ClassVar[bool] = True
    size_keys: ClassVar[tuple[str, ...]] = ("k", "compression")
    phase_shares: ClassVar[tuple[float, ...]] = log.PHASE_SHARES

    def arguments(self, run: Run) -> list[str]:
        """The mode, its options, and one output directory."""
        return command_line.arguments(run)

    def sizes(self, job: Job) -> Sizes:
        """Finished bytes by compression level, temporary bytes by mode.

        A plot that is made in memory needs just the room that it grows in.
        """
        keys = job.keys(BladebitKeys)
        plot = v1_plot_bytes(keys.k)
        if keys.compression:
            plot = int(COMPRESSED_GIB[keys.compression] * GIB)
        tmp, tmp2 = _tmp_bytes(keys)
        apart = (max(plot, tmp), tmp2) if keys.mode == DISK else None
        return Sizes(plot, max(plot, tmp + tmp2), apart, _memory(keys))

    def check(self, values: Any) -> Iterable[KeyProblem]:
        """Options of another mode, and what BladeBit refuses."""
        return problems(values)

    def fraction(self, phase: int, step: int) -> float | None:
        """By the usual share of each phase and the tables in it."""
        return log.fraction(phase, step)

    def advance(self, progress: Progress, facts: Sequence[Fact]) -> Progress:
        """The progress after *facts*; a plot that is complete is not counted twice."""
        for fact in facts:
            of_this_plot = isinstance(fact, PlotComplete) and (
                fact.plot_id in (None, progress.plot_id)
            )
            if not (of_this_plot and progress.fraction >= 1.0):
                progress = super().advance(progress, [fact])
        return progress

    def recognise(self, argv: Sequence[str]) -> Recognised | None:
        """A plotting process of ``bladebit`` or ``bladebit_cuda``."""
        return command_line.recognise(argv)

    def version_command(self, command: str) -> str | None:
        """``bladebit --version``."""
        return f"{command} --version"


def _tmp_bytes(keys: BladebitKeys) -> tuple[int, int]:
    """In tmp and in tmp2; of cudaplot it is not known what it puts where."""
    if keys.mode == DISK:
        tmp2 = (DISK_TMP2_ALTERNATE_GIB if keys.alternate else DISK_TMP2_GIB) * GIB
        return DISK_TMP_GIB * GIB, max(0, tmp2 - (keys.cache or 0))
    if keys.mode == CUDA and (keys.disk_128 or keys.disk_16):
        return (CUDA_16_GIB if keys.disk_16 else CUDA_128_GIB) * GIB, 0
    return 0, 0


def _memory(keys: BladebitKeys) -> int | None:
    """Of cudaplot it is only known which machines suffice, not how much it takes of them."""
    if keys.mode == RAM:
        return RAM_GIB * GIB
    return keys.cache if keys.mode == DISK else None
