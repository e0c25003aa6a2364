"""A key that a settings file may have: its type, its default, what it is for, who reads it."""

from __future__ import annotations

import dataclasses
import typing
from collections.abc import Mapping, Sequence
from dataclasses import MISSING, dataclass
from functools import cache, cached_property
from types import MappingProxyType
from typing import Annotated, Any, Literal, get_args, get_origin

from annotated_types import Ge, Gt, Le, Lt

from plotrun.settings.types import Help, Written


@dataclass(frozen=True)
class RowProblem:
    """What is wrong in a list of tables."""

    place: tuple[int | str, ...]
    """Within the list: the number of the table, from 0, and the key in it."""
    found: str
    expected: str
    hint: str | None = None


class WrongRows(ValueError):  # noqa: N818 - reads as what it says
    """A list of tables is wrong, each mistake with its own place."""

    def __init__(self, problems: Sequence[RowProblem]) -> None:
        self.problems = tuple(problems)
        super().__init__("; ".join(f"found {p.found}, expected {p.expected}" for p in problems))


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
    def adapter(self) -> Any:
        """Pydantic's validator of the key's type."""
        from pydantic import TypeAdapter

        return TypeAdapter(self.annotation)

    def read(self, raw: Any, strict: bool = True) -> Any:
        """The value that *raw* stands for.

        Raises:
            WrongRows: it is a list of tables, and some are wrong.
            ValueError: it is wrong; the message, if there is one, says more than `expected`.
        """
        from pydantic import ValidationError

        if isinstance(raw, int) and not -(2**63) <= raw < 2**63:  # TOML's limit, and the store's
            raise ValueError("it is too large")
        try:
            return self.adapter.validate_python(raw, strict=strict)
        except ValidationError as error:
            cause = error.errors()[0].get("ctx", {}).get("error")
            if isinstance(cause, WrongRows):
                raise cause from None
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


def _metadata(annotation: Any) -> list[Any]:
    """What an annotation says beside its type, outermost last, through Optional."""
    if get_origin(annotation) is Annotated:
        inner, *said = get_args(annotation)
        return _metadata(inner) + said
    return [said for part in get_args(annotation) for said in _metadata(part)]


def _expected(annotation: Any) -> str:
    said = _metadata(annotation)
    for written in said:
        if isinstance(written, Written):
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
