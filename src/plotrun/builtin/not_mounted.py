"""Keeps plots off directories whose disk is not mounted: below them lies another disk."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from plotrun import AbsolutePaths, Candidate, Help, Job, SettingsSection, hookimpl

if TYPE_CHECKING:
    from plotrun import Settings


@dataclass(frozen=True)
class NotMountedSettings:
    """``[plugins.not_mounted]``."""

    mount_points: Annotated[
        AbsolutePaths | None,
        Help(
            "Directories on which disks are mounted: while nothing is mounted on one, nothing is "
            "written to it or below it, by plotrun or by plotters."
        ),
    ] = None


@dataclass(frozen=True)
class NotMountedJobKeys:
    """The keys added to every job."""

    must_be_mount: Annotated[
        bool,
        Help(
            "true: tmp, tmp2 and dst are written to only while they lie on another file system "
            "than `/`: at or below a mount point."
        ),
    ] = False


@hookimpl
def plotrun_settings() -> SettingsSection:
    """What the settings may say of mounts."""
    return SettingsSection("not_mounted", NotMountedSettings, NotMountedJobKeys)


@hookimpl
def plotrun_filter_tmp(
    job: Job, candidates: Sequence[Candidate], settings: Settings
) -> dict[Path, str]:
    """Leave out temporary directories whose disk is not mounted."""
    return _not_mounted(job, candidates, settings)


@hookimpl
def plotrun_filter_dst(
    job: Job, candidates: Sequence[Candidate], settings: Settings
) -> dict[Path, str]:
    """Leave out destinations whose disk is not mounted."""
    return _not_mounted(job, candidates, settings)


def _not_mounted(job: Job, candidates: Sequence[Candidate], settings: Settings) -> dict[Path, str]:
    points = settings.section(NotMountedSettings).mount_points or ()
    must = job.keys(NotMountedJobKeys).must_be_mount
    found = {}
    for each in candidates:
        above = [point for point in points if each.path.is_relative_to(point)]
        missing = next((p for p in above if each.mount is None or not _at_or_below(each, p)), None)
        if missing is not None:
            found[each.path] = f"not mounted: nothing is mounted on {missing}"
        elif must and (each.mount is None or each.mount == Path(each.mount.anchor)):
            found[each.path] = "not mounted: it lies on the disk of / (must_be_mount)"
    return found


def _at_or_below(candidate: Candidate, point: Path) -> bool:
    return candidate.mount is not None and candidate.mount.is_relative_to(point)
