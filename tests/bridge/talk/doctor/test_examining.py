"""The doctor in rooms that are known: what it measures, what it says, and what it makes of devices that fail."""

import asyncio
from collections.abc import Sequence

import pytest

from bridge.legs.device.choice import DeviceChoice
from bridge.legs.device.host import Callback, DeviceError, Stream, StreamAsk
from bridge.talk.doctor.examining import Examination, examine
from bridge.talk.doctor.findings import Finding, findings, is_usable, needs_half_duplex
from bridge.virtual import run_virtual
from tests.fakes.room import Room, RoomHost

ANY = DeviceChoice()


def examined(room: Room, choice: DeviceChoice = ANY) -> Examination:
    async def run() -> Examination:
        host = RoomHost(room)
        try:
            return await examine(host, choice)
        finally:
            assert not any(stream.active for stream in host.open)

    return run_virtual(run())


def said(room: Room, *, has_aec: bool = True) -> list[Finding]:
    return findings(examined(room), has_aec=has_aec)


def texts(found: Sequence[Finding], grade: str) -> str:
    return "\n".join(finding.text for finding in found if finding.grade == grade)


@pytest.mark.parametrize("delay_ms", [3, 40, 300])
def test_the_round_trip_is_from_the_call_for_a_sample_to_the_call_that_brings_it_back(
    delay_ms: float,
) -> None:
    found = examined(Room(delay_ms=delay_ms, out_ms=20, in_ms=10))
    # A sample waits for its block to be full, up to 10 ms.
    assert found.measured.delay_ms == pytest.approx(delay_ms + 30, abs=10.5)
    assert found.claimed_ms == pytest.approx(30, abs=0.5)
    assert found.complete
    assert found.glitches == 0


@pytest.mark.parametrize("ppm", [-180, 0, 60])
def test_drift_between_the_two_devices_is_measured(ppm: float) -> None:
    found = examined(Room(drift_ppm=ppm))
    assert found.measured.drift_ppm == pytest.approx(ppm, abs=2)


def test_devices_of_two_rates_are_measured_each_at_its_own() -> None:
    found = examined(Room(rate_hz=48_000, microphone_hz=44_100))
    assert (found.microphone_hz, found.loudspeaker_hz) == (44_100, 48_000)
    assert found.measured.echo_db == pytest.approx(-10, abs=2)


def test_a_microphone_that_takes_another_rate_than_the_list_says_is_measured_at_that() -> None:
    found = examined(Room(rate_hz=48_000, microphone_hz=44_100, says_hz=48_000))
    assert (found.microphone_hz, found.loudspeaker_hz) == (44_100, 48_000)
    assert found.measured.heard == 9


def test_a_microphone_that_runs_at_another_rate_than_it_says_is_told_with_both() -> None:
    sentence = "Room Microphone says 48000 Hz and runs at about 44100: give it another rate"
    with pytest.raises(DeviceError, match=sentence):
        examined(Room(rate_hz=48_000, microphone_hz=48_000, runs_at_hz=44_100))


def test_a_device_of_no_rate_that_we_know_says_what_it_does_not_take() -> None:
    with pytest.raises(DeviceError, match="Room Microphone does not take this"):
        examined(Room(microphone_hz=96_000))


def test_a_device_that_takes_no_single_channel_is_run_with_two() -> None:
    assert examined(Room(takes_mono=False)).measured.heard == 9


def test_a_good_pair_is_usable_and_every_figure_is_told() -> None:
    found = said(Room(delay_ms=20))
    assert is_usable(found)
    told = texts(found, "good")
    for part in ("round trip 5", "the devices say 30 ms", "+0 ppm", "-1", "noise -65 dBFS"):
        assert part in told
    assert not texts(found, "bad")


def test_clipping_is_bad_and_comes_first() -> None:
    found = said(Room(echo_db=0, gain_db=20))
    assert not is_usable(found)
    assert "clipped: turn the microphone's level" in found[0].text


def test_lost_samples_are_bad() -> None:
    found = said(Room(loses_at_s=5.0))
    assert "samples were lost" in texts(found, "bad")


def test_more_drift_than_can_be_corrected_is_bad_and_less_is_not() -> None:
    assert "more than can be corrected" in texts(said(Room(drift_ppm=1_100)), "bad")
    assert "more than usual" in texts(said(Room(drift_ppm=900)), "note")
    assert "; it is corrected" in texts(said(Room(drift_ppm=-150)), "good")


def test_headphones_are_no_fault_and_it_is_said_what_cannot_be_told() -> None:
    found = said(Room(echo_db=None))
    assert is_usable(found)
    assert "does not hear the loudspeaker" in texts(found, "note")


def test_a_microphone_of_zeros_is_muted_or_forbidden() -> None:
    [finding] = said(Room(dead=True))
    assert finding.grade == "bad"
    assert "Room Microphone gives digital silence" in finding.text


def test_without_echo_cancellation_an_echo_asks_for_half_duplex() -> None:
    examination = examined(Room(echo_db=-10))
    assert "half duplex" in texts(findings(examination, has_aec=False), "note")
    assert needs_half_duplex(examination, has_aec=False)
    assert not needs_half_duplex(examination, has_aec=True)
    assert not needs_half_duplex(examined(Room(echo_db=-50)), has_aec=False)


@pytest.mark.parametrize(("echo_db", "told"), [(-9, "takes it away"), (-3, "lower volume")])
def test_an_echo_as_loud_as_its_sound_is_more_than_cancellation_takes_away_at_once(
    echo_db: float, told: str
) -> None:
    found = findings(examined(Room(echo_db=echo_db)), has_aec=True)
    assert [told in finding.text for finding in found if "comes back" in finding.text] == [True]


def test_a_wireless_pair_is_slow_but_usable() -> None:
    found = said(Room(delay_ms=280))
    assert "slow for a conversation" in texts(found, "note")
    assert is_usable(found)


def test_latency_that_the_devices_do_not_tell_is_noted() -> None:
    assert "right to the difference only" in texts(said(Room(delay_ms=90)), "note")


def test_a_loudspeaker_that_stops_in_between_ends_the_test_with_what_is_there() -> None:
    room = Room(stops_at_s=4.0)
    found = examined(room)
    assert not found.complete
    assert "stopped before the test was over" in texts(findings(found, has_aec=True), "bad")


def test_noise_is_told() -> None:
    assert "loud" in texts(said(Room(noise_dbfs=-40)), "note")


class _Silent(RoomHost):
    """Its microphone opens and never calls."""

    async def open_input(self, ask: StreamAsk, callback: Callback) -> Stream:
        stream = await super().open_input(ask, callback)
        await stream.close()
        return stream


def test_a_microphone_that_never_calls_is_named_within_five_seconds() -> None:
    async def run() -> float:
        with pytest.raises(DeviceError, match="Room Microphone delivers nothing"):
            await examine(_Silent(Room()), ANY)
        return asyncio.get_running_loop().time()

    assert run_virtual(run()) == pytest.approx(5, abs=0.1)


def test_a_loudspeaker_that_takes_nothing_is_named() -> None:
    with pytest.raises(DeviceError, match="Room Loudspeaker takes nothing"):
        examined(Room(stops_at_s=0.0))


def test_a_device_that_is_not_there_is_named_before_anything_sounds() -> None:
    with pytest.raises(DeviceError, match="no microphone is called 'Yeti'"):
        examined(Room(), DeviceChoice(microphone="Yeti"))


def test_progress_goes_from_nothing_to_all() -> None:
    told: list[float] = []

    async def run() -> None:
        await examine(RoomHost(Room()), ANY, on_progress=told.append)

    run_virtual(run())
    assert told == sorted(told)
    assert (told[0], told[-1]) == (0.0, 1.0)
