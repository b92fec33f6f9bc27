"""What only a board can show whose network, power and clock the rig holds: an emulated one."""

import time

import pytest

from wwep_rig import Until, faults
from wwep_rig.bench_config import Speed, Verifies

# When the identity of the future has begun and not ended, however long ago it was made.
FUTURE_S = 730 * 86_400 + 60
PRESSES = 500
GONE_S = 60.0
# What an interrupt leaves on the stack that it finds: eight registers and a word to align them.
# When one comes at the deepest point, which may happen late, that is as much deeper.
INTERRUPT_FRAME_BYTES = 9 * 4
CLOCK_SET_WITHIN_S = 30.0


@pytest.mark.rig_needs("network", "power", "button1")
def test_board_without_time_refuses_certificates_until_it_is_told(bench_with):
    """The certificate is good in two years: only a board that was told so takes it."""
    bench = bench_with(identity="not-yet-valid")
    if Verifies.TIME not in bench.target.contract.verifies:
        pytest.skip("this firmware does not check the time")

    with bench.network.no_time():
        bench.target.power_cycle()
        refused = bench.press("button1", until=Until.closed)
        told = bench.record()
        with bench.network.wrong_time(by_s=FUTURE_S):
            told.wait_for_console("set by SNTP", timeout_s=CLOCK_SET_WITHIN_S)
            accepted = bench.press("button1")

    assert refused.connection.failure and refused.frames == ()
    assert accepted.reply.accepted


@pytest.mark.rig_needs("reset", "led0")
def test_reset_puts_the_led_out_and_begins_afresh(bench, recording):
    """After a reset the board knows nothing of what was before."""
    while not bench.press("button0").led.is_on:
        pass

    bench.target.reset()

    assert not bench.led("led0").is_on
    assert bench.press("button0").frame.value == bench.target.contract.first_value


@pytest.mark.rig_needs("network")
def test_board_works_on_after_its_cable_was_pulled(bench, recording):
    """Pulled for longer than the board tries: that press is lost, and the next one is heard."""
    budgets = bench.config.budgets
    tries_s = (budgets.dns_ms + budgets.connect_ms) / 1000 + 1.0

    with bench.network.cable_pulled():
        unheard = bench.press("button0", until=Until.led)
        assert recording.stays_quiet(for_s=tries_s)
        assert recording.connections == ()
    heard = bench.press("button0")

    assert heard.reply.accepted
    assert heard.frame.value == heard.led.is_on != unheard.led.is_on


@pytest.mark.rig_needs("network")
def test_board_outlives_a_server_that_is_gone_for_a_minute(bench, recording):
    """It goes on flipping its LED, and its first press after that is heard."""
    ends_at = time.monotonic() + GONE_S

    with bench.server.fault(faults.Gone()):
        while (left_s := ends_at - time.monotonic()) > 0:
            bench.press("button0", until=Until.led)
            assert recording.stays_quiet(for_s=min(10.0, left_s))
        assert recording.connections == ()

    assert bench.press("button0").reply.accepted


@pytest.mark.rig_needs("network")
def test_name_that_leads_nowhere_is_no_end_of_the_board(bench, recording):
    """Nobody answers at the wrong address; once the name is right again the board is heard."""
    with bench.network.wrong_address("192.0.2.1"):
        bench.press("button0", until=Until.led)
        assert recording.stays_quiet(for_s=bench.config.budgets.connect_ms / 1000 + 1.0)
        assert recording.connections == ()

    assert bench.press("button0").reply.accepted


@pytest.mark.rig_needs("console-input", "button1")
def test_memory_does_not_grow_with_presses(bench, recording):
    """As much is in use after 500 of them, every fifth over TLS, as after the first ones."""
    before = None
    for count in range(PRESSES):
        trip = bench.press("button1" if count % 5 == 0 else "button0")
        assert trip.reply.accepted
        if count == 50:
            before = bench.target.marks()

    after = bench.target.marks()

    assert before is not None
    assert after.heap <= before.heap
    assert after.stack <= before.stack + INTERRUPT_FRAME_BYTES


@pytest.mark.rig_needs("speed", "power", "button1")
def test_brown_out_in_the_middle_of_a_handshake_harms_nobody(bench_with):
    """The server closes what is left of it, and the board begins afresh when its power is back."""
    bench = bench_with(speed=Speed.MCU)  # where a handshake takes its time
    window = bench.record()

    bench.start_press("button1")
    window.wait_for(_is_connection, "a connection", timeout_s=30.0)
    bench.target.kill()
    left = window.wait_for_connection_end(timeout_s=30.0)
    bench.release_buttons()
    bench.target.power_on()
    trip = bench.press("button1")

    assert left.failure and left.frames == ()
    assert trip.reply.accepted
    assert trip.frame.value == bench.target.contract.first_value


@pytest.mark.rig_needs("speed", "button1")
def test_handshake_takes_an_mcu_its_time(bench_with):
    """At about the speed of a real part TLS costs what it does there, and stays within budgets."""
    bench = bench_with(speed=Speed.MCU)

    trips = [bench.press("button1") for _ in range(3)]

    assert all(trip.reply.accepted for trip in trips)
    # Many millions of instructions at 16 ns each. Not each of them: a guest that this machine has
    # held up runs at full speed until it has caught up.
    assert max(trip.connection.handshake_ns for trip in trips) > 50_000_000


def _is_connection(event):
    return event.lane == "connection"
