"""A server whose TLS goes wrong: the board lives with it, and tells nobody what it should not."""

from typing import Literal

import pytest

from wwep_rig import Until, faults
from wwep_rig.bench_config import Verifies

pytestmark = pytest.mark.rig_needs("button1", "led1")

_Message = Literal["server_hello", "certificate", "finished", "reply"]
MESSAGES: tuple[_Message, ...] = ("server_hello", "certificate", "finished", "reply")
# Some wait for a version of TLS or for a client that resumes: they may find nothing to befall.
BROKEN = [
    faults.TlsWrongVersion(),
    faults.TlsWrongCipher(),
    faults.TlsOnlyCipher(cipher="ECDHE-RSA-CHACHA20-POLY1305:ECDHE-ECDSA-CHACHA20-POLY1305"),
    faults.TlsOnlyVersion(version="TLSv1.2"),
    faults.TlsOnlyVersion(version="TLSv1.3"),
    *(faults.TlsStall(at=message, for_s=1.0) for message in MESSAGES),
    *(faults.TlsClose(at=message) for message in MESSAGES),
    *(faults.TlsReset(at=message) for message in MESSAGES),
    *(faults.TlsAlert(at=message) for message in MESSAGES),
    faults.TlsUnusableRequest(),
    faults.TlsRefuseClient(),
    faults.TlsNoCloseNotify(),
    faults.TlsTinyRecords(),
    faults.TlsOversizedRecord(),
    faults.TlsOversizedRecord(at="certificate", bytes=65535),
    faults.TlsRefuseTicket(),
    faults.TlsRenegotiate(),
    faults.TlsKeyUpdate(),
    faults.PlainOnSecure(),
    faults.ClosedAtAccept(),
    faults.NoReply(),
    faults.Reset(bytes=600, of="sent"),
    faults.Bytewise(gap_s=0.01),
    faults.LongReply(),
    faults.CloseInReply(),
]
OPTIONAL = (faults.TlsRefuseTicket, faults.TlsRenegotiate, faults.TlsKeyUpdate)


@pytest.mark.parametrize("fault", BROKEN, ids=str)
def test_board_lives_with_broken_tls(bench, recording, fault):
    """Whatever goes wrong: the LED tells of the press, and the next one is heard."""
    optional = isinstance(fault, OPTIONAL)
    with bench.server.fault(fault, nth=1, optional=optional):
        spoilt = bench.press("button1", until=Until.closed)

    if bench.target.contract.retries:
        # Its next attempt, if it makes one, must not be taken for the next press's.
        recording.stays_quiet(for_s=0.3)
        assert bench.wait_until_idle(timeout_s=bench.config.press_timeout_s)
    heard = bench.press("button1")

    assert heard.reply.accepted
    assert heard.frame.value == heard.led.is_on != spoilt.led.is_on


def test_board_in_the_clear_lives_with_a_server_that_speaks_tls(bench, recording):
    """The port is right, and what listens there is not."""
    with bench.server.fault(faults.TlsOnClear(), nth=1):
        spoilt = bench.press("button0", until=Until.closed)

    heard = bench.press("button0")

    assert heard.reply.accepted
    assert heard.frame.value == heard.led.is_on != spoilt.led.is_on


@pytest.mark.parametrize(
    ("identity", "check"),
    [
        ("unknown-issuer", Verifies.CHAIN),
        ("unknown-self-signed", Verifies.CHAIN),
        ("altered-signature", Verifies.CHAIN),
        ("key-mismatch", Verifies.CHAIN),
        ("expired", Verifies.TIME),
        ("not-yet-valid", Verifies.TIME),
        ("wrong-name", Verifies.NAME),
    ],
)
def test_bad_identity_in_between_learns_nothing(bench, recording, identity, check):
    """One message meets an impostor: he gets no frame, and the next press reaches the server."""
    if check not in bench.target.contract.verifies:
        pytest.skip(f"this firmware does not check the {check.value}")

    attempts = 1 + bench.target.contract.retries

    with bench.server.fault(faults.TlsIdentity(name=identity)) as fired:
        refused = bench.press("button1", until=Until.closed)
        met = recording.wait_for_connections(attempts, timeout_s=bench.config.press_timeout_s)

    assert fired.count == attempts
    assert all(each.failure and each.frames == () for each in met)
    assert bench.server.register(bench.target.device_id, 5) is None
    heard = bench.press("button1")
    assert heard.frame.value == heard.led.is_on != refused.led.is_on
