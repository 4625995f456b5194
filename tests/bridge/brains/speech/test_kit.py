import importlib.util
import logging
from importlib.machinery import ModuleSpec

import pytest

from bridge.brains.speech import kit
from bridge.brains.speech.espeak import EspeakVoice
from bridge.brains.speech.kit import SpeechKit
from bridge.brains.speech.pocketsphinx_ear import PocketsphinxEar
from bridge.brains.speech.tone import ToneVoice
from bridge.brains.speech.vad import EnergyDetector, SileroDetector
from bridge.errors import BrainError, MissingExtra
from bridge.virtual import run_virtual
from tests.fakes.ear import ToldEar


@pytest.fixture
def bare(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine without the speech extra."""
    find = importlib.util.find_spec

    def not_found(name: str, package: str | None = None) -> ModuleSpec | None:
        return None if name in {"espeakng_loader", "pocketsphinx"} else find(name, package)

    def no_silero() -> object:
        raise MissingExtra("Silero is not here")

    monkeypatch.setattr(importlib.util, "find_spec", not_found)
    monkeypatch.setattr(kit, "SileroPool", no_silero)


def test_installed_parts_are_chosen() -> None:
    speech = SpeechKit.load()
    detector = speech.vad()

    assert isinstance(speech.voice, EspeakVoice)
    assert speech.ear is not None
    assert isinstance(detector, SileroDetector)
    detector.close()
    run_virtual(speech.close())


def test_floor_is_chosen_by_name() -> None:
    speech = SpeechKit.load(voice="tone", ear="off", vad="energy")

    assert isinstance(speech.voice, ToneVoice)
    assert speech.ear is None
    assert isinstance(speech.vad(), EnergyDetector)
    run_virtual(speech.close())


@pytest.mark.usefixtures("bare")
def test_missing_parts_fall_to_their_floor_with_a_sentence_each(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with caplog.at_level(logging.WARNING):
        speech = SpeechKit.load()

    assert isinstance(speech.voice, ToneVoice)
    assert speech.ear is None
    assert isinstance(speech.vad(), EnergyDetector)
    assert len(caplog.records) == 3
    assert all("pip install 'tipring[speech]'" in record.message for record in caplog.records)
    run_virtual(speech.close())


@pytest.mark.usefixtures("bare")
def test_voice_asked_for_by_name_and_missing_is_an_error() -> None:
    with pytest.raises(MissingExtra):
        SpeechKit.load(voice="espeak")


@pytest.mark.usefixtures("bare")
def test_ear_asked_for_by_name_and_missing_is_an_error() -> None:
    with pytest.raises(MissingExtra):
        SpeechKit.load(voice="tone", ear="pocketsphinx")


@pytest.mark.usefixtures("bare")
def test_detector_asked_for_by_name_and_missing_is_an_error() -> None:
    with pytest.raises(MissingExtra):
        SpeechKit.load(voice="tone", ear="off", vad="silero")


def test_nothing_is_started_before_it_is_used() -> None:
    # The fixture that counts threads, children and file descriptors would see it.
    SpeechKit.load()


async def test_ear_is_closed_though_the_voice_fails() -> None:
    class BrokenVoice(ToneVoice):
        async def close(self) -> None:
            raise BrainError("no end")

    class WatchedEar(ToldEar):
        closed = False

        async def close(self) -> None:
            self.closed = True

    ear = WatchedEar()

    with pytest.raises(BrainError, match="no end"):
        await SpeechKit(BrokenVoice(), ear, None).close()

    assert ear.closed


async def test_warmed_parts_are_there_before_they_are_asked() -> None:
    speech = SpeechKit.load()
    assert isinstance(speech.voice, EspeakVoice)
    assert isinstance(speech.ear, PocketsphinxEar)

    await speech.warm()

    assert speech.voice._helpers._idle
    assert speech.ear._helpers._idle
    await speech.close()


async def test_a_part_that_cannot_be_warmed_says_so_only_when_it_is_asked() -> None:
    voice = EspeakVoice(command=("/nowhere/at/all",))
    speech = SpeechKit(voice, None, None)

    await speech.warm()

    with pytest.raises(BrainError):
        await voice.say("hello")
    await speech.close()
