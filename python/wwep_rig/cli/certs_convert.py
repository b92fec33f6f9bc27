"""`wwep-rig certs convert`: PEM, DER, and C text for firmware."""

import base64
import json
import sys
from pathlib import Path
from typing import Any

import click

from wwep_rig import certs as pki
from wwep_rig.certs import convert
from wwep_rig.cli import certs_text as text
from wwep_rig.cli.certs_common import (
    errors_reported,
    explain_option,
    json_option,
    read_input,
    write_output,
)


@click.command("convert")
@click.argument("source", metavar="FILE")
@click.option(
    "--to",
    "form",
    required=True,
    type=click.Choice(["pem", "der", "c"]),
    help="The form to write.",
)
@click.option("-o", "--output", type=click.Path(path_type=Path), help="Write here, not to stdout.")
@click.option("--force", is_flag=True, help="Replace the output if it exists.")
@click.option("--array", metavar="NAME", help="Name of the C array. [from the file's name]")
@explain_option
@json_option
def convert_verb(
    source: str,
    form: str,
    output: Path | None,
    force: bool,
    array: str | None,
    explain: bool,
    as_json: bool,
) -> None:
    """Turn certificates and keys into PEM, DER, or C text for firmware.

    \b
        wwep-rig certs convert pki/root-ca.pem --to c -o root_ca.h
        wwep-rig certs convert firmware/certificate.h --to pem
        wwep-rig certs convert chain.pem --to der -o chain.der

    FILE is PEM with any number of certificates and keys, DER, or C source that holds PEM in string
    literals; - is stdin. C text is `static const char NAME[] = "-----BEGIN …\\r\\n" …;`, as the
    lab's sources want it, all of FILE in one array, since the SDK takes several roots as one text.
    DER holds one certificate a file: several become OUT-1.der, OUT-2.der and so on. A key's file is
    for you alone (mode 0600), and a key goes to no terminal.
    """
    with errors_reported(as_json):
        content = read_input(source)
        blocks = convert.blocks_in(content, source)
        has_key = any(each.is_key for each in blocks)
        array = _array_name(array, source, output)
        contents = _converted(blocks, form, array, source)
        if form == "der" and output is None and not as_json and sys.stdout.isatty():
            raise pki.InputError("DER is binary and stdout is a terminal: name a file with -o")
        if has_key and output is None and not as_json and sys.stdout.isatty():
            raise pki.InputError(f"{source} holds a private key: name a file with -o")
        if len(contents) > 1 and output is None:
            raise pki.InputError(
                f"{source} holds {len(contents)} certificates or keys, and DER is one a file: name "
                "them with -o OUT.der, which becomes OUT-1.der, OUT-2.der, …"
            )
        outputs = _numbered(output, len(contents)) if output else []
        for path, converted in zip(outputs, contents):
            write_output(path, converted, secret=has_key, force=force)
    if explain:
        text.explain_lines(text.convert_commands(source, content, form, blocks), outputs)
    report: dict[str, Any] = {
        "source": source,
        "to": form,
        "blocks": [each.label for each in blocks],
        "outputs": [str(path) for path in outputs],
        **({"array": array} if form == "c" else {}),
    }
    if as_json:
        if not outputs:
            report["base64"] = base64.b64encode(contents[0]).decode()
        click.echo(json.dumps(report, indent=2))
        return
    if not outputs:
        click.echo(contents[0], nl=False)
    what = ", ".join(each.label.lower() for each in blocks)
    where = "".join(f", {path}" for path in outputs)
    click.echo(f"{what}{where}" + (f", array {array}" if form == "c" else ""), err=True)


def _array_name(asked: str | None, source: str, output: Path | None) -> str:
    if asked is None:
        stem = Path(source).stem if source != "-" else output.stem if output else "certificate"
        return convert.c_identifier(stem)
    if convert.c_identifier(asked) != asked:
        raise pki.InputError(f"--array {asked}: no C identifier: letters, digits, underscores")
    return asked


def _converted(blocks: list[convert.PemBlock], form: str, array: str, source: str) -> list[bytes]:
    pem = b"".join(each.text.replace(b"\r\n", b"\n") + b"\n" for each in blocks)
    if form == "pem":
        return [pem]
    if form == "c":
        comment = f"From {Path(source).name} by wwep-rig certs convert."
        return [convert.c_text_of(pem, array=array, comment=comment)]
    return [convert.der_of_block(each) for each in blocks if each.label != "EC PARAMETERS"]


def _numbered(output: Path, count: int) -> list[Path]:
    if count == 1:
        return [output]
    return [output.with_name(f"{output.stem}-{n}{output.suffix}") for n in range(1, count + 1)]
