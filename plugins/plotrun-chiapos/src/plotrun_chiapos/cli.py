"""``plotrun chiapos-check``."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from plotrun import NotAPlot, printable, read_plot, size_words


@click.command("chiapos-check")
@click.argument("paths", nargs=-1, required=True, type=click.Path(path_type=Path, exists=True))
@click.option("--challenges", default=30, show_default=True, help="How many to try for each plot.")
def command(paths: tuple[Path, ...], challenges: int) -> None:
    """Check V1 plots, or all of them in a directory, by their proofs.

    \b
    Example:
      plotrun chiapos-check /mnt/farm
    """
    from plotrun_chiapos.verify import verify

    files = [
        file
        for path in paths
        for file in (sorted(path.glob("*.plot")) if path.is_dir() else [path])
    ]
    bad = 0
    for file in files:
        try:
            plot = read_plot(file)
            verdict = verify(file, challenges)
            problem = verdict.problem
            found = f"k={plot.k}, {size_words(plot.size)}, {verdict.proofs} proofs"
        except (NotAPlot, OSError) as error:
            problem, found = str(error), ""
        bad += problem is not None
        mark = "ok  " if problem is None else "BAD "
        click.echo(f"{mark}  {printable(file)}: {problem or found}")
    click.echo(f"{len(files) - bad} good, {bad} bad")
    sys.exit(1 if bad else 0)
