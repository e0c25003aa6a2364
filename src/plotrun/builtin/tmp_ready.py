"""Which tmp directories are ready: those whose workers are, all but a few, far enough."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from annotated_types import Ge

from plotrun import (
    Candidate,
    Help,
    SettingsSection,
    Worker,
    Written,
    by_directory,
    hookimpl,
)

if TYPE_CHECKING:
    from plotrun import Settings


def read_position(value: Any) -> tuple[int, int]:
    """Phase and step of "2:1", or of "2", which is its beginning.

    Raises:
        ValueError: it is neither.
    """
    if not isinstance(value, str):
        raise ValueError("it is not text")
    match = re.fullmatch(r"([0-9]{1,3})(?::([0-9]{1,3}))?", value)
    if match is None:
        raise ValueError("it cannot be read")
    phase, step = int(match[1]), int(match[2] or 0)
    if (phase, step) <= (1, 0):
        raise ValueError("no worker is before that")
    return phase, step


Position = Annotated[
    tuple[int, int],
    Written(read_position, 'a phase and step such as "2:1", or "3"', {"type": "string"}),
]


@dataclass(frozen=True)
class OfDirectory:
    """``[plugins.tmp_ready.tmp."/some/directory"]``."""

    phase: Annotated[Position | None, Help("As for all directories.")] = None
    workers: Annotated[int | None, Ge(1), Help("As for all directories.")] = None


@dataclass(frozen=True)
class TmpReadySettings:
    """``[plugins.tmp_ready]``."""

    phase: Annotated[
        Position | None,
        Help(
            "A tmp directory is ready for the next worker while fewer than `workers` of its "
            "plotters are before this phase and step. Default: it always is."
        ),
    ] = None
    workers: Annotated[
        int, Ge(1), Help("So many before it make the directory not ready: see `phase`.")
    ] = 1
    tmp: Annotated[
        Annotated[Mapping[Path, OfDirectory], by_directory(OfDirectory)] | None,
        Help(
            "Other values for single tmp directories: a table for each, such as "
            '`[plugins.tmp_ready.tmp."/mnt/nvme0"]`, with `phase`, `workers` or both.'
        ),
    ] = None


@hookimpl
def plotrun_settings() -> SettingsSection:
    """What the settings may say of readiness."""
    return SettingsSection("tmp_ready", TmpReadySettings)


@hookimpl
def plotrun_filter_tmp(
    second: bool, candidates: Sequence[Candidate], workers: Sequence[Worker], settings: Settings
) -> dict[Path, str]:
    """Leave out the directories that are not ready; second ones always are."""
    if second:
        return {}
    wanted = settings.section(TmpReadySettings)
    reasons = {candidate.path: _reason(candidate.path, workers, wanted) for candidate in candidates}
    return {path: reason for path, reason in reasons.items() if reason is not None}


def _reason(directory: Path, workers: Sequence[Worker], wanted: TmpReadySettings) -> str | None:
    own = (wanted.tmp or {}).get(directory, OfDirectory())
    phase, limit = own.phase or wanted.phase, own.workers or wanted.workers
    if phase is None:
        return None
    here = [worker for worker in workers if worker.occupies_slot and worker.plots_in(directory)]
    before = sum(worker.position < phase for worker in here)
    if before < limit:
        return None
    return f"not ready, {before} of {limit} before phase {phase[0]}:{phase[1]}"
