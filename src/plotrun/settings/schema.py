"""Which keys a settings file may have: plotrun's own, its plotters' and its plugins'."""

from __future__ import annotations

import dataclasses
import typing
from collections.abc import Callable, Iterable, Mapping
from dataclasses import MISSING, dataclass
from functools import cache, cached_property
from types import MappingProxyType
from typing import Annotated, Any, Literal, get_args, get_origin

from annotated_types import Ge, Gt, Le, Lt

from plotrun.model import TMP2_IN_DST, Job
from plotrun.plotter import KeyProblem, Plotter, is_shell_line
from plotrun.settings.job_events import EventKeys
from plotrun.settings.types import (
    AbsolutePath,
    AbsolutePaths,
    Bytes,
    Cpus,
    Help,
    Name,
    Seconds,
    Tables,
    TellableError,
    Written,
    read_paths,
)


def _read_tmp2(value: Any) -> Any:
    return TMP2_IN_DST if value == TMP2_IN_DST else read_paths(value)


def _read_keep_logs(value: Any) -> bool | int:
    if isinstance(value, bool) or (isinstance(value, int) and value >= 0):
        return value
    raise ValueError("it is neither")


def _read_command(value: Any) -> str:
    if not isinstance(value, str):
        raise ValueError("it is not text")
    if not value.strip():
        raise ValueError("it is empty")
    if "\0" in value:
        raise ValueError("it has a NUL character")
    try:
        is_shell_line(value)
    except ValueError:
        raise ValueError("a quote is not closed") from None
    return value


Tmp2 = Annotated[
    Any,
    Written(
        _read_tmp2,
        f'an absolute path, a list of them, or "{TMP2_IN_DST}"',
        {"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}]},
    ),
]
CommandLine = Annotated[
    str, Written(_read_command, "a program or a shell line", {"type": "string"})
]
KeepLogs = Annotated[
    bool | int,
    Written(
        _read_keep_logs,
        "true, false, or a number of workers (0 or more)",
        {"anyOf": [{"type": "boolean"}, {"type": "integer", "minimum": 0}]},
    ),
]


@dataclass(frozen=True)
class GeneralKeys:
    """The keys of ``[plotrun]``."""

    state_dir: Annotated[
        AbsolutePath | None,
        Help("Where plotrun keeps its state. Default: the user's state directory."),
    ] = None
    log_dir: Annotated[
        AbsolutePath | None,
        Help('Where logs go. Default: "logs" in the state directory.'),
    ] = None
    keep_logs: Annotated[
        KeepLogs,
        Help(
            "Logs of workers that are done: kept, removed, or kept for the next N workers. "
            "Logs of failed workers always stay."
        ),
    ] = True
    copies_per_disk: Annotated[
        int, Ge(1), Help("How many plots may be copied to one physical disk at a time.")
    ] = 1
    verify: Annotated[
        Literal["size", "read"],
        Help('How a copied plot is compared: its size, or ("read") every byte read back.'),
    ] = "size"
    copy_timeout: Annotated[
        Seconds,
        Ge(1),
        Help(
            "A copy that stands still for this long is given up, and the plot brought to another "
            "destination."
        ),
    ] = 600.0
    copy_rate: Annotated[
        Bytes | None,
        Ge(1_000_000),
        Help("How much each copy may write in a second, at least 1MB. Default: no limit."),
    ] = None
    bad_plots: Annotated[
        Literal["keep", "reject", "remove"],
        Help(
            "What becomes of a plot that a check finds bad: kept where it is, moved to the "
            'directory "rejected" in tmp, or removed.'
        ),
    ] = "keep"
    disk_timeout: Annotated[
        Seconds, Help("A disk that has not answered for this long is left out.")
    ] = 10.0


@dataclass(frozen=True)
class JobKeys:
    """The keys that every ``[[job]]`` may have, whatever its plotter."""

    name: Annotated[Name, Help("What the job is called; must differ from other jobs'.")]
    plotter: Annotated[str, Help("Which plotter makes the plots: see `plotrun plugins`.")]
    tmp: Annotated[AbsolutePaths, Help("Temporary directories, taken in turn.")]
    dst: Annotated[AbsolutePaths, Help("Destinations: directories where plots stay.")]
    plots: Annotated[int, Ge(0), Help("How many plots to make; 0 is endless.")] = 0
    plots_per_process: Annotated[
        int | None,
        Ge(0),
        Help(
            "Plots made by one plotter process, if the plotter can; 0: it goes on until the job "
            "is done, and is then asked to finish. Default: what is usual for the plotter, 0 for "
            "GPU plotters and 1 for the others."
        ),
    ] = None
    enabled: Annotated[bool, Help("false: start nothing more for this job.")] = True
    command: Annotated[
        CommandLine | None,
        Help(
            "The plotter's program, or a whole shell line that ends with it.",
            may_hold_secret=True,
        ),
    ] = None
    tmp2: Annotated[
        Tmp2 | None,
        Help('Second temporary directories, taken in turn; "dst": in the destination.'),
    ] = None
    deliver: Annotated[
        Literal["plotrun", "plotter"],
        Help(
            'Who brings the plot to its destination: "plotrun" chooses it when the plot is '
            'finished, "plotter" is told at the start.'
        ),
    ] = "plotrun"
    when_full: Annotated[
        Literal["hold", "plot"],
        Help(
            "When the destinations have no room for one more plot beside those under way: "
            '"hold" starts none, "plot" goes on while tmp has room, and plots wait there.'
        ),
    ] = "hold"
    nice: Annotated[
        int | None, Ge(-20), Le(19), Help("Priority of the plotter: 19 is the lowest.")
    ] = None
    io_priority: Annotated[
        Literal["idle", "low", "normal", "high"] | None, Help("Disk priority of the plotter.")
    ] = None
    stuck_after: Annotated[
        Seconds | None,
        Ge(1),
        Help(
            "A plotter whose log and processes stand still for this long is stuck. Default: ten "
            "times the longest silence of the last plots, at least 15 minutes."
        ),
    ] = None
    when_stuck: Annotated[
        Literal["tell", "restart"],
        Help('What becomes of a stuck plotter: "restart" ends it, and the job starts another.'),
    ] = "tell"
    cpu_affinity: Annotated[Cpus | None, Help("CPUs that the plotter may use.")] = None


@dataclass(frozen=True)
class SettingsSection:
    """What a plugin reads of the settings: answered to the hook ``plotrun_settings``."""

    plugin: str
    """Its name: the section is ``[plugins.<name>]``."""
    model: type | None = None
    """A frozen dataclass: the keys of the section."""
    job_keys: type | None = None
    """A frozen dataclass: keys that this plugin adds to every job."""
    check_job: Callable[[Job], Iterable[KeyProblem]] | None = None
    """What is wrong with how a job's values fit together: those of the plugin and the others. A
    key of a table is written with a dot."""


@dataclass(frozen=True)
class Key:
    """One key that a settings file may have."""

    name: str
    annotation: Any
    default: Any
    """`dataclasses.MISSING` where the key must be given."""
    help: Help
    owner: str
    """What reads it: "plotrun", a plotter or a plugin."""

    @property
    def required(self) -> bool:
        """Whether it must be given."""
        return self.default is MISSING

    @cached_property
    def expected(self) -> str:
        """In words, what a value must be."""
        return _expected(self.annotation)

    @cached_property
    def tables(self) -> Tables | None:
        """What tells that the value is a table, or several, with keys of their own."""
        said = _metadata(self.annotation)
        return next((each for each in said if isinstance(each, Tables)), None)

    @cached_property
    def adapter(self) -> Any:
        """Pydantic's validator of the key's type."""
        from pydantic import TypeAdapter

        return TypeAdapter(self.annotation)

    def read(self, raw: Any, strict: bool = True) -> Any:
        """The value that *raw* stands for.

        Raises:
            ValueError: it is wrong; the message, if there is one, says more than `expected`.
        """
        from pydantic import ValidationError

        if isinstance(raw, int) and not -(2**63) <= raw < 2**63:  # TOML's limit, and the store's
            raise ValueError("it is too large")
        try:
            return self.adapter.validate_python(raw, strict=strict)
        except ValidationError as error:
            cause = error.errors()[0].get("ctx", {}).get("error")
            if isinstance(cause, TellableError):
                raise TellableError(str(cause)) from None
            raise ValueError(str(cause) if isinstance(cause, ValueError) else "") from None
        except Exception as error:  # a stranger's reader may fail in any way
            words = f"{self.owner} cannot read it: {type(error).__name__}: {error}"
            raise ValueError(words) from error


@cache
def keys_of(model: type, owner: str) -> Mapping[str, Key]:
    """The keys that the fields of a settings dataclass stand for."""
    hints = typing.get_type_hints(model, include_extras=True)
    found = {}
    for field in dataclasses.fields(model):
        annotation = hints[field.name]
        default = field.default
        if default is MISSING and field.default_factory is not MISSING:
            default = field.default_factory()
        words = next((said for said in _metadata(annotation) if isinstance(said, Help)), Help(""))
        found[field.name] = Key(field.name, annotation, default, words, owner)
    return MappingProxyType(found)


class Schema:
    """All keys that a settings file may have, given the plotters and plugins that are loaded."""

    def __init__(
        self,
        plotters: Iterable[Plotter],
        sections: Iterable[SettingsSection],
        plugins: Iterable[str] = (),
    ) -> None:
        self.plotters: Mapping[str, Plotter] = {plotter.name: plotter for plotter in plotters}
        self.sections = tuple(sections)
        self.plugins = frozenset(plugins) | {section.plugin for section in self.sections}
        self.general = keys_of(GeneralKeys, "plotrun")
        self.shared: Mapping[str, Key] = {
            **keys_of(JobKeys, "plotrun"),
            **keys_of(EventKeys, "plotrun"),
        }
        """Keys of a job of any plotter."""
        for section in self.sections:
            if section.job_keys is not None:
                self.shared = {**self.shared, **keys_of(section.job_keys, section.plugin)}

    def plotter_keys(self, plotter: str) -> Mapping[str, Key]:
        """Keys of a job that only its plotter knows."""
        keys = keys_of(self.plotters[plotter].keys, plotter)
        return {name: key for name, key in keys.items() if name not in self.shared}

    def job_keys(self, plotter: str) -> Mapping[str, Key]:
        """Keys of a job of *plotter*."""
        return {**self.plotter_keys(plotter), **self.shared}

    def all_job_keys(self) -> Mapping[str, tuple[Key, ...]]:
        """Keys of jobs of any plotter; a key that several plotters read is there several times."""
        found = {name: (key,) for name, key in self.shared.items()}
        for plotter in self.plotters:
            for name, key in self.plotter_keys(plotter).items():
                found[name] = (*found.get(name, ()), key)
        return found

    def section_keys(self, plugin: str) -> Mapping[str, Key]:
        """Keys of ``[plugins.<plugin>]``; empty where it has none."""
        for section in self.sections:
            if section.plugin == plugin and section.model is not None:
                return keys_of(section.model, plugin)
        return {}

    def job_models(self, plotter: str) -> list[type]:
        """The dataclasses whose keys make up a job of *plotter*, beside plotrun's own."""
        added = [section.job_keys for section in self.sections if section.job_keys is not None]
        return [self.plotters[plotter].keys, *added]

    def keeps_secret(self, key: str) -> bool:
        """Whether the value of a dotted key must not be shown."""
        home, *_, last = key.split(".")
        if home != "plugins":
            return any(each.help.secret for each in self.all_job_keys().get(last, ()))
        parts = key.split(".")
        keys = [k for name, k in self.section_keys(parts[1]).items() if name in parts[2:]]
        return any(each.help.secret for each in keys)

    def homes(self, name: str) -> list[str]:
        """Where a key of this name may stand, in words."""
        found = ["[plotrun]"] if name in self.general else []
        if name in self.shared:
            found.append("a [[job]]")
        else:
            plotters = [each for each in sorted(self.plotters) if name in self.plotter_keys(each)]
            found += [f"a [[job]] of {', '.join(plotters)}"] if plotters else []
        sections = [plugin for plugin in sorted(self.plugins) if name in self.section_keys(plugin)]
        return found + [f"[plugins.{plugin}]" for plugin in sections]


def _metadata(annotation: Any) -> list[Any]:
    """What an annotation says beside its type, outermost last, through Optional."""
    if get_origin(annotation) is Annotated:
        inner, *said = get_args(annotation)
        return _metadata(inner) + said
    return [said for part in get_args(annotation) for said in _metadata(part)]


def _expected(annotation: Any) -> str:
    said = _metadata(annotation)
    for written in said:
        if isinstance(written, Written | Tables):
            return written.expected
    words = _type_words(annotation)
    bounds = [_bound_words(bound) for bound in said]
    return " ".join([words, " and ".join(filter(None, bounds))]).strip()


def _type_words(annotation: Any) -> str:
    origin, args = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return _type_words(args[0])
    if origin is Literal:
        return " or ".join(f'"{choice}"' for choice in args)
    kinds = [arg for arg in args if arg is not type(None)]
    if len(kinds) == 1 and len(args) == 2:
        return _type_words(kinds[0])
    words = {int: "a whole number", float: "a number", str: "text", bool: "true or false"}
    return words.get(annotation, str(annotation))


def _bound_words(bound: Any) -> str:
    match bound:
        case Ge(ge=least):
            return f"of at least {least}"
        case Gt(gt=least):
            return f"above {least}"
        case Le(le=most):
            return f"at most {most}"
        case Lt(lt=most):
            return f"below {most}"
    return ""
