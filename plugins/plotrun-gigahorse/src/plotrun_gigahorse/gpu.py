"""Gigahorse's GPU plotters: ``cuda_plot_k26`` to ``cuda_plot_k34``, one program for each k."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import PurePath
from typing import Annotated, Any, ClassVar

from annotated_types import Ge, Gt, Le

from plotrun import (
    MADMAX_FINISHED,
    MADMAX_LOG,
    Bytes,
    FinishedLog,
    Help,
    Job,
    KeyProblem,
    OwnerKeys,
    Plotter,
    Recognised,
    Rule,
    Run,
    Sizes,
    StepStarted,
    Trouble,
    log_words,
    one_pool,
    recognised,
    slashed,
)
from plotrun_gigahorse.sizes import plot_bytes

ENDLESS = -1
PARTIAL_RAM_BYTES = 180 * 2**30
"""Temporary bytes at k=32 with a second directory: 150 to 180 GiB (manual)."""
_TROUBLES = (
    rb"(?:All destinations are busy or full|Failed drive: |Fatal error|CUDA error"
    rb"|Rename to [^\n]* failed with|Closing plot file failed with)[^\n]*"
)
"""It waits and tries again, for ever, but for the errors."""
_P3_STEPS = {b"PDSK": 1, b"LPSK": 2, b"NSK": 3}


@dataclass(frozen=True, kw_only=True)
class GigahorseGpuKeys(OwnerKeys):
    """The keys of a job that the plotter ``gigahorse-gpu`` reads."""

    k: Annotated[int, Ge(18), Le(34), Help("Size of the plot: cuda_plot_k<k> is run.")] = 32
    compression: Annotated[int, Ge(0), Le(40), Help("Compression level: -C.")] = 7
    gpu: Annotated[int, Ge(0), Help("Number of the GPU, or of the first of several: -g.")] = 0
    gpus: Annotated[int, Ge(1), Help("How many GPUs make one plot: -r.")] = 1
    streams: Annotated[int | None, Ge(2), Help("Parallel streams; fewer take less VRAM: -S.")] = (
        None
    )
    chunk: Annotated[int | None, Ge(1), Le(256), Help("Chunk of a bucket in MiB: -B.")] = None
    memory: Annotated[
        Bytes | None, Gt(0), Help('Most memory that it shares with the GPU, such as "128GiB": -M.')
    ] = None
    disk_mode: Annotated[
        bool, Help("true: tmp2 takes most of the work (-3); false: part of it (-2).")
    ] = False
    max_cached: Annotated[int | None, Ge(1), Help("Most finished plots in tmp: -Q.")] = None
    max_copies: Annotated[
        int | None, Ge(1), Help('Most copies at a time, with deliver = "plotter": -A.')
    ] = None
    max_copies_per_dst: Annotated[
        int | None, Ge(1), Help('Most copies to one dst, with deliver = "plotter": -W.')
    ] = None
    wait_for_copy: Annotated[
        bool, Help("true: wait for the copy of a plot before the next one begins.")
    ] = False
    unique: Annotated[bool, Help("true: one plot id for one contract and size (MMX).")] = False
    network_port: Annotated[
        int, Ge(1), Le(65535), Help("Network: 8444 is Chia's, 11337 is MMX's.")
    ] = 8444


class GigahorseGpuPlotter(Plotter):
    """``cuda_plot_k<k>``: one process for many plots, since the first one takes longest."""

    name: ClassVar[str] = "gigahorse-gpu"
    keys: ClassVar[type] = GigahorseGpuKeys
    default_command: ClassVar[str] = "cuda_plot_k32"
    rules: ClassVar[Sequence[Rule]] = (
        Rule(rb"\[P2\] Table ([2-7]) took", lambda m: StepStarted(8 - int(m[1]))),
        Rule(
            rb"\[P3\] Table ([2-7]) (PDSK|LPSK|NSK) took",
            lambda m: StepStarted(3 * (int(m[1]) - 2) + _P3_STEPS[m[2]]),
        ),
        Rule(_TROUBLES, lambda m: Trouble(log_words(m[0]))),
        *MADMAX_LOG,
    )
    finished_log: ClassVar[FinishedLog | None] = MADMAX_FINISHED
    has_tmp2: ClassVar[bool] = True
    several_plots: ClassVar[bool] = True
    endless: ClassVar[bool] = True
    usual_plots: ClassVar[int] = 0
    finish_signal: ClassVar[str | None] = "SIGINT"
    chooses_dst: ClassVar[bool] = True
    size_keys: ClassVar[tuple[str, ...]] = ("k", "compression")
    phase_shares: ClassVar[tuple[float, ...]] = (0.46, 0.08, 0.42, 0.04)
    phase_steps: ClassVar[tuple[int, ...]] = (7, 6, 18, 1)

    def command(self, job: Job) -> str:
        """The program for the job's k."""
        return job.command or f"cuda_plot_k{job.keys(GigahorseGpuKeys).k}"

    def arguments(self, run: Run) -> list[str]:
        """The arguments of cuda_plot; directories end in a slash, or it refuses them."""
        keys = run.job.keys(GigahorseGpuKeys)
        words: list[object] = ["-C", keys.compression, "-n", run.plots or ENDLESS]
        words += ["-g", keys.gpu, "-r", keys.gpus, "-x", keys.network_port]
        words += ["-t", slashed(run.tmp_dir)]
        if run.tmp2_dir:
            words += ["-3" if keys.disk_mode else "-2", slashed(run.tmp2_dir)]
        for directory in (run.final_dir, *run.more_final_dirs):
            words += ["-d", slashed(directory)]
        for flag, value in (
            ("-S", keys.streams),
            ("-B", keys.chunk),
            ("-M", keys.memory and f"{keys.memory / 2**30:g}"),
            ("-Q", keys.max_cached),
            ("-A", keys.max_copies),
            ("-W", keys.max_copies_per_dst),
            ("-f", keys.farmer_public_key),
            ("-c", keys.pool_contract_address),
            ("-p", keys.pool_public_key),
        ):
            words += [] if value is None else [flag, value]
        words += ["-w"] if keys.wait_for_copy else []
        words += ["-Z"] if keys.unique else []
        return [str(word) for word in words]

    def sizes(self, job: Job) -> Sizes:
        """tmp holds the plot, tmp2 the work.

        How much memory it takes is not known: only of which machines it is said to suffice.
        """
        keys = job.keys(GigahorseGpuKeys)
        plot = plot_bytes(keys.k, keys.compression)
        work = int(PARTIAL_RAM_BYTES * 2.0 ** (keys.k - 32)) if job.tmp2 else 0
        return Sizes(plot, plot + work, (plot, work))

    def copy_blocks(self, job: Job) -> bool:
        """Only if it was told to wait for the copy."""
        return job.keys(GigahorseGpuKeys).wait_for_copy

    def check(self, values: Any) -> Iterable[KeyProblem]:
        """A plot belongs to a pool key or to a contract: one of them must be given."""
        yield from one_pool(values)
        if values.gpus & (values.gpus - 1):
            yield KeyProblem("gpus", "a power of two")

    def recognise(self, argv: Sequence[str]) -> Recognised | None:
        """A process of ``cuda_plot_k32`` or another k."""
        program = argv and re.fullmatch(r"cuda_plot_k(\d+)(\.exe)?", PurePath(argv[0]).name)
        if not program:
            return None
        read = recognised(argv[1:], "-k", "-t", "-2", "-d")
        second = recognised(argv[1:], "-k", "-t", "-3", "-d").tmp2
        return Recognised(int(program[1]), read.tmp, read.tmp2 or second, read.final_dir)
