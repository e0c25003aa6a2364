"""The JSON schema of settings.toml, for editors."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from plotrun.model import TMP2_IN_DST
from plotrun.settings.schema import Key, Schema, keys_of
from plotrun.words import duration_words


def json_schema(schema: Schema) -> dict[str, Any]:
    """All keys that a settings file may have, with types and what they are for."""
    plotters = sorted(schema.plotters)
    keys = schema.all_job_keys()
    job = _table(keys)
    job["required"] = ["name"]  # all others may come from [defaults]
    defaults = _table({name: key for name, key in keys.items() if name != "name"})
    for table in (job, defaults):
        table["properties"]["plotter"]["enum"] = plotters
    for plotter in plotters:
        own = {k: v for k, v in schema.job_keys(plotter).items() if k not in ("name", "plotter")}
        defaults["properties"][plotter] = _table(_single(own))
    sections = {n: _table(_single(schema.section_keys(n))) for n in sorted(schema.plugins)}
    blocked = {"type": "array", "items": {"type": "string"}}
    return {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "title": "settings.toml of plotrun",
        "type": "object",
        "additionalProperties": False,
        "required": ["job"],
        "properties": {
            "plotrun": _table(_single(schema.general)),
            "defaults": defaults,
            "plugins": {
                "type": "object",
                "additionalProperties": False,
                "properties": {
                    "blocked": blocked | {"description": "Plugins that are not loaded."},
                    **sections,
                },
            },
            "job": {"type": "array", "items": job, "minItems": 1},
        },
    }


def _single(keys: Mapping[str, Key]) -> dict[str, tuple[Key, ...]]:
    return {name: (key,) for name, key in keys.items()}


def _table(keys: Mapping[str, Sequence[Key]]) -> dict[str, Any]:
    return {
        "type": "object",
        "additionalProperties": False,
        "properties": {name: _any_of(variants) for name, variants in keys.items()},
    }


def _any_of(variants: Sequence[Key]) -> dict[str, Any]:
    """A key that several plotters may read in different ways."""
    types: list[dict[str, Any]] = []
    for key in variants:
        types += [found] if (found := _type(key)) not in types else []
    found = types[0] if len(types) == 1 else {"anyOf": types}
    found["description"] = variants[0].help.text
    defaults = [key.default for key in variants]
    plain = isinstance(defaults[0], bool | int | float | str) and defaults[0] != TMP2_IN_DST
    if plain and all(default == defaults[0] for default in defaults):
        found["default"] = _as_written(variants[0])
    return found


def _type(key: Key) -> dict[str, Any]:
    if key.tables is not None:
        table = _table(_single(keys_of(key.tables.model, key.owner)))
        return {"type": "array", "items": table} if key.tables.many else table
    found: dict[str, Any] = key.adapter.json_schema()
    alternatives = found.get("anyOf", [])
    given = [each for each in alternatives if each != {"type": "null"}]
    if len(given) < len(alternatives):  # TOML has no null: leaving the key out is the way
        found.pop("anyOf")
        found |= given[0] if len(given) == 1 else {"anyOf": given}
    return found


def _as_written(key: Key) -> Any:
    """A default as it would be written: seconds have a unit."""
    is_seconds = isinstance(key.default, float) and _type(key).get("type") == "string"
    return duration_words(key.default) if is_seconds else key.default
