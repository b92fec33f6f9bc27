"""Boards that are the server: whether they answer as the protocol says, case by case."""

import pytest

from wwep_rig.conformance import Outcome, cases

pytestmark = pytest.mark.rig_role("server")


@pytest.mark.parametrize("secure", [False, True], ids=["in-the-clear", "over-tls"])
@pytest.mark.parametrize("case", cases(), ids=[case.name for case in cases()])
def test_server_conforms(bench, recording, record_property, case, secure):
    """One case of the suite; a deviation from a ruling is noted, and is no failure."""
    if not bench.target.server.serves(secure=secure):
        pytest.skip(f"the target does not serve {'over TLS' if secure else 'in the clear'}")

    result = bench.target.server.conform(case.name, secure=secure)

    if result.outcome is Outcome.SKIPPED:
        pytest.skip(result.reason)
    if result.outcome is Outcome.NOTE:
        record_property("note", result.reason)
    assert result.outcome is not Outcome.FAIL, "\n".join((result.reason, *result.evidence()))
