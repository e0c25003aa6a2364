"""Leaves out destinations without room for the plot, plots on their way counted."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from plotrun import Candidate, hookimpl, size_words


@hookimpl
def plotrun_filter_dst(needed: int, candidates: Sequence[Candidate]) -> dict[Path, str]:
    """Reject what is full."""
    return {
        candidate.path: _reason(candidate, needed)
        for candidate in candidates
        if candidate.room < needed
    }


def _reason(candidate: Candidate, needed: int) -> str:
    promised = f", {size_words(candidate.promised)} promised" if candidate.promised else ""
    return f"full ({size_words(candidate.free or 0)} free{promised}, {size_words(needed)} needed)"
