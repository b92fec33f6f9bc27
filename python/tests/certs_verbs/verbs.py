"""What the tests of `wwep-rig certs` share: a runner, and requests to sign."""

import contextlib
import json
import os
import pty
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from wwep_rig import certs as pki
from wwep_rig.cli.certs import certs


@dataclass(frozen=True)
class Ran:
    """What a verb left behind."""

    status: int
    out: str
    err: str

    @property
    def json(self) -> dict[str, object]:
        """stdout as JSON."""
        document: dict[str, object] = json.loads(self.out)
        return document


class Runner:
    """Calls the group as the console script does."""

    def __init__(self, capsys: pytest.CaptureFixture[str]) -> None:
        self._capsys = capsys

    def __call__(self, *arguments: str | Path) -> Ran:
        with pytest.raises(SystemExit) as ended:
            certs.main([str(each) for each in arguments], prog_name="wwep-rig certs")
        captured = self._capsys.readouterr()
        return Ran(int(ended.value.code or 0), captured.out, captured.err)


def make_request(where: Path, *extra: str, key: str = "rsa:2048") -> Path:
    """A request by openssl, for the common name board-7."""
    subprocess.run(
        [
            *("openssl", "req", "-newkey", key, "-nodes", "-subj", "/CN=board-7", *extra),
            *("-keyout", where / "board.key", "-out", where / "board.csr"),
        ],
        check=True,
        stderr=subprocess.DEVNULL,
    )
    return where / "board.csr"


def verified(made: pki.CertificateSet, path: Path, purpose: str) -> str:
    """openssl's verdict on a signed request."""
    done = subprocess.run(
        [
            *("openssl", "verify", "-x509_strict", "-purpose", purpose),
            *("-CAfile", made.root_path, "-untrusted", path, path),
        ],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    return done.stdout.replace(f"{path}", "it")


def run_explained(ran: Ran, where: Path, output: Path) -> None:
    """Runs the lines that a verb explained itself with, as printed, with another output."""
    lines = [line.strip() for line in ran.err.splitlines() if line.startswith("  ")]
    assert lines
    for line in lines:
        again = line.replace(str(output.with_suffix("")), str(where / output.stem))
        subprocess.run(again, shell=True, cwd=where, check=True, timeout=60)


def on_a_terminal(words: list[str], prompt: str, answer: str) -> tuple[int, str]:
    """Runs a verb on a terminal of its own, answers its prompt; its status and what is seen."""
    program = f"from wwep_rig.cli.certs import certs; certs.main({words!r})"
    child, terminal = pty.fork()
    if child == 0:
        os.environ["PYTHONPATH"] = os.pathsep.join(path for path in sys.path if path)
        os.environ["COLUMNS"] = "200"
        os.execv(sys.executable, [sys.executable, "-c", program])

    said = b""
    while prompt.encode() not in said:  # a blank may be its last word
        said += os.read(terminal, 1000)
    os.write(terminal, f"{answer}\n".encode())
    with contextlib.suppress(OSError):  # a terminal whose process has ended
        while part := os.read(terminal, 1000):
            said += part
    os.close(terminal)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), said.decode()
