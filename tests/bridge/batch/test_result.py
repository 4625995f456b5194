import json
from dataclasses import replace
from pathlib import Path

import pytest

from bridge.batch.result import CALL_JSON, TIMELINE_HTML, encode_json, write_results
from tests.fakes.results import booking_call


def test_the_same_call_gives_the_same_bytes_wherever_it_is_written(tmp_path: Path) -> None:
    written = []
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        write_results(tmp_path / name, booking_call())
        files = sorted((tmp_path / name).iterdir())
        written.append([(file.name, file.read_bytes()) for file in files])

    assert written[0] == written[1]
    assert [name for name, _ in written[0]] == [CALL_JSON, TIMELINE_HTML]
    assert str(tmp_path).encode() not in b"".join(content for _, content in written[0])


def test_call_json_tells_the_whole_call() -> None:
    told = json.loads(encode_json(booking_call().as_dict()))

    assert told["end_reason"] == "agent_hangup"
    assert [turn["latency_ms"] for turn in told["figures"]["turns"]] == pytest.approx(
        [800, 800, 1000, 800], abs=10
    )
    assert told["figures"]["interruptions"][0]["overrun_ms"] == pytest.approx(300, abs=10)
    assert told["tool_calls"][0]["arguments"] == {"day": "Friday", "time": "19:30", "people": 4}
    assert told["transcripts"][5]["unheard_text"].startswith(", or the one")
    assert told["interruptions_heard"][0]["at_s"] == 24.6
    assert told["messages"][0]["role"] == "MESSAGE_ROLE_AGENT"


def test_floats_are_rounded_and_keys_keep_their_order() -> None:
    assert encode_json({"b": 0.1 + 0.2, "a": [1 / 3, {"c": 2}]}) == (
        b'{"b": 0.3, "a": [0.333333, {"c": 2}]}\n'
    )


def test_text_that_is_no_unicode_is_written_all_the_same(tmp_path: Path) -> None:
    write_results(tmp_path, replace(booking_call(), end_detail="bad \udcff name"))

    assert "bad ? name" in json.loads((tmp_path / CALL_JSON).read_text("utf-8"))["end_detail"]
