"""The JSON schema of settings.toml, for editors."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from plotrun.model import TMP2_IN_DST
from plotrun.settings.schema import Key, Schema


def json_schema(schema: Schema) -> dict[str, Any]:
    """All keys that a settings file may have, with types and what they are for."""
    plotters = sorted(schema.plotters)
    job = _table(schema.job_keys(None))
    job["properties"]["plotter"]["enum"] = plotters
    job["required"] = ["name", "plotter"]
    defaults = _table({k: v for k, v in schema.job_keys(None).items() if k != "name"})
    for plotter in plotters:
        keys = schema.job_keys(plotter)
        defaults["properties"][plotter] = _table({k: v for k, v in keys.items() if k != "name"})
    sections = {name: _table(schema.section_keys(name)) for name in sorted(schema.plugins)}
    blocked = {"type": "array", "items": {"type": "string"}}
    return {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "title": "settings.toml of plotrun",
        "type": "object",
        "additionalProperties": False,
        "required": ["job"],
        "properties": {
            "plotrun": _table(schema.general),
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


def _table(keys: Mapping[str, Key]) -> dict[str, Any]:
    return {
        "type": "object",
        "additionalProperties": False,
        "properties": {name: _key(key) for name, key in keys.items()},
    }


def _key(key: Key) -> dict[str, Any]:
    found: dict[str, Any] = key.adapter.json_schema()
    alternatives = found.get("anyOf", [])
    given = [each for each in alternatives if each != {"type": "null"}]
    if len(given) < len(alternatives):  # TOML has no null: leaving the key out is the way
        found.pop("anyOf")
        found |= given[0] if len(given) == 1 else {"anyOf": given}
    found["description"] = key.help
    if isinstance(key.default, bool | int | float | str) and key.default != TMP2_IN_DST:
        found["default"] = key.default
    return found
