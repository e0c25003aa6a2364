"""Loading plugins and calling their hooks, so that none of them can stop the runner.

The built-in plugins are listed here and nowhere else; others are found by the entry point
group ``plotrun``.
"""

from __future__ import annotations

import importlib
import importlib.metadata
import logging
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Any

import pluggy

from plotrun import hookspecs
from plotrun.model import Candidate
from plotrun.plotter import Plotter
from plotrun.settings.schema import Schema, SettingsSection

BUILT_IN = (
    "alerts",
    "backoff",
    "chia",
    "choose_dst",
    "choose_tmp",
    "commands",
    "hours",
    "limits",
    "madmax",
    "marked",
    "not_mounted",
    "plot_header",
    "replot",
    "room",
    "round_robin",
    "simulation",
    "skip_full",
    "stagger",
    "tmp_ready",
)
GROUP = "plotrun"
NO_ENTRY_POINTS = "PLOTRUN_NO_ENTRY_POINTS"
"""Set in the environment, plugins of other packages are not loaded (for tests)."""

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Failure:
    """A hook that raised."""

    plugin: str
    hook: str
    error: str

    def __str__(self) -> str:
        return f"plugin {self.plugin}: {self.hook} failed: {self.error}"


@dataclass(frozen=True)
class Loaded:
    """A plugin, where it comes from, and the hooks it answers."""

    name: str
    package: str
    version: str
    hooks: tuple[str, ...]
    error: str | None = None
    """Why it could not be loaded."""


@dataclass
class Plugins:
    """The loaded plugins; `each` and `first` call a hook, `failures` remembers what raised."""

    blocked: frozenset[str] = frozenset()
    on_failure: Callable[[Failure], None] = field(default=lambda _: None)
    asked: frozenset[str] | None = None
    """The only hooks that are called; None: all."""

    def __post_init__(self) -> None:
        self._manager = pluggy.PluginManager("plotrun")
        self._manager.add_hookspecs(hookspecs)
        self._packages: dict[str, tuple[str, str]] = {}
        self._broken: list[Loaded] = []
        self.failures: list[Failure] = []

    def register(self, plugin: object, name: str, package: str = "", version: str = "") -> None:
        """Take a plugin in; a blocked one only by its name.

        Raises:
            pluggy.PluginValidationError: it has a hook that does not exist, or a wrapper.
        """
        if name in self.blocked:
            self._packages[name] = (package, version)
            return
        self._manager.register(plugin, name)
        self._packages[name] = (package, version)
        for caller in self._manager.get_hookcallers(plugin) or ():
            for implementation in caller.get_hookimpls():
                if implementation.hookwrapper or implementation.wrapper:
                    self._manager.unregister(plugin)
                    del self._packages[name]
                    message = f"{caller.name}: plotrun calls no hook wrappers"
                    raise pluggy.PluginValidationError(plugin, message)

    def unknown_hooks(self) -> list[tuple[str, str]]:
        """Plugin and name of each implementation of a hook that does not exist."""
        specified = {name for name in vars(hookspecs) if name.startswith("plotrun_")}
        return [
            (name, caller.name)
            for name, plugin in self._manager.list_name_plugin()
            for caller in self._manager.get_hookcallers(plugin) or ()
            if caller.name not in specified
        ]

    def implementations(self, hook: str) -> Iterator[tuple[str, Callable[..., Any]]]:
        """Name of the plugin and the function, for each implementation in calling order."""
        caller = getattr(self._manager.hook, hook)
        if self.asked is not None and hook not in self.asked:
            return
        for found in reversed(caller.get_hookimpls()):
            yield found.plugin_name, _by_keyword(found.function, found.argnames)

    def each(self, hook: str, **arguments: Any) -> list[tuple[str, Any]]:
        """Plugin name and answer of each implementation; a `Failure` where it raised."""
        return [
            (name, self.call(name, hook, function, **arguments))
            for name, function in self.implementations(hook)
        ]

    def answers(self, hook: str, **arguments: Any) -> list[Any]:
        """Answers that are neither None nor a failure."""
        found = (answer for _, answer in self.each(hook, **arguments))
        return [answer for answer in found if not (answer is None or isinstance(answer, Failure))]

    def first(self, hook: str, **arguments: Any) -> Any:
        """The first answer that is not None; the implementations after it are not called."""
        for name, function in self.implementations(hook):
            answer = self.call(name, hook, function, **arguments)
            if answer is not None and not isinstance(answer, Failure):
                return answer
        return None

    def left_by_filters(
        self, hook: str, candidates: Sequence[Candidate], **arguments: Any
    ) -> tuple[list[Candidate], dict[Path, str]]:
        """The candidates that no implementation of a filter hook rejects; the others' reasons."""
        rejected = {c.path: c.trouble for c in candidates if c.trouble is not None}
        left = [candidate for candidate in candidates if candidate.trouble is None]
        for name, function in self.implementations(hook):
            answer = self.call(name, hook, function, candidates=left, **arguments)
            if isinstance(answer, Failure):
                answer = {candidate.path: str(answer) for candidate in left}
            elif answer is not None and not isinstance(answer, Mapping):
                words = f"plugin {name}: {hook} answered {answer!r}"
                answer = {candidate.path: words for candidate in left}
            rejected |= answer or {}
            left = [candidate for candidate in left if candidate.path not in rejected]
        return left, rejected

    def call(self, name: str, hook: str, function: Callable[..., Any], **arguments: Any) -> Any:
        """One implementation's answer, or the `Failure` that it raised."""
        try:
            return function(**arguments)
        except Exception as error:
            failure = Failure(name, hook, f"{type(error).__name__}: {error}")
            if failure not in self.failures:
                self.failures.append(failure)
                log.exception("%s", failure)
                self.on_failure(failure)
            return failure

    def plotters(self) -> list[Plotter]:
        """All plotters that plugins bring."""
        return [plotter for brought in self.answers("plotrun_plotters") for plotter in brought]

    def schema(self) -> Schema:
        """The keys that a settings file may have with these plugins."""
        sections: Sequence[SettingsSection] = self.answers("plotrun_settings")
        return Schema(self.plotters(), sections, self._packages)

    def loaded(self) -> list[Loaded]:
        """What is loaded and what could not be, by name."""
        found = list(self._broken)
        for name, (package, version) in self._packages.items():
            plugin = self._manager.get_plugin(name)
            if plugin is not None:
                hooks = sorted(c.name for c in self._manager.get_hookcallers(plugin) or ())
                found.append(Loaded(name, package, version, tuple(hooks)))
            else:
                found.append(Loaded(name, package, version, (), "blocked in the settings"))
        return sorted(found, key=lambda loaded: loaded.name)

    def broken(self, name: str, package: str, version: str, error: BaseException) -> None:
        """Remember a plugin that could not be loaded."""
        failure = Failure(name, "loading", f"{type(error).__name__}: {error}")
        log.error("%s", failure)
        self.failures.append(failure)
        self._broken.append(Loaded(name, package, version, (), failure.error))


def load_plugins(blocked: frozenset[str] = frozenset()) -> Plugins:
    """The built-in plugins and those of installed packages, without the blocked ones."""
    plugins = Plugins(blocked)
    version = importlib.metadata.version("plotrun")
    for name in BUILT_IN:
        module: ModuleType = importlib.import_module(f"plotrun.builtin.{name}")
        plugins.register(module, name, "plotrun", version)
    if os.environ.get(NO_ENTRY_POINTS):
        return plugins
    for entry in importlib.metadata.entry_points(group=GROUP):
        package = entry.dist.name if entry.dist else "?"
        version = entry.dist.version if entry.dist else "?"
        if entry.name in blocked:
            plugins.register(object(), entry.name, package, version)
            continue
        try:
            plugins.register(entry.load(), entry.name, package, version)
        except Exception as error:  # a stranger's package may fail in any way
            plugins.broken(entry.name, package, version, error)
    for name, hook in plugins.unknown_hooks():
        log.warning("plugin %s: there is no hook %s: it is never called", name, hook)
    return plugins


def _by_keyword(function: Callable[..., Any], names: Sequence[str]) -> Callable[..., Any]:
    """*function*, taking from the arguments of a hook only those that it names."""

    def call(**arguments: Any) -> Any:
        return function(**{name: arguments[name] for name in names})

    return call
