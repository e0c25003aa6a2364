"""Directories in turn: the one whose last use is longest ago.

After a restart it goes on where it was: the uses are in the store.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from plotrun import Candidate, hookimpl


@hookimpl(trylast=True)
def plotrun_choose_tmp(candidates: Sequence[Candidate]) -> Path:
    """Temporary directories in turn, unless something else chooses."""
    return _longest_ago(candidates)


@hookimpl(trylast=True)
def plotrun_choose_dst(candidates: Sequence[Candidate]) -> Path:
    """Destinations in turn, unless something else chooses."""
    return _longest_ago(candidates)


def _longest_ago(candidates: Sequence[Candidate]) -> Path:
    return min(candidates, key=lambda candidate: (candidate.last_used, candidate.position)).path
