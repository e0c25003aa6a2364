"""``plotrun disks``."""

from __future__ import annotations

import asyncio
import json

import click


@click.command("disks")
@click.option("--json", "as_json", is_flag=True, help="Print JSON: see docs/space.md.")
@click.pass_obj
def command(settings: str | None, as_json: bool) -> None:
    """Show all temporary directories and destinations: free, promised, and what still fits.

    \b
    Examples:
      plotrun disks
      plotrun disks --json
    """
    from plotrun.cli.opening_disks import open_overview
    from plotrun.picture import disks

    with open_overview(settings) as overview:
        found = asyncio.run(disks(overview))
    if as_json:
        click.echo(json.dumps(found, indent=2))
        return
    from rich.console import Console

    from plotrun.picture_screen import render_disks

    console = Console(highlight=False)
    console.print(render_disks(found, console.width))
