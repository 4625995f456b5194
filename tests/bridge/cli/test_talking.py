"""`tipring talk` on its command line: what is asked for, what cannot be, and how it ends."""

import sys
from pathlib import Path

import pytest

from bridge import cli
from bridge.cli.terminal import WRONG_USAGE
from bridge.talk.run import TalkOrder

Capture = pytest.CaptureFixture[str]
pytestmark = pytest.mark.usefixtures("nothing_of_the_user")


def test_help_teaches_what_there_is(capsys: Capture) -> None:
    assert cli.run(["talk", "--help"]) == 0

    out = capsys.readouterr().out
    for words in ("--push-to-talk", "--json", "tipring talk --text", "does not", "Ctrl-C hangs up"):
        assert words in out


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--join-url", "ws://a", "--api-url", "http://a"], "exclude"),
        (["--join-url", "ws://a", "--agent", "a"], "join URL"),
        (["--api-key", "k"], "API key"),
        (["--api-url", "nowhere"], "no address"),
        (["--script", "a.toml", "--agent", "a"], "script"),
        (["--join-url", "ws://a", "--webrtc"], "its medium"),
        (["--agent", "a", "--model", "m"], "exclude"),
        (["--text", "--input-device", "1"], "--text"),
        (["--text", "--no-aec"], "--text"),
        (["--half-duplex", "--push-to-talk"], "exclude"),
        (["--config", "nowhere.toml"], "nowhere.toml"),
        (["--nonsense"], "No such option"),
        (["--text", "--tools", "nowhere.py"], "nowhere.py"),
        (["--text", "--script", "nowhere.toml"], "nowhere.toml"),
        (["--text", "--agent", "nobody"], "nobody"),
    ],
)
def test_wrong_usage_is_one_sentence_and_2(
    arguments: list[str], words: str, capsys: Capture
) -> None:
    assert cli.run(["talk", "--plain", *arguments]) == WRONG_USAGE

    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("tipring: ")
    assert err.count("\n") == 1
    assert words in err


def test_all_that_is_asked_for_is_in_the_order(orders: list[TalkOrder], tmp_path: Path) -> None:
    arguments = ["--api-url", "https://a/api", "--api-key", "k", "--agent", "b", "--record"]
    arguments += [str(tmp_path), "--tools", "x.py", "--tools", "y.py", "--half-duplex"]
    arguments += ["--input-device", "usb", "--output-device", "3", "--no-aec"]

    assert cli.run(["talk", "--plain", *arguments]) == 0

    (order,) = orders
    assert (order.plan.api_url, order.plan.agent) == ("https://a", "b")
    assert order.plan.medium == "serverWebSocket"
    assert order.plan.api_key is not None
    assert order.plan.api_key.get_secret_value() == "k"
    assert order.tool_files == (Path("x.py"), Path("y.py"))
    assert order.record == tmp_path
    assert (order.sound.microphone, order.sound.loudspeaker) == ("usb", "3")
    assert (order.sound.aec, order.sound.half_duplex) == (False, True)


def test_the_key_of_the_environment_goes_to_an_api_only(
    orders: list[TalkOrder], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ULTRAVOX_API_KEY", "secret")

    assert cli.run(["talk", "--plain", "--api-url", "https://a"]) == 0
    assert cli.run(["talk", "--plain"]) == 0

    keys = [order.plan.api_key for order in orders]
    assert keys[0] is not None
    assert keys[1] is None


def test_a_call_that_is_made_here_may_go_over_webrtc(orders: list[TalkOrder]) -> None:
    assert cli.run(["talk", "--plain", "--api-url", "https://a", "--webrtc"]) == 0

    assert orders[0].plan.medium == "webRtc"


def test_the_users_preferences_count_where_the_command_line_says_nothing(
    orders: list[TalkOrder], tmp_path: Path
) -> None:
    config = tmp_path / "mine.toml"
    config.write_text('[talk]\nmicrophone = "Yeti"\naec = false\n')

    assert cli.run(["talk", "--plain", "--config", str(config)]) == 0

    assert orders[0].sound.microphone == "Yeti"
    assert orders[0].sound.aec is False


def test_without_sounddevice_one_sentence_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    monkeypatch.setitem(sys.modules, "sounddevice", None)

    assert cli.run(["talk", "--plain", "--no-aec"]) != 0

    err = capsys.readouterr().err
    assert "tipring[talk]" in err
    assert err.count("\n") == 1
