"""`wwep-rig export`: a recording in the formats of other programs."""

import io
import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, TextIO

import click

from wwep_rig.capture import capture_path, key_log_path
from wwep_rig.errors import RigError
from wwep_rig.export import (
    TIMELINE,
    Recorded,
    TimeUnit,
    copy_capture,
    rebuild_packets,
    write_csv,
    write_jsonl,
    write_vcd,
)
from wwep_rig.recordings import newest
from wwep_rig.user_dirs import state_directory

from .common import json_option, print_json, progress

_FORMATS = ("csv", "jsonl", "pcapng", "vcd")
_STDOUT = "-"
_DISSECTOR = Path(__file__).parent.parent / "wireshark" / "wwep.lua"
_INSTALL_HINT = (
    "Copy it to ~/.local/lib/wireshark/plugins, or name it when Wireshark starts: "
    'wireshark -X lua_script:"$(wwep-rig export --dissector)" FILE\n'
    "Wireshark 4.4 and later run neither for root."
)


@dataclass(frozen=True)
class _Packets:
    """Where the packets of an export come from.

    Attributes:
        capture: what was captured; None: they are rebuilt from the recording.
        key_log: the TLS keys that go with them; empty: none.
    """

    capture: Path | None
    key_log: bytes


def _tell_dissector(ctx: click.Context, _: click.Parameter, is_asked: bool) -> None:
    if is_asked and not ctx.resilient_parsing:
        click.echo(str(_DISSECTOR))
        click.echo(_INSTALL_HINT, err=True)
        ctx.exit()


@click.command()
@click.argument("recording", required=False, type=click.Path())
@click.option("--format", "format_", type=click.Choice(_FORMATS), help="What to make of it.")
@click.option(
    "-o",
    "--output",
    type=click.Path(dir_okay=False),
    metavar="FILE",
    help="Where to; - or nothing: standard output.",
)
@click.option("--overwrite", is_flag=True, help="Replace an existing FILE.")
@click.option(
    "--table",
    "tables",
    multiple=True,
    metavar="NAME",
    help="csv and jsonl: only this table. jsonl: may repeat.",
)
@click.option(
    "--time-unit",
    type=click.Choice([unit.word for unit in TimeUnit]),
    default=TimeUnit.US.word,
    show_default=True,
    help="vcd: how finely it tells times. PulseView keeps a sample for each unit: ns is for short "
    "recordings.",
)
@click.option(
    "--rebuilt", is_flag=True, help="pcapng: rebuild the packets even if they were captured."
)
@click.option(
    "--keys",
    type=click.Path(exists=True, dir_okay=False),
    metavar="FILE",
    help="pcapng: the TLS keys that go into the file. Default: those beside the recording.",
)
@click.option("--no-keys", is_flag=True, help="pcapng: no TLS keys go into the file.")
@click.option(
    "--dissector",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=_tell_dissector,
    help="Print where the WWEP dissector for Wireshark lies, and how to install it.",
)
@json_option
def export(
    recording: str | None,
    format_: str | None,
    output: str | None,
    overwrite: bool,
    tables: tuple[str, ...],
    time_unit: str,
    rebuilt: bool,
    keys: str | None,
    no_keys: bool,
    as_json: bool,
) -> int:
    """Write a recording in a format that other programs read.

    Without RECORDING it is the newest one in your state directory. One that is still being written
    can be exported: what was recorded until then is there.

    \b
    csv     one table, for spreadsheets; the timeline unless --table names another
    jsonl   one JSON object a line, all tables in the order of time, or those that --table names
    pcapng  the packets, for Wireshark: as they were captured if the run was asked to (serve
            --capture, pytest --rig-capture), with the TLS keys that it was asked to keep
            (serve --keylog, pytest --rig-keys). Otherwise they are rebuilt from the recording:
            the file says so, and what went over TLS is in the clear
    vcd     levels of buttons and LEDs, with markers for presses, connections, frames and replies,
            for GTKWave and PulseView

    Bytes are in hex in csv and jsonl. Times are nanoseconds of the recording's own clock;
    wall_time_ns is the same moment since 1970.

    \b
    Examples:
        $ wwep-rig export run.sqlite --format csv --table frames | head
        $ wwep-rig export run.sqlite --format jsonl | jq 'select(.table == "edges")'
        $ wwep-rig export run.sqlite --format vcd -o run.vcd && gtkwave run.vcd
        $ wwep-rig export run.sqlite --format pcapng -o run.pcapng
        $ tshark -X lua_script:"$(wwep-rig export --dissector)" -r run.pcapng \\
              -Y 'wwep.register == 5'

    A pcapng file with TLS keys is readable by its owner alone: whoever has it can read the packets.
    With --json, and -o, it says in JSON what was written.
    """
    _refuse_what_does_not_fit(format_, tables, rebuilt, keys, no_keys)
    to_file = output not in (None, _STDOUT)
    if as_json and not to_file:
        raise click.UsageError("--json says what was written to a file: name one with -o")
    if format_ == "pcapng" and not to_file and sys.stdout.isatty():
        raise click.UsageError("pcapng is not for a terminal: name a file with -o")
    recorded = Recorded(Path(recording or newest(state_directory(os.environ) / "recordings")))
    packets = _Packets(None, b"")
    if format_ == "pcapng":
        packets = _packets_of(recorded.path, rebuilt, keys, no_keys)

    count = 0

    def write(out: BinaryIO) -> None:
        nonlocal count
        if format_ == "csv":
            _as_text(out, lambda text: write_csv(recorded, tables[0] if tables else TIMELINE, text))
        elif format_ == "jsonl":
            _as_text(out, lambda text: write_jsonl(recorded, tables or recorded.tables, text))
        elif format_ == "vcd":
            _as_text(out, lambda text: write_vcd(recorded, text, TimeUnit[time_unit.upper()]))
        else:
            count = _write_packets(recorded, packets, out)

    if not to_file:
        write(sys.stdout.buffer)
        return 0
    assert output is not None
    path = Path(output)
    with progress(f"writing {output}"):
        _write_file(path, overwrite, 0o600 if packets.key_log else 0o666, write)
    if as_json:
        facts: dict[str, object] = {"file": output, "format": format_}
        facts |= {"bytes": path.stat().st_size, "recording": str(recorded.path)}
        if format_ == "pcapng":
            facts |= {"rebuilt": packets.capture is None, "keys": bool(packets.key_log)}
            facts["packets"] = count
        print_json(facts)
    return 0


def _refuse_what_does_not_fit(
    format_: str | None, tables: tuple[str, ...], rebuilt: bool, keys: str | None, no_keys: bool
) -> None:
    if format_ is None:
        raise click.UsageError(f"say --format: {', '.join(_FORMATS)}")
    if tables and format_ not in ("csv", "jsonl"):
        raise click.UsageError("--table is for csv and jsonl")
    if format_ == "csv" and len(tables) > 1:
        raise click.UsageError("csv holds one table: name one, or take jsonl")
    if (rebuilt or keys or no_keys) and format_ != "pcapng":
        raise click.UsageError("--rebuilt, --keys and --no-keys are for pcapng")
    if keys and (rebuilt or no_keys):
        raise click.UsageError(
            "--keys does not go with --no-keys, nor with --rebuilt: rebuilt "
            "packets are in the clear"
        )


def _packets_of(recording: Path, rebuilt: bool, keys: str | None, no_keys: bool) -> _Packets:
    capture = capture_path(recording)
    if rebuilt or not capture.exists():
        if keys:
            raise click.UsageError(f"--keys: nothing was captured, there is no {capture}")
        return _Packets(None, b"")
    key_log = Path(keys) if keys else key_log_path(recording)
    if no_keys or not key_log.exists():
        return _Packets(capture, b"")
    try:
        return _Packets(capture, key_log.read_bytes())
    except OSError as error:
        raise RigError(f"read {key_log}: {error.strerror}; or say --no-keys") from None


def _write_packets(recorded: Recorded, packets: _Packets, out: BinaryIO) -> int:
    """Returns how many there are."""
    if packets.capture is None:
        from . import version

        return rebuild_packets(recorded, out, f"wwep-rig {version()}")
    with packets.capture.open("rb") as captured:
        count = copy_capture(captured, packets.key_log, out, str(packets.capture))
    if count == 0 and any(recorded.rows("connections")):
        click.echo(
            f"wwep-rig: {packets.capture} holds no packets, although there were connections: the "
            "board's network was not this machine's. Say --rebuilt to have them rebuilt.",
            err=True,
        )
    return count


def _as_text(out: BinaryIO, write: Callable[[TextIO], None]) -> None:
    text = io.TextIOWrapper(out, encoding="utf-8", newline="")
    write(text)
    text.flush()
    text.detach()


def _write_file(path: Path, overwrite: bool, mode: int, write: Callable[[BinaryIO], None]) -> None:
    """Write beside the file and put it there when it is whole."""
    if path.exists() and not overwrite:
        raise click.UsageError(f"{path} exists: name another file, or say --overwrite")
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        with open(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as out:
            write(out)
        part.replace(path)
    except OSError as error:
        raise RigError(f"write {path}: {error.strerror}") from None
    finally:
        part.unlink(missing_ok=True)
