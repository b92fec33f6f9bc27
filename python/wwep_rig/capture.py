"""Packets as they go over the network, kept beside a recording by Wireshark's dumpcap."""

import getpass
import grp
import os
import pwd
import secrets
import shutil
import socket
import stat
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterable
from pathlib import Path
from typing import IO

from .closing import Closing
from .errors import RigError

# In datagrams that the rig sends itself: once dumpcap shows one, it has shown all before it.
MARK = b"wwep-rig marks its capture: "

_MARKS_SEEN_WITHIN_S = 20.0
_MARK_EVERY_S = 0.2
_CHUNK_BYTES = 65_536

# dumpcap ends when its standard input does, which is when the rig closes it or dies.
_WATCHED = (
    'dumpcap "$@" & child=$!; exec >&-; read -r _; kill -TERM "$child" 2>/dev/null; wait "$child"'
)
_REMEDY = (
    "sudo apt install wireshark-common, sudo dpkg-reconfigure wireshark-common (let others than "
    "root capture), sudo usermod -aG wireshark $USER, then log in again; or run as root"
)


def capture_path(recording: Path) -> Path:
    """Where the packets of a recorded run lie."""
    return recording.with_name(recording.name + ".pcapng")


def key_log_path(recording: Path) -> Path:
    """Where the TLS keys of a recorded run lie."""
    return recording.with_name(recording.name + ".keys")


def try_it() -> str:
    """Capture for a moment; who may do that here, for people.

    Raises:
        RigError: this user may not, with the remedy.
    """
    with tempfile.TemporaryDirectory(prefix="wwep-rig-capture-") as folder, Capture() as capture:
        capture.start([], Path(folder) / "try.pcapng")
    path = Path(str(shutil.which("dumpcap")))
    return f"{path} is for {_users_of(path)}"


def refusal(search_path: str, user: str) -> RigError:
    """Why a user finds no dumpcap in the folders of PATH that runs, and what to do about it."""
    for folder in search_path.split(os.pathsep):
        path = Path(folder) / "dumpcap"
        if path.is_file():
            group = _group_of(path)
            remedy = f"sudo usermod -aG {group} {user}, then log in again; or run as root"
            trouble = f"{user} may not run {path}: it is for {_users_of(path)}"
            return RigError(trouble, remedy if path.stat().st_mode & stat.S_IXGRP else _REMEDY)
    return RigError("there is no dumpcap", _REMEDY)


def _users_of(path: Path) -> str:
    """Who may run a program."""
    status = path.stat()
    if status.st_mode & stat.S_IXOTH:
        return "everyone"
    try:
        owner = pwd.getpwuid(status.st_uid).pw_name
    except KeyError:
        owner = f"user {status.st_uid}"
    owners = [owner] if status.st_mode & stat.S_IXUSR else []
    groups = [f"the group {_group_of(path)}"] if status.st_mode & stat.S_IXGRP else []
    return " and ".join(owners + groups) or "nobody"


def _group_of(path: Path) -> str:
    try:
        return grp.getgrgid(path.stat().st_gid).gr_name
    except KeyError:
        return str(path.stat().st_gid)


class Capture(Closing):
    """Captures what goes to and from some endpoints, from `start()` to `close()`.

    Both wait until dumpcap has shown a datagram that the rig sends itself: so no packet in between
    is missing. It sees the network of this process only, not a network namespace of a board.
    """

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None
        self._reader: threading.Thread | None = None
        self._marks: socket.socket | None = None
        self._errors: IO[bytes] | None = None
        self._shown = threading.Condition()
        self._marks_shown: set[bytes] = set()
        self._is_over = False

    def start(self, endpoints: Iterable[str], path: Path) -> None:
        """Begin; returns once packets are captured.

        Args:
            endpoints: addresses with ports, "127.0.0.1:27708"; a wildcard stands for all.
            path: the pcapng file to make, readable by its owner.

        Raises:
            RigError: it may not capture, or there is such a file already.
        """
        if shutil.which("dumpcap") is None:
            raise refusal(os.environ.get("PATH", os.defpath), getpass.getuser())
        try:
            out = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise RigError(f"make capture {path}: {error.strerror}") from None
        self._marks = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._marks.bind(("127.0.0.1", 0))
        self._marks.connect(self._marks.getsockname())
        port = self._marks.getsockname()[1]
        wanted = [*map(_filter_of, endpoints), f"(udp and src port {port} and dst port {port})"]
        self._errors = tempfile.TemporaryFile()
        self._process = subprocess.Popen(
            ["sh", "-c", _WATCHED, "sh", "-q", "-i", "any", "-f", " or ".join(wanted), "-w", "-"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            start_new_session=True,  # Ctrl-C is for the rig, which then ends the capture
        )
        self._reader = threading.Thread(target=self._copy, args=(out,), name="capture", daemon=True)
        self._reader.start()
        try:
            self._wait_for_mark()
        except RigError:
            self._end()
            path.unlink(missing_ok=True)
            raise

    def close(self) -> None:
        """End, once what was sent until now is in the file. Twice is fine."""
        if self._process is None:
            return
        try:
            self._wait_for_mark()
        finally:
            self._end()

    def _wait_for_mark(self) -> None:
        assert self._marks is not None
        mark = MARK + secrets.token_hex(8).encode()
        give_up_at = time.monotonic() + _MARKS_SEEN_WITHIN_S
        with self._shown:
            while mark not in self._marks_shown:
                if self._is_over or time.monotonic() > give_up_at:
                    raise RigError(f"capture packets: {self._why()}", _REMEDY)
                self._marks.send(mark)
                self._shown.wait(_MARK_EVERY_S)

    def _why(self) -> str:
        assert self._errors is not None
        self._errors.seek(0)
        lines = self._errors.read().decode(errors="replace").split("\n")
        told = [line.strip() for line in lines if line.strip() and not line.startswith("Capturing")]
        state = "dumpcap ended" if self._is_over else "dumpcap shows no packets"
        return f"{state}: {' '.join(told[:3])}" if told else state

    def _copy(self, out: int) -> None:
        """From dumpcap to the file, with an eye on the marks. On a thread of its own."""
        assert self._process is not None and self._process.stdout is not None
        size = len(MARK) + 16
        tail = b""
        with os.fdopen(out, "wb", buffering=0) as file:
            while chunk := os.read(self._process.stdout.fileno(), _CHUNK_BYTES):
                file.write(chunk)
                tail += chunk
                at = -1
                while (at := tail.find(MARK, at + 1)) >= 0 and at + size <= len(tail):
                    with self._shown:
                        self._marks_shown.add(tail[at : at + size])
                        self._shown.notify_all()
                tail = tail[-(size - 1) :]
        with self._shown:
            self._is_over = True
            self._shown.notify_all()

    def _end(self) -> None:
        assert self._process is not None and self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait()
        if self._reader is not None:
            self._reader.join()
        assert self._process.stdout is not None
        self._process.stdout.close()
        self._process = None
        for each in (self._marks, self._errors):
            if each is not None:
                each.close()


def _filter_of(endpoint: str) -> str:
    host, _, port = endpoint.rpartition(":")
    host = host.strip("[]").partition("%")[0]
    if host in ("0.0.0.0", "::"):
        return f"(tcp port {port})"
    return f"(host {host} and tcp port {port})"
