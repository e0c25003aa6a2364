"""Keeps plots off destinations that the user has marked, as while a disk is being swapped."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from plotrun import Candidate, hookimpl


@hookimpl
def plotrun_filter_dst(candidates: Sequence[Candidate]) -> dict[Path, str]:
    """Leave out directories in which a file such as ``plotrun.skip`` is."""
    return {
        candidate.path: f"marked: {min(candidate.marks)} is in it"
        for candidate in candidates
        if candidate.marks
    }
