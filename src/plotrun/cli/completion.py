"""``plotrun completion``."""

from __future__ import annotations

import click

VARIABLE = "_PLOTRUN_COMPLETE"
"""By this click knows that it is asked for completions."""


@click.command("completion")
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@click.pass_context
def command(ctx: click.Context, shell: str) -> None:
    """Print the script with which SHELL completes commands, workers and jobs.

    \b
    Examples, the first in ~/.bashrc and the second in ~/.zshrc:
      eval "$(plotrun completion bash)"
      eval "$(plotrun completion zsh)"
      plotrun completion fish > ~/.config/fish/completions/plotrun.fish
    """
    from click.shell_completion import get_completion_class

    kind = get_completion_class(shell)
    assert kind is not None
    click.echo(kind(ctx.find_root().command, {}, "plotrun", VARIABLE).source())
