"""Whom the board trusts: identities good and bad, roots right, wrong and absent."""

import pytest

from wwep_rig import Bench, RoundTrip, Until
from wwep_rig.bench_config import Verifies

pytestmark = pytest.mark.rig_needs("button1")


def _skip_unless_checked(bench: Bench, check: Verifies) -> None:
    if check not in bench.target.contract.verifies:
        pytest.skip(f"this firmware does not check the {check.value}")


def _press_and_be_refused(bench: Bench) -> RoundTrip:
    """Each attempt of the board's is broken off by it before it told the server anything."""
    window = bench.record()
    trip = bench.press("button1", until=Until.closed)
    met = window.wait_for_connections(
        1 + bench.target.contract.retries, timeout_s=bench.config.press_timeout_s
    )
    assert all(each.failure and each.frames == () for each in met)
    return trip


@pytest.mark.parametrize("identity", ["server-ecdsa", "server-rsa", "lab-self-signed"])
def test_good_identity_is_accepted(bench_with, identity):
    """The server's usual identities, and the self-signed one that the lab makes."""
    bench = bench_with(identity=identity)

    trip = bench.press("button1")

    assert trip.reply.accepted
    assert trip.connection.tls_version and not trip.connection.failure


@pytest.mark.parametrize(
    ("identity", "check"),
    [
        ("unknown-issuer", Verifies.CHAIN),
        ("unknown-self-signed", Verifies.CHAIN),
        ("missing-intermediate", Verifies.CHAIN),
        ("altered-signature", Verifies.CHAIN),
        ("expired", Verifies.TIME),
        ("not-yet-valid", Verifies.TIME),
        ("wrong-name", Verifies.NAME),
    ],
)
def test_bad_identity_is_refused_before_anything_is_sent(bench_with, identity, check):
    """A server that cannot prove who it is learns nothing: no frame reaches it."""
    bench = bench_with(identity=identity)
    _skip_unless_checked(bench, check)
    window = bench.record()

    _press_and_be_refused(bench)

    assert bench.server.register(bench.target.device_id, 5) is None
    assert window.stays_quiet(for_s=0.2)


def test_board_goes_on_after_it_refused_a_server(bench_with):
    """What went wrong over TLS does not keep the other button from its server."""
    bench = bench_with(identity="unknown-issuer")
    _skip_unless_checked(bench, Verifies.CHAIN)

    _press_and_be_refused(bench)

    assert bench.press("button0").reply.accepted


def test_board_without_a_root_certificate_accepts_anyone(bench_with):
    """The SDK does not verify without a root certificate, which is worth knowing."""
    bench = bench_with(identity="unknown-issuer", root_certificate="none")

    trip = bench.press("button1")

    assert trip.reply.accepted and trip.connection.secure


def test_led_flips_although_the_server_is_refused(bench_with):
    """The LED tells of the press, not of the server."""
    bench = bench_with(identity="unknown-issuer")
    _skip_unless_checked(bench, Verifies.CHAIN)
    was_on = bench.led("led1").is_on

    trip = _press_and_be_refused(bench)

    assert trip.led.is_on != was_on
