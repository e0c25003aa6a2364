"""The settings in force: read anew when their file changes, kept when the new ones are wrong."""

from __future__ import annotations

import logging
from dataclasses import replace
from pathlib import Path

from plotrun.settings.load import load_settings
from plotrun.settings.schema import Schema
from plotrun.settings.settings import Settings

log = logging.getLogger(__name__)


class CurrentSettings:
    """A settings file and what it said when it was right last."""

    def __init__(self, settings: Settings, schema: Schema) -> None:
        self.settings = settings
        self._schema = schema
        self._stamp = _stamp(settings.file)

    @property
    def outdated(self) -> bool:
        """Whether the file has changed since it was read."""
        return _stamp(self.settings.file) != self._stamp

    def read(self) -> Settings:
        """Read the file again; what it says is in force from now on.

        Raises:
            SettingsError: it is wrong; the old settings stay in force.
        """
        self._stamp = _stamp(self.settings.file)
        new = load_settings(self.settings.file, self._schema)
        if new.state_dir != self.settings.state_dir:
            log.warning("state_dir has changed: that takes effect when plotrun starts again")
            new = replace(new, general=replace(new.general, state_dir=self.settings.state_dir))
        self.settings = new
        return new


def _stamp(file: Path) -> tuple[int, int, int] | None:
    """What tells that a file has changed."""
    try:
        status = file.stat()
    except OSError:
        return None
    return status.st_mtime_ns, status.st_size, status.st_ino
