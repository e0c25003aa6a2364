"""Leaves out destinations without room for the plot, plots on their way counted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from plotrun import (
    Bytes,
    Candidate,
    Help,
    Job,
    SettingsSection,
    by_directory,
    hookimpl,
    size_words,
)

if TYPE_CHECKING:
    from plotrun import Settings


@dataclass(frozen=True)
class OfDirectory:
    """``[plugins.skip_full.dst."/some/directory"]``."""

    min_free: Annotated[Bytes | None, Help("As for all destinations.")] = None


@dataclass(frozen=True)
class SkipFullSettings:
    """``[plugins.skip_full]``."""

    dst: Annotated[
        Annotated[Mapping[Path, OfDirectory], by_directory(OfDirectory)] | None,
        Help(
            "Another min_free for single destinations, whatever the job: a table for each, such "
            'as `[plugins.skip_full.dst."/mnt/disk1"]`, with `min_free`.'
        ),
    ] = None


@dataclass(frozen=True)
class SkipFullJobKeys:
    """The keys added to every job."""

    min_free: Annotated[
        Bytes, Help("So much of each destination's file system stays free of plots.")
    ] = 0


@hookimpl
def plotrun_settings() -> SettingsSection:
    """What the settings may say of full destinations."""
    return SettingsSection("skip_full", SkipFullSettings, SkipFullJobKeys)


@hookimpl
def plotrun_filter_dst(
    job: Job, candidates: Sequence[Candidate], settings: Settings
) -> dict[Path, str]:
    """Reject what is full; a plot that lies on the same file system already needs no room."""
    found, single = {}, settings.section(SkipFullSettings).dst or {}
    for each in candidates:
        own = single.get(each.path, OfDirectory()).min_free
        stays = job.keys(SkipFullJobKeys).min_free if own is None else own
        if each.needed and each.room - stays < each.needed:
            found[each.path] = _reason(each, stays)
    return found


def _reason(candidate: Candidate, stays: int) -> str:
    words = [f"{size_words(candidate.free or 0)} free"]
    if candidate.promised:
        words.append(f"{size_words(candidate.promised)} promised")
    if candidate.expected:
        words.append(f"{size_words(candidate.expected)} still to be taken by plotters")
    if stays:
        words.append(f"{size_words(stays)} to stay free")
    return f"full ({', '.join(words)}, {size_words(candidate.needed)} needed)"
