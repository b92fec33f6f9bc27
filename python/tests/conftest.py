"""What the tests of the package share: an environment of their own, the command, and pytest."""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

import pytest

from wwep_rig import capture
from wwep_rig.errors import RigError

COMMAND = "import sys; from wwep_rig.cli import main; sys.argv[0] = 'wwep-rig'; sys.exit(main())"


@dataclass(frozen=True)
class Done:
    """A process that has ended."""

    code: int
    out: str
    err: str


@pytest.fixture(scope="session")
def environment(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """This process's environment, but with a state directory that all tests share."""
    made = {name: text for name, text in os.environ.items() if not name.startswith("WWEP_")}
    made["XDG_STATE_HOME"] = str(tmp_path_factory.mktemp("state"))
    made["XDG_CONFIG_HOME"] = str(tmp_path_factory.mktemp("config"))
    made["WWEP_RIG_LOCKS"] = str(tmp_path_factory.mktemp("locks"))
    made["PYTHONPATH"] = os.pathsep.join(path for path in sys.path if path)
    made["PYTHONUNBUFFERED"] = "1"
    made["WWEP_RIG_REPORT"] = "none"  # a page takes a moment, and most tests look at none
    return made


@pytest.fixture
def wwep_rig(environment: dict[str, str], tmp_path: Path) -> Callable[..., Done]:
    """Runs the command `wwep-rig` to its end."""

    def run(
        *arguments: str, timeout_s: float = 30.0, variables: dict[str, str] | None = None
    ) -> Done:
        done = subprocess.run(
            [sys.executable, "-c", COMMAND, *arguments],
            env={**environment, **(variables or {})},
            cwd=tmp_path,
            capture_output=True,
            stdin=subprocess.DEVNULL,
            text=True,
            timeout=timeout_s,
            check=False,
        )
        return Done(done.returncode, done.stdout, done.stderr)

    return run


@pytest.fixture
def start(
    environment: dict[str, str], tmp_path: Path
) -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """Starts the command `wwep-rig`; whatever still runs at the end is killed."""
    started: list[subprocess.Popen[str]] = []

    def run(
        *arguments: str, stdout: int = subprocess.PIPE, stdin: int = subprocess.DEVNULL
    ) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [sys.executable, "-c", COMMAND, *arguments],
            env=environment,
            cwd=tmp_path,
            stdout=stdout,
            stderr=subprocess.PIPE,
            stdin=stdin,
            text=True,
        )
        started.append(process)
        return process

    yield run
    for process in started:
        if process.poll() is None:
            process.send_signal(signal.SIGKILL)
        process.communicate()


@pytest.fixture(scope="session")
def may_capture() -> None:
    """Skips, with the remedy, where this user may not capture packets."""
    try:
        capture.try_it()
    except RigError as error:
        pytest.skip(str(error))


@pytest.fixture
def tshark(wwep_rig, tmp_path) -> Iterator[Callable[..., list[list[str]]]]:
    """Reads a capture with the dissector: the fields of each packet that passes a filter.

    Wireshark 4.4 runs no scripts for root: then it is nobody who reads, in a folder of its own.
    """
    dissector = wwep_rig("export", "--dissector")
    assert dissector.code == 0, dissector.err
    folder = Path(tempfile.mkdtemp(prefix="wwep-rig-tshark-"))
    folder.chmod(0o755)
    shutil.copy(dissector.out.strip(), folder / "wwep.lua")
    is_root = os.geteuid() == 0
    as_nobody = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"] * is_root

    def read(name: str, wanted: str, *fields: str, settings: Sequence[str] = ()) -> list[list[str]]:
        options = [word for field in fields for word in ("-e", field)]
        options += list(settings)
        shutil.copyfile(tmp_path / name, folder / name)
        (folder / name).chmod(0o644)
        checks = ("-o", "tcp.check_checksum:TRUE", "-o", "ip.check_checksum:TRUE")
        done = subprocess.run(
            [
                *as_nobody,
                "tshark",
                "-2",
                "-X",
                "lua_script:wwep.lua",
                *checks,
                "-r",
                name,
                "-Y",
                wanted,
                "-T",
                "fields",
            ]
            + ["-E", "occurrence=a", *options],
            cwd=folder,
            env={**os.environ, "HOME": str(folder)},
            capture_output=True,
            text=True,
            check=True,
            timeout=60,
        )
        assert "Lua" not in done.stderr, done.stderr
        return [line.split("\t") for line in done.stdout.splitlines()]

    yield read
    shutil.rmtree(folder)


@pytest.fixture(scope="session")
def command_of_pytest() -> list[str]:
    """How to run pytest with the plugin, whether or not the package is installed."""
    installed = {each.name for each in metadata.entry_points(group="pytest11")}
    plugin = [] if "wwep_rig" in installed else ["-p", "wwep_rig.pytest_plugin"]
    return [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", *plugin]


@pytest.fixture
def run_pytest(
    environment: dict[str, str], tmp_path: Path, command_of_pytest: list[str]
) -> Callable[..., Done]:
    """Runs pytest on a file of tests, in a folder of its own."""

    def run(
        source: str, *arguments: str, ini: str = "", variables: dict[str, str] | None = None
    ) -> Done:
        (tmp_path / "test_it.py").write_text(source)
        (tmp_path / "pytest.ini").write_text(f"[pytest]\n{ini}\n")
        done = subprocess.run(
            [*command_of_pytest, "test_it.py", *arguments],
            env={**environment, **(variables or {})},
            cwd=tmp_path,
            capture_output=True,
            stdin=subprocess.DEVNULL,
            text=True,
            timeout=60,
            check=False,
        )
        return Done(done.returncode, done.stdout, done.stderr)

    return run
