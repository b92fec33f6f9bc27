"""The command line of build-app."""

import argparse
import re
import sys
from collections.abc import Sequence
from pathlib import Path

from build_app.application import read_application
from build_app.build import PORTS, build, show
from build_app.errors import BuildFailed, UsageError

EXIT_BUILD_FAILED = 1
EXIT_USAGE = 2


def _setting(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals or not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", name):
        raise argparse.ArgumentTypeError(f"{text!r} is not NAME=VALUE")
    return name, value


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="build-app",
        description="Builds an application written for the WICED SDK, unmodified, for a port. "
        "The last line on stdout is the program's path.",
        epilog="Exit status: 0 built, 1 the makefile or the sources are at fault, 2 usage.",
    )
    parser.add_argument("folder", metavar="FOLDER", type=Path, help="the application, with its .mk")
    parser.add_argument("--port", choices=tuple(PORTS), default="posix", help="default: posix")
    parser.add_argument(
        "--set",
        metavar="NAME=VALUE",
        type=_setting,
        action="append",
        default=[],
        help="a variable of the makefile, as on make's command line; one that the makefile does "
        "not know becomes a macro of the C sources",
    )
    parser.add_argument(
        "--lab-names", action="store_true", help="know the names that only the lab's text has"
    )
    parser.add_argument("-o", metavar="FILE", dest="output", type=Path, help="the program")
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    options = _parser().parse_args(arguments)
    settings: dict[str, str] = dict(options.set)
    try:
        output = options.output.absolute() if options.output is not None else None
        if output is not None and not output.parent.is_dir():
            raise UsageError(f"-o {options.output}: no folder {output.parent}")
        if output is not None and output.is_dir():
            raise UsageError(f"-o {options.output}: is a folder")
        application = read_application(options.folder.resolve(), settings)
        show("\n".join(f"warning: {text}" for text in application.warnings))
        key = f"{options.port} {options.lab_names} {sorted(settings.items())}"
        artefact, said = build(application, PORTS[options.port](), key, options.lab_names, output)
    except UsageError as error:
        show(f"build-app: {error}")
        return EXIT_USAGE
    except BuildFailed as error:
        show(f"{error}")
        return EXIT_BUILD_FAILED
    show(said)
    print(artefact, flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
