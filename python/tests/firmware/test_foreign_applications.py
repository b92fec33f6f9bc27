"""Applications in the SDK's own style, built unmodified: other habits than those of our programs.

The client casts its thread's main, deletes packets that it has sent, mixes queue, mutex and
semaphore, and looks its server up with three arguments; the server is made of callbacks.
"""

import os
import shutil
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from wwep_rig import certs

FOREIGN = Path(__file__).resolve().parent / "foreign"
COMMAND = "import sys; from wwep_rig.cli import main; sys.argv[0] = 'wwep-rig'; sys.exit(main())"


@pytest.fixture
def foreign(tmp_path: Path, environment: dict[str, str]) -> Path:
    """A tree as the SDK has it, with both applications and the root of this user's bench."""
    apps = tmp_path / "sdk" / "apps" / "lab"
    shutil.copytree(FOREIGN, apps)
    resources = tmp_path / "sdk" / "resources" / "apps" / "lab"
    resources.mkdir(parents=True)
    state = Path(environment["XDG_STATE_HOME"]) / "wwep-rig" / "certs"
    shutil.copy(certs.ensure(state).root_path, resources / "root.pem")
    return apps


def test_foreign_client_talks_in_the_clear_and_over_tls(foreign, environment, tmp_path_factory):
    words = ["run", "--app", str(foreign / "button_client"), "--ready", "Press the button"]
    words += ["--press", "button0", "--press", "button0"]
    cache = str(tmp_path_factory.getbasetemp() / "cache")
    with subprocess.Popen(
        [sys.executable, "-c", COMMAND, *words],
        env={**environment, "XDG_CACHE_HOME": cache},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None and process.stderr is not None
        replies = []
        for line in process.stdout:
            if "reply" in line:
                replies.append(line.split("console")[1].strip())
            if len(replies) == 4:
                break
        process.terminate()
        said = process.stderr.read()

    assert replies, said
    assert replies == [
        "plain reply: A0003050001",
        "secure reply: A0003050001",
        "plain reply: A0003050000",
        "secure reply: A0003050000",
    ]
    assert "warning" not in said and "error" not in said
    assert process.returncode == 0


def ask(address: str, frame: bytes) -> bytes:
    """One transaction: everything up to a pause or the end."""
    with socket.create_connection((address, 27708), 10) as made:
        made.sendall(frame)
        made.shutdown(socket.SHUT_WR)
        answer = b""
        while part := made.recv(100):
            answer += part
        return answer


def test_foreign_server_with_callbacks_keeps_registers(foreign, start, address):
    before = sorted(os.listdir(foreign / "reg_server"))
    board = start(foreign / "reg_server")
    board.wait_for("server start 0")

    assert ask(address, b"W0FAC0B1234") == b"A0FAC0B1234"
    assert ask(address, b"R0FAC0B") == b"A0FAC0B1234"
    assert ask(address, b"R0BAC0B") == b"X"
    assert ask(address, b"W01234") == b"X Illegal"
    board.wait_for("4: W01234")
    assert sorted(os.listdir(foreign / "reg_server")) == before
