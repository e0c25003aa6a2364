"""``plotrun plots``."""

from __future__ import annotations

import json
import sys
import time
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from plotrun.cli import EXIT_FAILED

if TYPE_CHECKING:
    from plotrun.farm.found import Inventory, PlotFacts

FORM = 1
"""Number of the JSON form; it changes when a field goes or changes its meaning."""


@click.command("plots")
@click.option("--below", is_flag=True, help="Also plots in directories below the destinations.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.pass_obj
def command(settings: str | None, below: bool, as_json: bool) -> None:
    """Count the plots in all destinations, by what their headers say.

    Headers are remembered, so that only new plots are read the next time. A disk that does not
    answer is said, and the exit code is 1 then.

    \b
    Examples:
      plotrun plots
      plotrun plots --json
    """
    from plotrun.cli.opening_farm import open_farm

    with open_farm(settings) as opened:
        paths = dict.fromkeys(path for job in opened.settings.jobs for path in job.dst)
        found = opened.look((path, below) for path in paths)
    groups = _groups(found)
    if as_json:
        click.echo(json.dumps(_as_json(found, groups), indent=2))
    else:
        _print(found, groups)
    if any(inventory.trouble is not None for inventory in found):
        sys.exit(EXIT_FAILED)


class Group(NamedTuple):
    """What plots are counted by."""

    format: str
    compression: int | None
    k: int
    pool: bytes | None
    """Pool public key (48 bytes), or puzzle hash of the contract (32); None: not known."""
    year: int
    """In which they were made."""


def _groups(found: Sequence[Inventory]) -> dict[Group, tuple[int, int]]:
    """Number of plots and bytes of each group; a plot under two paths counts once."""
    counts, sizes = Counter[Group](), Counter[Group]()
    once = {(plot.device, plot.inode): plot for each in found for plot in each.plots}
    for plot in once.values():
        group = _group(plot.facts, time.localtime(plot.made_at).tm_year)
        counts[group] += 1
        sizes[group] += plot.size

    def order(group: Group) -> tuple[Any, ...]:
        return group.year, group.format, group.k, group.compression or 0, group.pool or b""

    return {group: (counts[group], sizes[group]) for group in sorted(counts, key=order)}


def _group(facts: PlotFacts, year: int) -> Group:
    return Group(facts.format, facts.compression, facts.k, facts.pool, year)


def _pool(pool: bytes | None) -> tuple[str | None, str | None]:
    """Kind of pool, and its key or address."""
    from plotrun.keys import address_of

    if pool is None:
        return None, None
    return ("contract", address_of(pool)) if len(pool) == 32 else ("og", pool.hex())


def _as_json(found: Iterable[Inventory], groups: dict[Group, tuple[int, int]]) -> dict[str, Any]:
    from plotrun.words import printable

    return {
        "form": FORM,
        "destinations": [
            {
                "path": printable(each.directory),
                "plots": len(each.plots),
                "bytes": sum(plot.size for plot in each.plots),
                "no_plots": {printable(name): reason for name, reason in each.others.items()},
                "trouble": each.trouble,
            }
            for each in found
        ],
        "groups": [
            {
                "format": group.format,
                "compression": group.compression,
                "k": group.k,
                "pool": _pool(group.pool)[0],
                "pool_key_or_address": _pool(group.pool)[1],
                "year": group.year,
                "plots": count,
                "bytes": size,
            }
            for group, (count, size) in groups.items()
        ],
    }


def _print(found: Sequence[Inventory], groups: dict[Group, tuple[int, int]]) -> None:
    from rich import box
    from rich.console import Console
    from rich.table import Table

    from plotrun.words import printable, size_words

    def table(*columns: str, numbers: Sequence[str] = ("k", "plots", "bytes")) -> Table:
        made = Table(box=box.SIMPLE, pad_edge=False, padding=(0, 1, 0, 0))
        for column in columns:
            made.add_column(column, justify="right" if column in numbers else "left")
        return made

    kinds = table("format", "compression", "k", "pool", "made", "plots", "bytes")
    for group, (count, size) in groups.items():
        level = "?" if group.compression is None else str(group.compression)
        level = "" if group.format == "v2" else level
        kind, owner = _pool(group.pool)
        words = f"{kind} {(owner or '')[:12]}…" if kind else "?"
        row = (group.format, level, str(group.k), words, str(group.year))
        kinds.add_row(*row, str(count), size_words(size))
    disks = table("destination", "plots", "bytes", "")
    for each in found:
        no_plots = f"{len(each.others)} files that are no plots" if each.others else ""
        size = sum(plot.size for plot in each.plots)
        words = each.trouble or no_plots
        disks.add_row(
            printable(each.directory), str(len(each.plots)), size_words(size), printable(words)
        )
    console = Console(highlight=False)
    if groups:
        console.print(kinds)
    console.print(disks)
