"""BladeBit's command line: written for a job, and read back from a process.

``bladebit [global options] MODE [options of the mode] DIRECTORY…`` (source of versions 2.0 to
3.1). In the first part a value follows these options, in the second part those of its mode.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path, PurePath, PureWindowsPath

from plotrun import Recognised, Run
from plotrun_bladebit.keys import CUDA, DISK, RAM, BladebitKeys, K

_PROGRAM = re.compile(r"bladebit(_cuda)?(\.exe)?", re.IGNORECASE)
_GLOBAL_WITH_VALUE = re.compile(
    "-[tnfpci]|--(threads|count|farmer-key|pool-key|pool-contract|plot-id|memo)"
)
_COMPRESSION = ("-z", "--compress")
"""Its value may be left out."""
_MODE_WITH_VALUE = re.compile(
    "-(b|t1|t2|d)|--(buckets|temp1|temp2|cache|(f1|fp|c|p2|p3)-threads|device|check|check-threshold)"
)
_UNITS = ((2**30, "G"), (2**20, "M"), (2**10, "K"))


def arguments(run: Run) -> list[str]:
    """The arguments that follow the command."""
    keys = run.job.keys(BladebitKeys)
    words = ["-n", run.plots, *_value("-t", keys.threads), "-f", keys.farmer_public_key]
    if keys.pool_contract_address:
        words += ["-c", keys.pool_contract_address]
    else:
        words += ["-p", keys.pool_public_key]
    words += _value("-z", keys.compression or None)
    words += [] if keys.numa else ["--no-numa"]
    words += [] if keys.pin_threads else ["--no-cpu-affinity"]
    words += ["-w"] if keys.warm_start else []
    words += [] if keys.direct_io else ["--no-direct-io"]
    words += [keys.mode]
    words += _disk_options(keys) if keys.mode == DISK else []
    words += _cuda_options(keys) if keys.mode == CUDA else []
    words += _directories(keys, run)
    return [str(word) for word in [*words, run.final_dir]]


def _disk_options(keys: BladebitKeys) -> list[object]:
    words: list[object] = ["-b", keys.buckets]
    words += ["-a"] if keys.alternate else []
    words += [] if keys.cache is None else ["--cache", size_argument(keys.cache)]
    for flag, threads in (
        ("--f1-threads", keys.f1_threads),
        ("--fp-threads", keys.fp_threads),
        ("--c-threads", keys.c_threads),
        ("--p2-threads", keys.p2_threads),
        ("--p3-threads", keys.p3_threads),
    ):
        words += _value(flag, threads)
    return words


def _cuda_options(keys: BladebitKeys) -> list[object]:
    words = _value("-d", keys.device)
    words += ["--disk-128"] if keys.disk_128 else []
    words += ["--disk-16"] if keys.disk_16 else []
    words += _value("--check", keys.check_proofs)
    words += _value("--check-threshold", keys.check_threshold)
    return words


def _directories(keys: BladebitKeys, run: Run) -> list[object]:
    if keys.mode == RAM or (keys.mode == CUDA and not (keys.disk_128 or keys.disk_16)):
        return []  # all of it in memory
    words: list[object] = [] if keys.tmp_direct_io else ["--no-t1-direct"]
    words += [] if keys.tmp2_direct_io else ["--no-t2-direct"]
    words += ["-t1", run.tmp_dir]
    return words + _value("-t2", run.tmp2_dir)


def _value(flag: str, value: object) -> list[object]:
    return [] if value is None else [flag, value]


def size_argument(size: int) -> str:
    """Bytes as BladeBit reads them: "32G" is 32 GiB, and it knows no fractions."""
    for factor, unit in _UNITS:
        if size and size % factor == 0:
            return f"{size // factor}{unit}"
    return str(size)


def recognise(argv: Sequence[str]) -> Recognised | None:
    """What a plotting process says; None for any other, as ``bladebit check PLOT``."""
    if not argv or not _PROGRAM.fullmatch(_name(argv[0])):
        return None
    words = list(argv[1:])
    while words and words[0] not in (RAM, DISK, CUDA):
        word = words.pop(0)
        takes = _GLOBAL_WITH_VALUE.fullmatch(word) or (
            word in _COMPRESSION and bool(words) and words[0].isdigit()
        )
        if takes and words:
            words.pop(0)
        elif not word.startswith("-"):
            return None  # another command
    if not words:
        return None
    return _of_mode(words[1:])


def _of_mode(words: list[str]) -> Recognised:
    given: dict[str, str] = {}
    while words and words[0].startswith("-"):
        word = words.pop(0)
        if _MODE_WITH_VALUE.fullmatch(word) and words:
            given[word] = words.pop(0)
    tmp = given.get("-t1") or given.get("--temp1")
    tmp2 = given.get("-t2") or given.get("--temp2")
    return Recognised(
        k=K,
        tmp=Path(tmp) if tmp else None,
        tmp2=Path(tmp2) if tmp2 else None,
        final_dir=Path(words[0]) if words else None,
    )


def _name(program: str) -> str:
    if program.lower().endswith(".exe"):
        return PureWindowsPath(program).name
    return PurePath(program).name
