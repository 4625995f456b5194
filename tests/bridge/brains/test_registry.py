"""Which brain serves which model."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.brains.base import Act, Brain, Greeting, Say, UserSaid
from bridge.brains.echo import EchoBrain
from bridge.brains.registry import (
    DEFAULT_MODEL,
    VENDOR_MODELS,
    Brains,
    script_name,
    shipped_script,
)
from bridge.brains.script.load import script_from_data
from bridge.brains.scripted import ScriptedBrain
from bridge.brains.speech.kit import SpeechKit
from bridge.brains.tone import ToneBrain
from bridge.errors import ConfigError, UsageError

SHIPPED = ("monologue", "receptionist", "survey")


@pytest.fixture
def brains() -> Brains:
    return Brains(floor())


def floor() -> SpeechKit:
    return SpeechKit.load(voice="tone", ear="off", vad="energy")


async def opening(brain: Brain) -> Act:
    return await anext(brain.reply(Greeting(), []))


def test_every_listed_model_can_be_made(brains: Brains) -> None:
    for name in brains.names():
        assert brains.make(name, seed="a", live_hz=8_000).speech_hz > 0


def test_the_default_model_is_listed_first(brains: Brains) -> None:
    assert brains.names()[0] == DEFAULT_MODEL


@pytest.mark.parametrize(
    "model",
    [*VENDOR_MODELS, "fixie-ai/ultravox", "fixie-ai/ultravox-v0.6", "tipring/script:receptionist"],
)
async def test_the_receptionist_serves_the_vendors_models(brains: Brains, model: str) -> None:
    act = await opening(brains.make(model, seed="a", live_hz=8_000))

    assert isinstance(act, Say)
    assert "Harbour Clinic" in act.text


def test_our_own_names_choose_their_brains(brains: Brains) -> None:
    echo = brains.make("tipring/echo", seed="a", live_hz=48_000)

    assert isinstance(echo, EchoBrain)
    assert echo.speech_hz == 48_000
    assert isinstance(brains.make("tipring/tone", seed="a", live_hz=48_000), ToneBrain)
    scripted = brains.make("tipring/script:survey", seed="a", live_hz=48_000)
    assert isinstance(scripted, ScriptedBrain)
    assert not scripted.live


@pytest.mark.parametrize(
    ("model", "sentence"),
    [
        ("ultravox-v0.8", "no model 'ultravox-v0.8'; did you mean 'ultravox-v0.7'?"),
        ("tipring/ecko", "no model 'tipring/ecko'; did you mean 'tipring/echo'?"),
        ("gpt", "no model 'gpt'; known: ultravox-v0.7, "),
        ("", "no model ''; known: "),
        ("tipring/script:servey", "no script 'servey'; did you mean 'survey'?"),
        ("tipring/script:", "'' is no script name"),
        ("tipring/script:../errors", "'../errors' is no script name"),
        ("tipring/script:Survey", "'Survey' is no script name"),
        ("tipring/script:survey.toml", "'survey.toml' is no script name"),
        ("tipring/script:survey\n", "is no script name"),
        ("tipring/script:" + "a" * 65, "is no script name"),
        ("tipring/script:" + "a" * 64, "there is no script"),
    ],
)
def test_an_unknown_model_is_refused(brains: Brains, model: str, sentence: str) -> None:
    with pytest.raises(UsageError) as refused:
        brains.make(model, seed="a", live_hz=8_000)

    assert sentence in str(refused.value)


@given(st.text())
def test_any_name_is_a_model_or_a_usage_error(name: str) -> None:
    brains = Brains(floor())

    with pytest.raises(UsageError):
        brains.make(name + "?", seed="a", live_hz=8_000)


async def test_scripts_of_the_folder_come_before_the_shipped_ones(tmp_path: Path) -> None:
    (tmp_path / "survey.toml").write_text("[[steps]]\nsay = 'Mine.'")
    (tmp_path / "other.json").write_text('{"steps": [{"say": "Other."}]}')
    (tmp_path / "No Name.toml").write_text("")
    (tmp_path / "notes.txt").write_text("")

    brains = Brains(floor(), tmp_path)

    listed = [name for name in brains.names() if name.startswith("tipring/script:")]
    assert listed == [f"tipring/script:{name}" for name in ("monologue", "other", *SHIPPED[1:])]
    mine = brains.make("tipring/script:survey", seed="a", live_hz=8_000)
    assert await opening(mine) == Say("Mine.")


def test_a_wrong_script_of_the_folder_is_an_error_when_it_is_used(tmp_path: Path) -> None:
    (tmp_path / "bad.toml").write_text("[[steps]]")
    brains = Brains(floor(), tmp_path)

    with pytest.raises(ConfigError, match=r"bad\.toml: step 1: the step does nothing"):
        brains.make("tipring/script:bad", seed="a", live_hz=8_000)


def test_a_missing_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="none: cannot be read: No such file"):
        Brains(floor(), tmp_path / "none")


async def test_an_added_script_is_known_by_its_name(brains: Brains) -> None:
    brains.add_script("mine", script_from_data({"steps": [{"say": "Hi."}]}, source="mine"))

    assert "tipring/script:mine" in brains.names()
    mine = brains.make("tipring/script:mine", seed="a", live_hz=8_000)
    assert await opening(mine) == Say("Hi.")


def test_a_script_cannot_be_added_under_a_bad_name(brains: Brains) -> None:
    with pytest.raises(UsageError, match="is no script name"):
        brains.add_script("a/b", shipped_script("survey"))


async def test_two_calls_of_one_script_do_not_share_their_place(brains: Brains) -> None:
    first = brains.make("tipring/script:survey", seed="a", live_hz=8_000)
    second = brains.make("tipring/script:survey", seed="b", live_hz=8_000)

    _ = [act async for act in first.reply(UserSaid("yes", spoken=False), [])]

    assert "short survey" in str(await opening(second))


@pytest.mark.parametrize("name", SHIPPED)
def test_shipped_scripts_load(name: str) -> None:
    assert shipped_script(name).description


def test_a_shipped_script_that_is_not_there_is_refused() -> None:
    with pytest.raises(UsageError, match="did you mean 'survey'"):
        shipped_script("survy")


@pytest.mark.parametrize(
    ("file", "name"),
    [
        ("a/survey.toml", "survey"),
        ("My Script (2).toml", "my-script-2"),
        ("???.json", "script"),
        ("x" * 70 + ".toml", "x" * 64),
    ],
)
def test_a_script_file_is_known_by_its_file_name(file: str, name: str) -> None:
    assert script_name(Path(file)) == name


def test_every_call_has_its_voice_activity(brains: Brains) -> None:
    assert brains.vad() is not brains.vad()
