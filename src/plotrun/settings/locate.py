"""Finding the settings file, and the directories that plotrun uses without one."""

from __future__ import annotations

import os
from pathlib import Path

FILE_NAME = "settings.toml"
ENVIRONMENT = "PLOTRUN_SETTINGS"


def user_settings() -> Path:
    """The settings file in the user's configuration directory."""
    import platformdirs

    return platformdirs.user_config_path("plotrun") / FILE_NAME


def default_state_dir() -> Path:
    """Where state is kept unless the settings say otherwise."""
    import platformdirs

    return platformdirs.user_state_path("plotrun")


def locate(given: str | None) -> Path:
    """The settings file to use: *given*, ``$PLOTRUN_SETTINGS``, ``./settings.toml``, the user's.

    The first that is named or exists; the user's own, which need not exist, if there is none.
    """
    named = named_settings(given)
    if named is not None:
        return named
    local = Path.cwd() / FILE_NAME
    return local if local.exists() else user_settings()


def named_settings(given: str | None) -> Path | None:
    """The settings file that the user names: *given* or ``$PLOTRUN_SETTINGS``."""
    named = given or os.environ.get(ENVIRONMENT)
    return Path(named).expanduser().absolute() if named else None
