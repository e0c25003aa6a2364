"""The keys of a job with ``plotter = "bladebit"``, and which of them belong to which mode."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields
from typing import Annotated, Literal

from annotated_types import Ge, Le

from plotrun import (
    Bytes,
    Help,
    KeyProblem,
    OwnerKeys,
    one_pool,
)

DISK, CUDA, RAM = "diskplot", "cudaplot", "ramplot"
K = 32
"""The only size that BladeBit makes."""
BUCKETS = (64, 128, 256, 512)
"""The numbers that diskplot takes for k=32."""
Threads = Annotated[int | None, Ge(1), Le(1024)]


@dataclass(frozen=True, kw_only=True)
class BladebitKeys(OwnerKeys):
    """The keys of a job that the plotter ``bladebit`` reads."""

    mode: Annotated[
        Literal["ramplot", "diskplot", "cudaplot"],
        Help(
            "ramplot: in 416 GiB of memory. diskplot: on disk. cudaplot: on a graphics card "
            '(set command = "bladebit_cuda").'
        ),
    ] = "diskplot"
    k: Annotated[int, Ge(1), Help("Size of the plot: BladeBit makes 32 only.")] = 32
    compression: Annotated[
        int, Ge(0), Le(9), Help("Compression level, 0 to 7 or 9; 0: not compressed.")
    ] = 0
    threads: Annotated[Threads, Help("Number of threads. Default: all of the machine's.")] = None
    numa: Annotated[bool, Help("false: do not spread memory over the nodes (NUMA).")] = True
    pin_threads: Annotated[bool, Help("false: do not bind threads to processors.")] = True
    warm_start: Annotated[bool, Help("true: touch all memory before the first plot.")] = False
    direct_io: Annotated[
        bool,
        Help("false: write plots through the system's cache, where a disk needs that (tmpfs)."),
    ] = True

    buckets: Annotated[
        int, Ge(64), Le(512), Help("diskplot: number of buckets, 64, 128, 256 or 512.")
    ] = 256
    cache: Annotated[
        Bytes | None, Help('diskplot: memory for tmp2\'s files, as "100GiB". 192GiB hold all.')
    ] = None
    alternate: Annotated[
        bool, Help("diskplot, true: tmp2 and cache need half as much, and reads are slower.")
    ] = False
    f1_threads: Annotated[Threads, Help("diskplot: threads of table 1. Default: threads.")] = None
    fp_threads: Annotated[Threads, Help("diskplot: threads of tables 2 to 7.")] = None
    c_threads: Annotated[Threads, Help("diskplot: threads of the C tables.")] = None
    p2_threads: Annotated[Threads, Help("diskplot: threads of phase 2.")] = None
    p3_threads: Annotated[Threads, Help("diskplot: threads of phase 3.")] = None

    tmp_direct_io: Annotated[
        bool, Help("diskplot and cudaplot, false: use the system's cache in tmp.")
    ] = True
    tmp2_direct_io: Annotated[
        bool, Help("diskplot and cudaplot, false: use the system's cache in tmp2.")
    ] = True

    device: Annotated[
        int | None, Ge(0), Le(255), Help("cudaplot: number of the graphics card. Default: 0.")
    ] = None
    disk_128: Annotated[
        bool, Help("cudaplot, true: part of the work on disk, for 128 GB of memory.")
    ] = False
    disk_16: Annotated[
        bool, Help("cudaplot, true: most of the work on disk, for 16 GB of memory.")
    ] = False
    check_proofs: Annotated[
        int | None,
        Ge(1),
        Help("cudaplot: proofs that BladeBit looks up in each finished plot. Default: none."),
    ] = None
    check_threshold: Annotated[
        float | None,
        Ge(0),
        Le(1),
        Help("cudaplot: BladeBit deletes a plot with a smaller share of proofs. Default: 0.6."),
    ] = None


MODES_OF_KEYS = {
    **dict.fromkeys(("buckets", "cache", "alternate"), (DISK,)),
    **dict.fromkeys(("f1_threads", "fp_threads", "c_threads", "p2_threads", "p3_threads"), (DISK,)),
    **dict.fromkeys(("tmp_direct_io", "tmp2_direct_io"), (DISK, CUDA)),
    **dict.fromkeys(("device", "disk_128", "disk_16", "check_proofs", "check_threshold"), (CUDA,)),
}
"""The keys that not every mode has, and the modes that have them."""

_DEFAULTS = {field.name: field.default for field in fields(BladebitKeys)}


def problems(keys: BladebitKeys) -> Iterator[KeyProblem]:
    """What BladeBit would refuse, and keys that it would not be told."""
    for key, modes in MODES_OF_KEYS.items():
        if keys.mode not in modes and getattr(keys, key) != _DEFAULTS[key]:
            expected = f"no {key} with mode {keys.mode!r}: it belongs to {' and '.join(modes)}"
            yield KeyProblem(key, expected)
    if keys.k != K:
        yield KeyProblem("k", f"{K}: BladeBit makes no other size")
    if keys.buckets not in BUCKETS:
        yield KeyProblem("buckets", " or ".join(map(str, BUCKETS)))
    yield from _compression_problems(keys)
    if keys.disk_128 and keys.disk_16:
        yield KeyProblem("disk_16", "either disk_128 or disk_16, not both")
    if keys.check_threshold is not None and keys.check_proofs is None:
        yield KeyProblem("check_threshold", "check_proofs beside it: without it nothing is checked")
    yield from one_pool(keys)


def _compression_problems(keys: BladebitKeys) -> Iterator[KeyProblem]:
    if keys.mode == DISK and keys.compression:
        yield KeyProblem("compression", "0 with mode 'diskplot': BladeBit cannot compress there")
    elif keys.compression == 8:
        yield KeyProblem("compression", "0 to 7 or 9: BladeBit has no level 8")
    elif keys.mode == CUDA and (keys.disk_128 or keys.disk_16) and not keys.compression:
        expected = "1 to 7 or 9 with disk_128 or disk_16: there BladeBit makes no other plots"
        yield KeyProblem("compression", expected)
