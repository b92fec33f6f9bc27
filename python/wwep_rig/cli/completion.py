"""`wwep-rig completion`: what a shell needs to complete the command line."""

import click
from click.shell_completion import get_completion_class

VARIABLE = "_WWEP_RIG_COMPLETE"


@click.command()
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@click.pass_context
def completion(ctx: click.Context, shell: str) -> None:
    """Print the completion script of a shell.

    \b
    Example: for this bash, and for every fish:
        $ eval "$(wwep-rig completion bash)"
        $ wwep-rig completion fish > ~/.config/fish/completions/wwep-rig.fish
    """
    kind = get_completion_class(shell)
    assert kind is not None
    click.echo(kind(ctx.find_root().command, {}, "wwep-rig", VARIABLE).source())
