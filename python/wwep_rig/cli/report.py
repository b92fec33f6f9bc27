"""`wwep-rig report`: a recording as one page."""

import os
from pathlib import Path

import click

from wwep_rig.recorded import RecordedRun
from wwep_rig.recordings import newest
from wwep_rig.report import write_report
from wwep_rig.user_dirs import state_directory

from .common import json_option, print_json, progress


@click.command()
@click.argument(
    "recording", required=False, type=click.Path(exists=True, dir_okay=False, path_type=Path)
)
@click.option(
    "-o",
    "--output",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="The page.  [default: RECORDING.html, beside the recording]",
)
@click.option("--test", "nodeid", default="", metavar="NODEID", help="Of one test of it only.")
@json_option
def report(recording: Path | None, output: Path | None, nodeid: str, as_json: bool) -> None:
    """Write RECORDING as one HTML page that needs nothing else: no network, no rig.

    Verdict, what failed, a timeline to zoom into, latencies with the rig's floor, every round trip,
    TLS facts, faults, and what was built and on which bench. Without RECORDING it is the newest one
    in your state directory.

    \b
    Example:
        $ wwep-rig report night.sqlite -o night.html
        night.html
    """
    path = recording or newest(state_directory(os.environ) / "recordings")
    with progress("reading the recording"):
        page = write_report(
            RecordedRun(path), output or path.with_name(path.name + ".html"), nodeid=nodeid
        )
    if as_json:
        print_json({"report": str(page), "bytes": page.stat().st_size})
    else:
        click.echo(str(page))
