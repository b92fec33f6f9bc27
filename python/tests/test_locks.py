"""One user of a bench at a time."""

import os
import signal
import subprocess
import sys

import pytest

from wwep_rig.errors import NoBench
from wwep_rig.locks import BenchLock, holder_of, lock_path

HOLD = """
import sys
from pathlib import Path
from wwep_rig.locks import BenchLock
with BenchLock("bench-1", "pytest scenarios", directory=Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def other_user(environment, tmp_path):
    """Another process that has the bench; it lets go when its standard input is closed."""
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(tmp_path)],
        env=environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None and process.stdout.readline() == "held\n"
    try:
        yield process
    finally:
        process.communicate()


def test_second_user_is_told_who_has_the_bench(other_user, tmp_path):
    with pytest.raises(NoBench) as caught:
        BenchLock("bench-1", "me", directory=tmp_path)

    text = str(caught.value)
    assert "bench-1 is in use" in text
    assert f"process {other_user.pid} of " in text
    assert "(pytest scenarios)" in text


def test_other_benches_are_not_held(other_user, tmp_path):
    with BenchLock("bench-2", "me", directory=tmp_path):
        holder = holder_of("bench-2", tmp_path)

    assert holder is not None and holder.pid == os.getpid()


def test_lock_is_free_when_its_holder_has_let_go(other_user, tmp_path):
    other_user.communicate()

    with BenchLock("bench-1", "me", directory=tmp_path):
        pass
    assert holder_of("bench-1", tmp_path) is None


def test_lock_dies_with_its_holder(other_user, tmp_path):
    other_user.send_signal(signal.SIGKILL)
    other_user.wait()

    with BenchLock("bench-1", "me", directory=tmp_path):
        pass


def test_waiting_ends_when_the_holder_lets_go(other_user, tmp_path):
    assert other_user.stdin is not None
    other_user.stdin.close()
    other_user.stdin = None

    with BenchLock("bench-1", "me", wait_s=10.0, directory=tmp_path):
        pass


def test_waiting_ends_when_the_time_is_over(other_user, tmp_path):
    with pytest.raises(NoBench, match=r"in use after 0\.2 s of waiting"):
        BenchLock("bench-1", "me", wait_s=0.2, directory=tmp_path)


def test_child_processes_do_not_inherit_the_lock(tmp_path):
    lock = BenchLock("bench-1", "me", directory=tmp_path)
    child = subprocess.Popen(["sleep", "60"], close_fds=False)
    try:
        lock.close()

        assert holder_of("bench-1", tmp_path) is None
    finally:
        child.kill()
        child.wait()


def test_symbolic_link_in_place_of_a_lock_is_refused(tmp_path):
    lock_path("bench-1", tmp_path).symlink_to(tmp_path / "elsewhere")

    with pytest.raises(NoBench, match="lock"):
        BenchLock("bench-1", "me", directory=tmp_path)
    assert not (tmp_path / "elsewhere").exists()
