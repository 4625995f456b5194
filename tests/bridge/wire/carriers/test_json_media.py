"""Media events, read fast and written exactly."""

import base64
import json

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.wire.carriers.json_media import AudioText, json_text, media_decoder

DECODER = media_decoder("streamSid")


@given(st.binary(max_size=2_000), st.integers(0, 2**53))
def test_a_media_event_is_read_as_the_standard_decoders_read_it(payload: bytes, n: int) -> None:
    media = {"track": "inbound", "chunk": str(n), "timestamp": n}
    media["payload"] = base64.b64encode(payload).decode()

    event = DECODER.decode(json.dumps({"event": "media", "streamSid": "MZ1", "media": media}))

    assert (event.event, event.stream) == ("media", "MZ1")
    assert event.media is not None
    assert event.media.payload == payload
    assert event.media.chunk == event.media.timestamp == n


def test_the_stream_stands_under_the_carriers_own_key() -> None:
    text = '{"stream_id": "a", "streamSid": "b", "stream": "c"}'

    assert media_decoder("stream_id").decode(text).stream == "a"
    assert media_decoder("streamSid").decode(text).stream == "b"


@pytest.mark.parametrize(
    "text",
    ["", "[]", '{"event": 1}', '{"media": 1}', '{"media": {}}', '{"media": {"payload": "Q"}}'],
)
def test_what_is_no_media_event_is_refused(text: str) -> None:
    with pytest.raises(msgspec.MsgspecError):
        DECODER.decode(text)


@given(
    st.binary(min_size=1, max_size=2_000),
    st.text(st.characters(exclude_categories=["Cs"])) | st.just('","payload":""'),
)
def test_audio_is_written_as_the_whole_message_would_be(payload: bytes, stream: str) -> None:
    def fields(text: str) -> dict[str, object]:
        return {"event": "media", "streamSid": stream, "media": {"payload": text}, "n": 1}

    text = AudioText(fields("")).encode(payload)

    assert text == json_text(fields(base64.b64encode(payload).decode()))
