"""The inputs that the fuzzers begin with."""

import subprocess
from pathlib import Path

import pytest
from fuzz_seeds import seeds

REPOSITORY = Path(__file__).resolve().parent.parent.parent


def test_every_fuzz_target_has_seeds_and_is_run():
    listed = (REPOSITORY / "ci" / "fuzz").read_text()
    found = [*REPOSITORY.glob("harness/**/*_fuzz.cpp"), *REPOSITORY.glob("rig/**/*_fuzz.cpp")]

    assert len(found) >= 3
    for source in found:
        assert seeds(source.stem), source
        assert str(source.relative_to(REPOSITORY).with_suffix("")) in listed


def test_client_hellos_are_tls_records_of_the_handshake_but_one():
    hellos = seeds("client_hello_fuzz")

    assert [hello[:1] == b"\x16" for hello in hellos] == [True] * (len(hellos) - 1) + [False]
    assert b"wwep.ww101.cypress.com" in hellos[0]
    assert b"wwep.ww101.cypress.com" not in hellos[2]


@pytest.mark.parametrize("seconds", ["0", "-1", "many", "1000000000"])
def test_length_that_makes_no_sense_is_a_usage_error(seconds):
    done = subprocess.run(
        [REPOSITORY / "ci" / "fuzz", seconds], capture_output=True, text=True, check=False
    )

    assert done.returncode == 2
    assert "usage: ci/fuzz" in done.stderr
