"""What commands open: the settings file, the plugins, the store."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from plotrun.manager import Plugins, load_plugins
from plotrun.settings.locate import locate
from plotrun.settings.problems import SettingsError
from plotrun.settings.toml_file import blocked_plugins, log_dir_of, state_dir_of

if TYPE_CHECKING:
    from plotrun.settings.schema import Schema
    from plotrun.settings.settings import Settings


@dataclass(frozen=True)
class Opened:
    """A settings file with its plugins."""

    settings: Settings
    plugins: Plugins
    schema: Schema


def open_settings(given: str | None) -> Opened:
    """Find, load and check the settings.

    Raises:
        SettingsError: all that is wrong with them.
    """
    from plotrun.settings.load import load_settings

    file = locate(given)
    plugins = load_plugins(blocked_plugins(file))
    schema = plugins.schema()
    return Opened(load_settings(file, schema), plugins, schema)


def read_settings(given: str | None) -> Settings:
    """The settings, for a command of a plugin: *given* is what ``click.pass_obj`` hands it.

    Raises:
        SettingsError: all that is wrong with them; the command line tells it.
    """
    return open_settings(given).settings


def load_plugins_quietly(given: str | None) -> Plugins:
    """The plugins, whatever the settings file looks like or whether there is one."""
    blocked: frozenset[str] = frozenset()
    with contextlib.suppress(SettingsError):
        blocked = blocked_plugins(locate(given))
    return load_plugins(blocked)


def state_dir(given: str | None) -> Path:
    """The state directory that the settings name.

    Raises:
        SettingsError: the settings cannot be read.
    """
    return state_dir_of(locate(given))


def log_dir(given: str | None) -> Path:
    """The directory of the logs, as the settings say.

    Raises:
        SettingsError: the settings cannot be read.
    """
    return log_dir_of(locate(given))
