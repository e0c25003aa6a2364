"""``plotrun init``."""

from __future__ import annotations

import sys
from importlib import resources
from pathlib import Path

import click

from plotrun.cli import EXIT_FAILED


@click.command("init")
@click.argument("file", required=False, type=click.Path(path_type=Path))
@click.option("--force", is_flag=True, help="Replace a file that is there already.")
@click.pass_obj
def command(settings: str | None, file: Path | None, force: bool) -> None:
    """Write a settings file with every key explained, to be edited.

    FILE is where it goes. Default: --settings, $PLOTRUN_SETTINGS, or the user's configuration
    directory.

    \b
    Examples:
      plotrun init
      plotrun init ./settings.toml
    """
    from plotrun.settings.locate import named_settings, user_settings
    from plotrun.words import printable

    path = file.expanduser().absolute() if file else named_settings(settings) or user_settings()
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        with path.open("wb" if force else "xb") as written:
            written.write(template())
    except FileExistsError:
        click.echo(printable(f"error: {path} exists already: --force replaces it"), err=True)
        sys.exit(EXIT_FAILED)
    click.echo(printable(f"wrote {path}: edit the [[job]] at its end, then run `plotrun check`"))


def template() -> bytes:
    """settings.example.toml: in the package, or beside the sources it is run from."""
    packaged = resources.files("plotrun").joinpath("settings.example.toml")
    if packaged.is_file():
        return packaged.read_bytes()
    return Path(__file__).parents[3].joinpath("settings.example.toml").read_bytes()
