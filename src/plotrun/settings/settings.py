"""Settings as they are used: read, checked, with all defaults filled in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from plotrun.model import Job
from plotrun.settings.locate import default_state_dir
from plotrun.settings.problems import Problem
from plotrun.settings.schema import GeneralKeys

T = TypeVar("T")


@dataclass(frozen=True)
class Source:
    """Where a value of a job comes from."""

    value: Any
    place: str
    """ "default", or the table of the settings file: ``[defaults.chia]``."""
    line: int | None = None


@dataclass(frozen=True)
class Settings:
    """A settings file, read and checked."""

    file: Path
    general: GeneralKeys
    jobs: tuple[Job, ...]
    blocked: frozenset[str] = frozenset()
    sources: Mapping[str, Mapping[str, Source]] = field(default_factory=dict, repr=False)
    """For each job, where the value of each key comes from."""
    sections: Mapping[type, Any] = field(default_factory=dict, repr=False)
    warnings: tuple[Problem, ...] = ()
    """What may be wrong with it, though it can be used."""
    written: Mapping[str, Any] = field(default_factory=dict, repr=False)
    """The tables of the file as they are written."""

    @property
    def state_dir(self) -> Path:
        """Where state is kept."""
        return self.general.state_dir or default_state_dir()

    @property
    def log_dir(self) -> Path:
        """Where logs go."""
        return self.general.log_dir or self.state_dir / "logs"

    def state_of(self, plugin: str) -> Path:
        """Where a plugin may keep what is its own: a directory, which it makes when it needs it."""
        return self.state_dir / "plugins" / plugin

    @property
    def directories(self) -> tuple[Path, ...]:
        """Every directory that jobs name, each once."""
        found = (path for job in self.jobs for path in (*job.tmp, *job.tmp2, *job.dst))
        return tuple(dict.fromkeys(found))

    def section(self, model: type[T]) -> T:
        """The values of ``[plugins.<name>]`` for a plugin's *model*.

        Raises:
            KeyError: no loaded plugin brought *model*.
        """
        value = self.sections[model]
        assert isinstance(value, model)
        return value

    def job(self, name: str) -> Job | None:
        """The job of this name, if there is one."""
        return next((job for job in self.jobs if job.name == name), None)
