"""Types of settings: what people write, and what it is read as.

A model of settings is a frozen dataclass whose fields are annotated with these types, for
instance ``wait: Annotated[Seconds, Help("how long to wait")] = 60.0``. Pydantic validates
them; it is imported only when it does, so that a plugin's models cost nothing at start-up.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any

from plotrun import keys


class TellableError(ValueError):
    """Why a value is wrong, in words that hold nothing of it: told even where it is secret."""


@dataclass(frozen=True)
class Help:
    """What a key is for, in a line or two: shown by ``settings schema`` and in the docs."""

    text: str
    secret: bool = False
    """Its values appear in no message."""
    may_hold_secret: bool = False
    """Its values are told to nobody but whoever reads the settings."""

    @property
    def private(self) -> bool:
        """Whether its values must not get into logs and events."""
        return self.secret or self.may_hold_secret


@dataclass(frozen=True, eq=False)  # types are hashed, and a JSON schema cannot be
class Written:
    """How a value is written: a function that reads it, and words for what it expects."""

    read: Callable[[Any], Any]
    """Raises ValueError with what is wrong."""
    expected: str
    json_schema: Mapping[str, Any] = field(default_factory=dict)

    def __get_pydantic_core_schema__(self, source: Any, handler: Any) -> Any:
        """Let pydantic read the value by the function."""
        from pydantic_core import core_schema

        return core_schema.no_info_plain_validator_function(self.read)

    def __get_pydantic_json_schema__(self, core: Any, handler: Any) -> dict[str, Any]:
        """What editors are told."""
        return dict(self.json_schema)


@dataclass(frozen=True)
class Tables:
    """A value that is a table, or (*many*) several with ``[[two brackets]]``.

    ``service: Annotated[tuple[Service, ...], Tables(Service, many=True)] = ()``: the keys are the
    fields of *model*, a frozen dataclass. Each mistake is told with the line of its key.
    """

    model: type
    many: bool = False
    check: Callable[[Any], tuple[str, str] | None] = lambda row: None
    """Answers what does not fit together in a table: the key, and what is expected of it."""

    @property
    def expected(self) -> str:
        """In words."""
        return "tables with two brackets on each side" if self.many else "a table"


_DURATION_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0, "w": 604800.0}
_DURATION_PART = re.compile(r"([0-9]+(?:\.[0-9]+)?)\s*(ms|s|m|h|d|w)\s*")
_LONGEST = 100 * 366 * 86400.0
"""Seconds: a time that far ahead can still be told as a date."""
_SIZE = re.compile(r"([0-9]+(?:\.[0-9]+)?)\s*([kMGTP]?)(i?)B", re.IGNORECASE)
_SIZE_UNITS = " kmgtp"
_LARGEST = 2**63 - 1


def read_duration(value: Any) -> float:
    """Seconds of "30m", "1h30m", or 0.

    Raises:
        ValueError: it is no duration.
    """
    if value == 0 and not isinstance(value, bool):
        return 0.0
    if isinstance(value, int | float) and not isinstance(value, bool):
        raise ValueError("the unit is missing")
    if not isinstance(value, str):
        raise ValueError("it is not text")
    parts = _DURATION_PART.findall(value)
    if not parts or _DURATION_PART.sub("", value).strip():
        raise ValueError("it cannot be read")
    seconds = sum(float(number) * _DURATION_UNITS[unit] for number, unit in parts)
    if seconds > _LONGEST:
        raise ValueError("it is longer than 100 years")
    return seconds


def read_durations(value: Any) -> tuple[float, ...]:
    """Seconds of each of a list of durations.

    Raises:
        ValueError: it is no list, or an item is no duration.
    """
    if not isinstance(value, list) or not value:
        raise ValueError("it is not a list of durations")
    return tuple(read_duration(item) for item in value)


def read_size(value: Any) -> int:
    """Bytes of "110GiB", "500 MB", or 0. GiB is 2^30 bytes, GB is 10^9.

    Raises:
        ValueError: it is no size.
    """
    if value == 0 and not isinstance(value, bool):
        return 0
    if isinstance(value, int | float) and not isinstance(value, bool):
        raise ValueError("the unit is missing")
    if not isinstance(value, str) or not (match := _SIZE.fullmatch(value.strip())):
        raise ValueError("it cannot be read")
    number, prefix, binary = match.groups()
    power = _SIZE_UNITS.index(prefix.lower() or " ")
    size = int(Decimal(number) * (1024 if binary else 1000) ** power)
    if size > _LARGEST:
        raise ValueError("it is too large")
    return size


def read_path(value: Any) -> Path:
    """An absolute path; ``~`` is the home directory.

    Raises:
        ValueError: it is not text, empty, or relative.
    """
    if not isinstance(value, str) or not value:
        raise ValueError("it is not a path")
    if "\0" in value:
        raise ValueError("it has a NUL character")
    try:
        path = Path(value).expanduser()
    except RuntimeError as error:  # no home directory
        raise ValueError(str(error)) from error
    if not path.is_absolute():
        raise ValueError("it is a relative path")
    # POSIX lets two slashes at the beginning mean something else; on no farm they do.
    normal = os.path.normpath(path)
    return Path(f"/{normal.lstrip('/')}" if os.name == "posix" else normal)


def read_paths(value: Any) -> tuple[Path, ...]:
    """One absolute path or a list of them, each named once.

    Raises:
        ValueError: a path is wrong, the list is empty, or one is named twice.
    """
    paths = tuple(read_path(item) for item in (value if isinstance(value, list) else [value]))
    if not paths:
        raise ValueError("the list is empty")
    if len(set(paths)) < len(paths):
        raise ValueError("a path is named twice")
    return paths


def read_cpus(value: Any) -> tuple[int, ...]:
    """CPU numbers that this machine has.

    Raises:
        ValueError: it is not a list of such numbers.
    """
    if not isinstance(value, list) or not value:
        raise ValueError("it is not a list of numbers")
    count = os.cpu_count() or 1
    for cpu in value:
        if not isinstance(cpu, int) or isinstance(cpu, bool):
            raise ValueError("it is not a list of numbers")
        if not 0 <= cpu < count:
            raise ValueError(f"this machine has CPUs 0 to {count - 1}")
    return tuple(sorted(set(value)))


def read_text(check: Callable[[str], str]) -> Callable[[Any], str]:
    """A reader of text that *check* accepts."""

    def read(value: Any) -> str:
        if not isinstance(value, str):
            raise ValueError("it is not text")
        return check(value)

    return read


def read_name(value: str) -> str:
    """A name that can be typed and be part of a file name.

    Raises:
        ValueError: it cannot.
    """
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}", value):
        raise ValueError("it has other characters")
    return value


_STRING = {"type": "string"}
_PATHS = {"anyOf": [_STRING, {"type": "array", "items": _STRING, "minItems": 1}]}

Seconds = Annotated[
    float, Written(read_duration, 'a duration such as "30s", "15m" or "1h30m"', _STRING)
]
Durations = Annotated[
    tuple[float, ...],
    Written(
        read_durations,
        'a list of durations such as ["2h30m", "50m"]',
        {"type": "array", "items": _STRING, "minItems": 1},
    ),
]
Bytes = Annotated[int, Written(read_size, 'a size such as "500MB" or "110GiB"', _STRING)]
AbsolutePath = Annotated[Path, Written(read_path, "an absolute path", _STRING)]
AbsolutePaths = Annotated[
    tuple[Path, ...], Written(read_paths, "an absolute path or a list of them", _PATHS)
]
Name = Annotated[
    str,
    Written(
        read_text(read_name), "a name of letters, digits, dots, dashes and underscores", _STRING
    ),
]
PublicKey = Annotated[
    str,
    Written(
        read_text(keys.public_key),
        f"a public key of {keys.PUBLIC_KEY_HEX_DIGITS} hex digits",
        _STRING,
    ),
]
ContractAddress = Annotated[
    str,
    Written(read_text(keys.contract_address), "a pool contract address (xch1…)", _STRING),
]
Cpus = Annotated[
    tuple[int, ...],
    Written(
        read_cpus,
        "a list of CPU numbers of this machine",
        {"type": "array", "items": {"type": "integer", "minimum": 0}, "minItems": 1},
    ),
]
