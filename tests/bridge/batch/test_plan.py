from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr

from bridge.batch.plan import (
    MAX_OFFSET_S,
    CallerInput,
    CallPlan,
    VadOptions,
    parse_api_url,
    parse_input,
    parse_tools,
)
from bridge.errors import UsageError

ONE_INPUT = (CallerInput(Path("a.wav")),)
OUT = Path("out")


@pytest.mark.parametrize(
    ("text", "path", "offset_s"),
    [
        ("a.wav", "a.wav", None),
        ("a.wav@+1.5s", "a.wav", 1.5),
        ("a.wav@+800ms", "a.wav", 0.8),
        ("a.wav@+0s", "a.wav", 0.0),
        ("anna@home.wav", "anna@home.wav", None),
        ("take@2.wav", "take@2.wav", None),
        ("in/a b.wav@+3600s", "in/a b.wav", MAX_OFFSET_S),
    ],
)
def test_an_input_is_a_file_and_maybe_an_offset(
    text: str, path: str, offset_s: float | None
) -> None:
    assert parse_input(text) == CallerInput(Path(path), offset_s)


@pytest.mark.parametrize("tail", ["+1.5", "1.5s", "-1s", "+", "+1,5s", "+1.s", "+3600.1s", "+1sec"])
def test_what_is_meant_as_an_offset_and_is_none_is_refused(tail: str) -> None:
    with pytest.raises(UsageError, match="@"):
        parse_input(f"a.wav@{tail}")


def test_an_empty_name_is_refused() -> None:
    with pytest.raises(UsageError, match="empty"):
        parse_input("")


@given(st.text(max_size=40))
def test_any_text_is_an_input_or_a_usage_error(text: str) -> None:
    try:
        parsed = parse_input(text)
    except UsageError:
        return

    assert parsed.offset_after_agent_s is None or 0 <= parsed.offset_after_agent_s <= MAX_OFFSET_S


def test_an_input_prints_as_it_was_written() -> None:
    assert str(parse_input("a.wav@+1.5s")) == "a.wav@+1.5s"


@pytest.mark.parametrize(
    ("plan", "word"),
    [
        (CallPlan(inputs=(), out_dir=OUT), "--in"),
        (CallPlan(inputs=ONE_INPUT, out_dir=OUT, api_url="u", join_url="j"), "exclude"),
        (CallPlan(inputs=ONE_INPUT, out_dir=OUT, api_url="u", virtual=True), "--virtual"),
        (CallPlan(inputs=ONE_INPUT, out_dir=OUT, webrtc=True), "--webrtc goes with --api-url"),
        (CallPlan(inputs=ONE_INPUT, out_dir=OUT, join_url="u", webrtc=True), "--webrtc"),
        (CallPlan(inputs=ONE_INPUT, out_dir=OUT, join_url="u", virtual=True), "--virtual"),
        (CallPlan(inputs=ONE_INPUT, out_dir=OUT, api_key=SecretStr("k")), "--api-key"),
        (CallPlan(inputs=ONE_INPUT, out_dir=OUT, join_url="j", agent="x"), "--join-url"),
        (CallPlan(inputs=ONE_INPUT, out_dir=OUT, join_url="j", model="x"), "--join-url"),
        (CallPlan(inputs=ONE_INPUT, out_dir=OUT, api_url="u", script=Path("s")), "--script"),
        (CallPlan(inputs=ONE_INPUT, out_dir=OUT, agent="a", script=Path("s")), "--script"),
        (CallPlan(inputs=ONE_INPUT, out_dir=OUT, agent="a", model="m"), "exclude"),
        (CallPlan(inputs=ONE_INPUT, out_dir=OUT, api_url="u", agent="a", model="m"), "its own"),
        (
            CallPlan(inputs=ONE_INPUT, out_dir=OUT, api_url="u", agent="a", system_prompt="p"),
            "its own",
        ),
        (
            CallPlan(
                inputs=ONE_INPUT,
                out_dir=OUT,
                api_url="u",
                agent="a",
                vad=VadOptions(minimum_turn_duration_ms=0),
            ),
            "its own",
        ),
        (CallPlan(inputs=ONE_INPUT, out_dir=OUT, turn_gap_ms=-1), "--turn-gap"),
        (CallPlan(inputs=ONE_INPUT, out_dir=OUT, sample_rate_hz=44_100), "--sample-rate"),
        (CallPlan(inputs=ONE_INPUT, out_dir=OUT, tail_s=-0.1), "--tail"),
        (CallPlan(inputs=ONE_INPUT, out_dir=OUT, tail_s=float("nan")), "--tail"),
        (CallPlan(inputs=ONE_INPUT, out_dir=OUT, max_duration_s=0.0), "--max-duration"),
        (CallPlan(inputs=ONE_INPUT, out_dir=OUT, max_duration_s=14_401.0), "--max-duration"),
    ],
)
def test_contradictions_are_refused_with_the_option_named(plan: CallPlan, word: str) -> None:
    with pytest.raises(UsageError, match=word):
        plan.check()


@pytest.mark.parametrize(
    "plan",
    [
        CallPlan(inputs=ONE_INPUT, out_dir=OUT),
        CallPlan(inputs=ONE_INPUT, out_dir=OUT, virtual=True, script=Path("s")),
        CallPlan(inputs=ONE_INPUT, out_dir=OUT, api_url="u", api_key=SecretStr("k"), agent="a"),
        CallPlan(inputs=ONE_INPUT, out_dir=OUT, api_url="u", model="m", system_prompt="p"),
        CallPlan(inputs=ONE_INPUT, out_dir=OUT, agent="receptionist", system_prompt="p"),
        CallPlan(inputs=ONE_INPUT, out_dir=OUT, join_url="j", turn_gap_ms=0),
        CallPlan(inputs=ONE_INPUT, out_dir=OUT, tail_s=0.0, max_duration_s=14_400.0),
        CallPlan(inputs=ONE_INPUT, out_dir=OUT, tail_s=3_600.0, sample_rate_hz=48_000),
    ],
)
def test_what_goes_together_passes(plan: CallPlan) -> None:
    plan.check()


@pytest.mark.parametrize(
    ("text", "base"),
    [
        ("https://api.example.com", "https://api.example.com"),
        ("https://api.example.com/", "https://api.example.com"),
        ("https://api.example.com/api", "https://api.example.com"),
        ("http://localhost:8080/api/", "http://localhost:8080"),
        ("https://example.com/voice/api", "https://example.com/voice"),
    ],
)
def test_an_api_may_be_named_with_or_without_its_api_path(text: str, base: str) -> None:
    assert parse_api_url(text) == base


@pytest.mark.parametrize(
    "text",
    [
        "",
        "foo",
        "localhost:8080",
        "ws://a",
        "https://",
        "http://[::1",
        "http://a:b",
        "http://a?b",
        "http://a b",
        "http://a\n",
        "http://a\x1b[31m",
    ],
)
def test_what_is_no_address_of_an_api_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="no address of an API"):
        parse_api_url(text)


def test_vad_options_are_spelled_as_the_api_spells_them() -> None:
    vad = VadOptions(turn_endpoint_delay_ms=384, frame_activation_threshold=0.2)

    assert vad.as_request() == {"turnEndpointDelay": "0.384s", "frameActivationThreshold": 0.2}


@pytest.mark.parametrize("key", ["1\n2", "1 2", "schlüssel", "\x00"])
def test_a_key_that_fits_no_header_is_refused_and_not_repeated(key: str) -> None:
    plan = CallPlan(inputs=ONE_INPUT, out_dir=OUT, api_url="u", api_key=SecretStr(key))

    with pytest.raises(UsageError, match="the API key has") as caught:
        plan.check()
    assert key not in str(caught.value)


def test_the_key_of_a_plan_does_not_print() -> None:
    plan = CallPlan(inputs=ONE_INPUT, out_dir=OUT, api_url="u", api_key=SecretStr("s3cret"))

    assert "s3cret" not in repr(plan)


def test_tools_are_names_and_results_which_may_hold_anything() -> None:
    assert parse_tools(["a=b=c", 'book={"ok": true}', "empty="]) == {
        "a": "b=c",
        "book": '{"ok": true}',
        "empty": "",
    }


@pytest.mark.parametrize("texts", [["a"], ["=b"], [""], ["a=1", "a=2"]])
def test_a_tool_without_a_name_or_with_one_that_is_taken_is_refused(texts: list[str]) -> None:
    with pytest.raises(UsageError):
        parse_tools(texts)
