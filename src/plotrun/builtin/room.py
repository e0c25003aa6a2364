"""A worker starts only where there is room for all that it takes at its highest: tmp and memory."""

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
    Memory,
    SettingsSection,
    by_directory,
    hookimpl,
    size_words,
)

if TYPE_CHECKING:
    from plotrun import Settings


@dataclass(frozen=True)
class OfDirectory:
    """``[plugins.room.tmp."/some/directory"]``."""

    margin: Annotated[Bytes | None, Help("As tmp_margin.")] = None


@dataclass(frozen=True)
class RoomSettings:
    """``[plugins.room]``."""

    tmp_margin: Annotated[
        Bytes,
        Help(
            "So much of a tmp directory's file system stays free, beside what running plotters "
            "will still take and the new one needs. The same for tmp2."
        ),
    ] = 0
    memory_margin: Annotated[
        Bytes,
        Help(
            "So much memory stays free beside what plotters take, as far as they tell: chia's "
            "buffer, and what BladeBit holds in memory."
        ),
    ] = 2**29
    tmp: Annotated[
        Annotated[Mapping[Path, OfDirectory], by_directory(OfDirectory)] | None,
        Help(
            "Other margins for single tmp directories: a table for each, such as "
            '`[plugins.room.tmp."/mnt/nvme0"]`, with `margin`.'
        ),
    ] = None


@dataclass(frozen=True)
class RoomJobKeys:
    """The keys added to every job."""

    check_room: Annotated[
        bool, Help("false: start workers without asking for room in tmp and in memory.")
    ] = True


@hookimpl
def plotrun_settings() -> SettingsSection:
    """What the settings may say of room."""
    return SettingsSection("room", RoomSettings, RoomJobKeys)


@hookimpl
def plotrun_hold(job: Job, memory: Memory | None, settings: Settings) -> str | None:
    """Hold the start while there is too little memory."""
    if memory is None or memory.needed is None or not job.keys(RoomJobKeys).check_room:
        return None
    margin = settings.section(RoomSettings).memory_margin
    if memory.available - memory.expected - margin >= memory.needed:
        return None
    words = _words(memory.available, memory.needed, 0, memory.expected, memory.takers, margin)
    return f"memory: {words}"


@hookimpl
def plotrun_filter_tmp(
    job: Job, candidates: Sequence[Candidate], settings: Settings
) -> dict[Path, str]:
    """Leave out the directories without room for one more worker."""
    if not job.keys(RoomJobKeys).check_room:
        return {}
    wanted, found = settings.section(RoomSettings), {}
    for each in candidates:
        own = (wanted.tmp or {}).get(each.path, OfDirectory()).margin
        margin = wanted.tmp_margin if own is None else own
        free = each.free or 0
        if free - each.promised - each.expected - margin < each.needed:
            found[each.path] = _words(
                free, each.needed, each.promised, each.expected, each.takers, margin
            )
    return found


def _words(free: int, needed: int, promised: int, expected: int, takers: int, margin: int) -> str:
    words = [f"{size_words(free)} free", f"{size_words(needed)} needed"]
    if promised:
        words.append(f"{size_words(promised)} promised to plots on their way")
    if expected:
        workers = "1 worker" if takers == 1 else f"{takers} workers"
        words.append(f"{size_words(expected)} still to be taken by {workers}")
    if margin:
        words.append(f"{size_words(margin)} to stay free")
    return f"{', '.join(words[:-1])} and {words[-1]}"
