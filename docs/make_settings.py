"""Writes the tables of docs/settings.md from what plotrun knows of its settings.

PLOTRUN_NO_ENTRY_POINTS=1 python docs/make_settings.py
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import MISSING
from pathlib import Path

from plotrun.manager import load_plugins
from plotrun.settings.schema import Key, Schema, keys_of
from plotrun.words import duration_words

PAGE = Path(__file__).with_name("settings.md")
BEGIN, END = "<!-- tables: made by docs/make_settings.py -->", "<!-- end of tables -->"


def main() -> None:
    """Write the page."""
    PAGE.write_text(page(PAGE.read_text("utf-8")), "utf-8")


def page(text: str) -> str:
    """The page with its tables made anew."""
    front, _, rest = text.partition(BEGIN)
    _, _, back = rest.partition(END)
    return f"{front}{BEGIN}\n{tables(load_plugins().schema())}\n{END}{back}"


def tables(schema: Schema) -> str:
    """A table for each section."""
    defaults = "Any of these but `name` may stand in `[defaults]` too."
    parts = [
        ("[plotrun]", "", schema.general),
        ("[[job]]", defaults, schema.shared),
    ]
    for plotter in sorted(schema.plotters):
        keys = schema.plotter_keys(plotter)
        words = f"May stand in `[defaults]` and `[defaults.{plotter}]` too."
        parts.append((f'[[job]] with plotter = "{plotter}"', words, keys))
    tables = [(key, key.tables) for key in schema.shared.values() if key.tables is not None]
    parts += [(f"[job.{key.name}]", "", keys_of(each.model, key.owner)) for key, each in tables]
    parts += [(f"[plugins.{n}]", "", schema.section_keys(n)) for n in sorted(schema.plugins)]
    return "\n".join(_table(*part) for part in parts if part[2])


def _table(title: str, words: str, keys: Mapping[str, Key]) -> str:
    rows = [
        f"| `{k.name}` | {_cell(k.expected)} | {_default(k)} | {_cell(k.help.text)} |"
        for k in keys.values()
    ]
    head = ["| key | value | default | what for |", "| --- | --- | --- | --- |"]
    return "\n".join([f"### {title}\n", *([words + "\n"] if words else []), *head, *rows, ""])


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def _default(key: Key) -> str:
    if key.default is MISSING:
        return "must be given"
    if key.default in (None, (), {}):
        return "-"
    if isinstance(key.default, tuple):
        return f"`{json.dumps(key.default)}`"
    if isinstance(key.default, float):
        return f'`"{duration_words(key.default)}"`'
    if isinstance(key.default, bool):
        return f"`{str(key.default).lower()}`"
    return f'`"{key.default}"`' if isinstance(key.default, str) else f"`{key.default}`"


if __name__ == "__main__":
    main()
