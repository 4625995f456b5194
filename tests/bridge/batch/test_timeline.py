import base64
import io
import json
import re
from dataclasses import replace
from html.parser import HTMLParser

import numpy as np
import pytest
import soundfile
from hypothesis import given
from hypothesis import strategies as st

from bridge.batch.result import CallResult, Transcript
from bridge.batch.timeline import MAX_BUCKETS, peaks_of, render_timeline, timeline_data
from bridge_codecs.pcm import Int16
from tests.fakes.results import booking_call

HOSTILE = [
    "</script><script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "<!--<script>",
    "__DATA__ __SCRIPT__",
    "\u2028\u2029\0\x07&amp;\\u003c",
    '"}]}; alert(1); //',
]


class Page(HTMLParser):
    """The tags of a page and the text of its data block."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.blocks: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag == "script":
            self.blocks.append("")

    def handle_data(self, data: str) -> None:
        if self.tags and self.tags[-1][0] == "script":
            self.blocks[-1] += data


def saying(text: str) -> CallResult:
    line = Transcript(role="agent", text=text, unheard_text=text, start_s=1.0, end_s=2.0)
    return replace(booking_call(), transcripts=(line,), notes=(text,), end_detail=text)


def short(call: CallResult) -> CallResult:
    return replace(call, caller=call.caller[:8_000], agent=call.agent[:8_000])


@pytest.mark.parametrize("text", HOSTILE)
def test_what_a_peer_says_is_text_in_the_page_and_never_markup(text: str) -> None:
    plain, hostile = (Page(render_timeline(short(saying(said)))) for said in ("hello", text))

    assert [tag for tag, _ in hostile.tags] == [tag for tag, _ in plain.tags]
    data = json.loads(hostile.blocks[0])
    assert data["transcripts"][0]["text"] == text
    assert hostile.blocks[1] == plain.blocks[1]


@given(st.text())
def test_any_text_survives_the_way_into_the_page(text: str) -> None:
    call = replace(
        booking_call(), caller=np.zeros(8, np.int16), agent=np.zeros(8, np.int16), notes=(text,)
    )
    page = render_timeline(call)

    block = re.search(r'<script type="application/json" id="data">([^<]*)</script>', page)
    assert block is not None
    assert json.loads(block[1])["notes"] == [text]


def test_the_page_names_no_address_outside_itself() -> None:
    page = render_timeline(booking_call())
    parsed = Page(page)

    assert not re.search(r"https?:|//[a-z]+\.[a-z]", page.replace(parsed.blocks[0], ""))
    assert not [tag for tag, attrs in parsed.tags if {"src", "href"} & attrs.keys()]
    policies = [a["content"] for _, a in parsed.tags if a.get("http-equiv") is not None]
    assert policies[0] is not None
    assert policies[0].startswith("default-src 'none'")


def test_the_policy_allows_exactly_the_script_that_is_there() -> None:
    page = render_timeline(booking_call())

    [(policy)] = [a["content"] or "" for _, a in Page(page).tags if a.get("http-equiv")]

    assert policy.count("'sha256-") == 2
    assert "unsafe" not in policy


def test_a_file_name_of_the_title_is_escaped() -> None:
    call = booking_call()
    named = replace(call.inputs[0], name='<b>"a&b".wav')

    page = render_timeline(replace(call, inputs=(named,)))

    assert "<title>Call: &lt;b&gt;&quot;a&amp;b&quot;</title>" in page


def test_short_audio_is_in_the_page_and_long_audio_beside_it() -> None:
    call = short(booking_call())
    inside = str(timeline_data(call)["audio"])
    minutes = np.zeros(8_000 * 120, np.int16)

    samples, rate_hz = soundfile.read(
        io.BytesIO(base64.b64decode(inside.removeprefix("data:audio/wav;base64,"))), dtype="int16"
    )

    assert rate_hz == 8_000
    assert np.array_equal(samples, np.column_stack((call.caller, call.agent)))
    assert timeline_data(replace(call, caller=minutes, agent=minutes))["audio"] == "call.wav"


def int8(payload: bytes) -> list[int]:
    return [int(peak) for peak in np.frombuffer(payload, np.int8)]


def test_peaks_are_the_lowest_and_highest_of_each_bucket() -> None:
    samples: Int16 = np.array([0, 256, -512, 32_767, -32_768], np.int16)

    assert int8(peaks_of(samples, 2)) == [0, 1, -2, 127, -128, 0]
    assert int8(peaks_of(samples[:0], 2)) == []


def test_an_hour_has_no_more_buckets_than_may_be() -> None:
    hour = np.zeros(8_000 * 3_600, np.int16)
    peaks = timeline_data(replace(booking_call(), caller=hour, agent=hour))["peaks"]

    assert isinstance(peaks, dict)
    assert len(base64.b64decode(peaks["caller"])) <= 2 * MAX_BUCKETS


def test_a_call_that_never_began_has_a_page_too() -> None:
    nothing = np.zeros(0, np.int16)
    call = CallResult(
        call_id="", rate_hz=8_000, caller=nothing, agent=nothing, end_reason="connection_error"
    )

    assert "<title>Call</title>" in render_timeline(call)


def test_the_callers_words_stand_where_the_caller_was_heard() -> None:
    call = booking_call()
    late = [replace(each, start_s=each.end_s + 0.4, end_s=each.end_s + 0.4) for each in
            call.transcripts if each.role == "user"]  # fmt: skip
    typed = Transcript(role="user", text="typed", start_s=20.0, end_s=20.0, medium="text")

    lines = timeline_data(replace(call, transcripts=(*late[:2], typed, *late[2:])))["transcripts"]

    assert isinstance(lines, list)
    starts = [line["start_s"] for line in lines]
    assert starts == pytest.approx([4.5, 13.2, 20.0, 24.3, 34.1], abs=0.02)


def test_words_without_speech_before_them_stay_where_they_came() -> None:
    call = booking_call()
    early = Transcript(role="user", text="early", start_s=2.0, end_s=2.0)

    lines = timeline_data(replace(call, transcripts=(early,)))["transcripts"]

    assert isinstance(lines, list)
    assert lines[0]["start_s"] == 2.0
