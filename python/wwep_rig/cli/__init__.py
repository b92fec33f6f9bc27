"""The command `wwep-rig`: one module a verb."""

import contextlib
import os
import sys
from collections.abc import Sequence
from difflib import get_close_matches
from importlib import import_module, metadata

import click

from .common import INTERRUPTED, NO_BENCH, RIG_ERROR, TARGET_FAILED, USAGE

# Loaded when used: `doctor` must come up where the C++ side does not load, and help is quick.
_VERBS = {
    "bench": ("wwep_rig.cli.bench:bench", "Make and check bench files."),
    "certs": ("wwep_rig.cli.certs:certs", "Make, look at, sign and convert certificates."),
    "compare": ("wwep_rig.cli.compare:compare", "What changed from one recording to another."),
    "completion": ("wwep_rig.cli.completion:completion", "Complete the command line in a shell."),
    "conform": ("wwep_rig.cli.conform:conform", "Try any WWEP server against the protocol."),
    "console": ("wwep_rig.cli.board:console", "Show what the target prints, live."),
    "doctor": ("wwep_rig.cli.doctor:doctor", "Is this bench usable, and if not, what to do?"),
    "export": ("wwep_rig.cli.export:export", "Write a recording for other programs to read."),
    "flash": ("wwep_rig.cli.board:flash", "Write an image into the board."),
    "network": ("wwep_rig.cli.network:network", "Print what makes a Pi the board's access point."),
    "power": ("wwep_rig.cli.board:power", "Switch the target on, off, or off and on again."),
    "press": ("wwep_rig.cli.press:press", "Press a button and show what comes of it."),
    "read": ("wwep_rig.cli.client:read", "Read a register of a WWEP server."),
    "release": ("wwep_rig.cli.release:release", "Put every button to high impedance."),
    "report": ("wwep_rig.cli.report:report", "Write a recording as one HTML page."),
    "reset": ("wwep_rig.cli.board:reset", "Reset the target and wait until it is ready."),
    "run": ("wwep_rig.cli.run:run", "Build a WICED application and let it run on a bench."),
    "send": ("wwep_rig.cli.client:send", "Send text to a WWEP server as it is."),
    "serve": ("wwep_rig.cli.serve:serve", "Be the WWEP server, in the clear and over TLS."),
    "shortest-press": (
        "wwep_rig.cli.shortest_press:shortest_press",
        "How short a press the target still accepts.",
    ),
    "show": ("wwep_rig.cli.show:show", "Show what a recording holds."),
    "soak": ("wwep_rig.cli.soak:soak", "Press again and again, and account for every press."),
    "verdict": ("wwep_rig.cli.verdict:verdict", "The exit code that a JUnit file stands for."),
    "watch": ("wwep_rig.cli.watch:watch", "What happens on a bench or in a recording, live."),
    "write": ("wwep_rig.cli.client:write", "Write a register of a WWEP server."),
}


class _Verbs(click.Group):
    """Finds a verb's module when the verb is used."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted(_VERBS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in _VERBS:
            return None
        module, _, name = _VERBS[cmd_name][0].partition(":")
        command = getattr(import_module(module), name)
        assert isinstance(command, click.Command)
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args[0] in _VERBS or args[0].startswith("-"):
            return super().resolve_command(ctx, args)
        like = get_close_matches(args[0], _VERBS, cutoff=0.7)
        remedy = f"did you mean {' or '.join(like)}?" if like else "wwep-rig --help lists them"
        ctx.fail(f"no verb {args[0]!r}: {remedy}")

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Verbs"):
            formatter.write_dl([(verb, _VERBS[verb][1]) for verb in self.list_commands(ctx)])


def version() -> str:
    """The package's version, from its metadata, else from the C++ side."""
    with contextlib.suppress(metadata.PackageNotFoundError):
        return metadata.version("wwep-rig")
    return str(import_module("wwep_rig._core").__version__)


def _print_version(ctx: click.Context, _: click.Parameter, is_asked: bool) -> None:
    if is_asked and not ctx.resilient_parsing:
        click.echo(f"wwep-rig {version()}")
        ctx.exit()


@click.command(cls=_Verbs, context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--version",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=_print_version,
    help="Show the version and exit.",
)
def cli() -> None:
    """Press a board's button, watch its LED, be its server.

    \b
    Examples, without any hardware:
        $ wwep-rig press button0            a simulated board, from press to reply
        $ wwep-rig serve                    a server, in one terminal
        $ wwep-rig write 0FAC 05 0001       its client, in another
        A0FAC050001

    \b
    Examples, for a board on a Raspberry Pi:
        $ wwep-rig bench new bench-1        a bench file, to be edited
        $ wwep-rig doctor --bench bench-1   is it usable, and if not, what to do?
        $ wwep-rig press button0 --bench bench-1

    Each verb shows its own: wwep-rig VERB --help. Exit codes: 0 good, 1 the target failed, 2 usage,
    3 rig error, 4 no bench.
    """


def _occupy_standard_descriptors() -> None:
    # With one of them closed, the next socket would get its number, and prints would land there.
    for number in (0, 1, 2):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)


def _exit_code_of(error: Exception) -> int:
    """By the exception's class; anything unknown is a mistake of this program."""
    names = {each.__name__ for each in type(error).__mro__}
    for name, code in (
        ("NoBench", NO_BENCH),
        ("RigError", RIG_ERROR),
        ("TargetFailed", TARGET_FAILED),
        ("CertificateError", RIG_ERROR),
    ):
        if name in names:
            return code
    raise error


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; the exit code."""
    _occupy_standard_descriptors()
    try:
        code = cli.main(args=arguments, prog_name="wwep-rig", standalone_mode=False)
        return code if isinstance(code, int) else 0
    except click.UsageError as error:
        error.show()
        return USAGE
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except click.Abort:
        click.echo("interrupted", err=True)
        return INTERRUPTED
    except BrokenPipeError:
        # Whoever read our output has seen enough; Python must not complain again at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except ImportError as error:
        if "_core" not in str(error):
            raise
        click.echo(f"wwep-rig: {error}. Build it: ci/build", err=True)
        return RIG_ERROR
    except Exception as error:
        exit_code = _exit_code_of(error)
        click.echo(f"wwep-rig: {error}", err=True)
        return exit_code
