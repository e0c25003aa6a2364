"""Settings whose directories lie below another one: a simulation touches none of the user's."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from plotrun.settings.settings import Settings


def moved_path(path: Path, root: Path) -> Path:
    """*path* as it is called below *root*."""
    return root / path.relative_to(path.anchor)


def moved_settings(settings: Settings, root: Path) -> Settings:
    """*settings* with every directory in them below *root*, and state and logs there as well."""
    file = root / "settings.toml"
    file.touch()  # the runner looks whether it changes
    general = dataclasses.replace(
        settings.general, state_dir=root / "state", log_dir=root / "state" / "logs"
    )
    return dataclasses.replace(
        settings,
        file=file,
        general=general,
        jobs=tuple(_moved(job, root) for job in settings.jobs),
        sections=_moved(settings.sections, root),
    )


def _moved(value: Any, root: Path) -> Any:
    if isinstance(value, Path):
        return moved_path(value, root)
    if isinstance(value, tuple):
        return tuple(_moved(item, root) for item in value)
    if isinstance(value, Mapping):
        return {_moved(key, root): _moved(item, root) for key, item in value.items()}
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        fields = {f.name: _moved(getattr(value, f.name), root) for f in dataclasses.fields(value)}
        return dataclasses.replace(value, **fields)
    return value
