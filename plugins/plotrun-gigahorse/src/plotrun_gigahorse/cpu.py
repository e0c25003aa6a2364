"""Gigahorse's CPU plotter: MadMax's ``chia_plot`` with ``-C``."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Annotated, ClassVar

from annotated_types import Ge, Le

from plotrun import Help, Job, MadMaxKeys, MadMaxPlotter, Recognised, Run, Sizes
from plotrun_gigahorse.sizes import plot_bytes


@dataclass(frozen=True, kw_only=True)
class GigahorseCpuKeys(MadMaxKeys):
    """The keys of a job that the plotter ``gigahorse-cpu`` reads."""

    compression: Annotated[int, Ge(1), Le(40), Help("Compression level: -C.")] = 1


class GigahorseCpuPlotter(MadMaxPlotter):
    """``chia_plot -C``: the lines, files and troubles of MadMax's, and its options."""

    name: ClassVar[str] = "gigahorse-cpu"
    keys: ClassVar[type] = GigahorseCpuKeys
    size_keys: ClassVar[tuple[str, ...]] = ("k", "compression")

    def arguments(self, run: Run) -> list[str]:
        """MadMax's arguments and the compression level."""
        level = run.job.keys(GigahorseCpuKeys).compression
        return [*super().arguments(run), "-C", str(level)]

    def sizes(self, job: Job) -> Sizes:
        """The finished plot by k and level; temporary space as if it were not compressed."""
        keys = job.keys(GigahorseCpuKeys)
        plain = super().sizes(job)
        return replace(plain, plot=plot_bytes(keys.k, keys.compression))

    def recognise(self, argv: Sequence[str]) -> Recognised | None:
        """A process of ``chia_plot`` that was given a compression level."""
        compressed = any(word.startswith(("-C", "--level")) for word in argv)
        return super().recognise(argv) if compressed else None
