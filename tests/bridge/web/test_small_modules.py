"""Keys, join URLs and error sentences of the page."""

import json

import pytest

from bridge.gateway.whip_route import _links
from bridge.legs.carrier import dtmf
from bridge.legs.webrtc.options import IceServer, RtcOptions
from bridge.wire.messages import UserTextMessage, parse_client_message
from tests.fakes.node import run_module

TOKEN = "t" * 32
CALL_ID = "11111111-2222-4333-8444-555555555555"


def test_keys_are_held_together_as_a_carriers_are() -> None:
    page = run_module("keys.js", "return [m.QUICK_MS, m.MAX_DIGITS, m.MAX_PER_S];")

    assert page == [1000 * dtmf.QUICK_S, dtmf.MAX_DIGITS, dtmf.MAX_PER_S]


def test_digits_become_the_message_that_a_carriers_keys_become() -> None:
    said = run_module("keys.js", "return JSON.stringify(m.digitsMessage('42#'));")

    handling = dtmf.DtmfHandling()
    expected = handling.text.replace(dtmf.PLACEHOLDER, "42#")
    assert parse_client_message(said) == UserTextMessage(text=expected, urgency=handling.urgency)


def test_quick_presses_are_one_message_and_slow_ones_two() -> None:
    sent = run_module(
        "keys.js",
        """const sent = [], pad = new m.Keypad((digits) => sent.push(digits));
        pad.press("1"); pad.press("2"); pad.press("x");
        await new Promise((done) => setTimeout(done, 560));
        pad.press("3");
        await new Promise((done) => setTimeout(done, 560));
        return sent;""",
    )

    assert sent == ["12", "3"]


def test_no_more_than_twenty_keys_a_second_count_and_a_long_number_goes_in_pieces() -> None:
    sent, counted = run_module(
        "keys.js",
        """const sent = [], pad = new m.Keypad((digits) => sent.push(digits));
        let counted = 0;
        for (let n = 0; n < 21; n++) counted += pad.press("7", 0);
        for (let n = 0; n < 44; n++) pad.press("8", 2000 + 60 * n);
        pad.stop();
        return [sent, counted];""",
    )

    assert counted == 20
    assert sent == ["7" * 20 + "8" * 44]


def test_a_key_has_the_two_tones_of_its_row_and_column() -> None:
    assert run_module("keys.js", "return ['1', '5', '0', '#', 'x'].map(m.tonesOf);") == [
        [697, 1209],
        [770, 1336],
        [941, 1336],
        [941, 1477],
        None,
    ]


@pytest.mark.parametrize(
    ("text", "read"),
    [
        (f"ws://host:8080/calls/{CALL_ID}/{TOKEN}/webrtc", ["host:8080", "", "webrtc"]),
        (f" wss://host/calls/{CALL_ID}/{TOKEN}/webrtc?apiVersion=1 ", ["host", "", "webrtc"]),
        (f"wss://host/voice/calls/{CALL_ID}/{TOKEN}/webrtc", ["host", "/voice", "webrtc"]),
        (f"ws://h/calls/{CALL_ID}/{TOKEN}/server_web_socket", ["h", "", "server_web_socket"]),
        (f"ws://h/calls/{CALL_ID}/short/webrtc", None),
        ("https://example.com/", None),
        ("nonsense", None),
        ("", None),
    ],
)
def test_a_join_url_is_read_wherever_it_leads(text: str, read: list[str] | None) -> None:
    made = run_module(
        "connection.js",
        f"const j = m.readJoinUrl({text!r}); return j && [j.host, j.base, j.medium, j.callId, j.token];",
    )

    assert made == (None if read is None else [*read, CALL_ID, TOKEN])


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("localhost:8080", "127.0.0.1:8080", True),
        ("127.0.0.1:8080", "[::1]:8080", True),
        ("LOCALHOST", "[::1]", True),
        ("host:8080", "host:8080", True),
        ("localhost:8080", "127.0.0.1:8081", False),
        ("localhost", "127.0.0.1:8080", False),
        ("host:8080", "localhost:8080", False),
        ("localhost.example:80", "127.0.0.1:80", False),
        ("127.0.0.1.example", "localhost", False),
    ],
)
def test_this_machine_is_one_server_under_all_its_names(one: str, other: str, same: bool) -> None:
    assert run_module("connection.js", f"return m.sameServer({one!r}, {other!r});") is same


@pytest.mark.parametrize(
    ("body", "sentences"),
    [
        ('{"detail": "No."}', ["No."]),
        (
            '{"model": ["There is no model x."], "medium": {"webRtc": ["Not served."]}}',
            ["model: There is no model x.", "medium.webRtc: Not served."],
        ),
        ('{"non_field_errors": ["Too much."]}', ["Too much."]),
        ('["One.", "Two."]', ["One.", "Two."]),
        ("<html>", []),
        ("", []),
        ("null", []),
    ],
)
def test_the_servers_own_sentences_are_shown(body: str, sentences: list[str]) -> None:
    assert run_module("trouble.js", f"return m.sentences({body!r});") == sentences


@pytest.mark.parametrize(
    ("name", "title"),
    [
        ("NotAllowedError", "The microphone is blocked"),
        ("NotFoundError", "No microphone found"),
        ("OverconstrainedError", "No microphone found"),
        ("NotReadableError", "The microphone cannot be opened"),
        ("SomethingElse", "The microphone does not work"),
    ],
)
def test_what_keeps_the_microphone_shut_is_named_with_a_way_out(name: str, title: str) -> None:
    shown = run_module(
        "trouble.js",
        f"const t = m.microphoneTrouble({{ name: {name!r}, message: 'x' }}); return [t.title, t.offers];",
    )

    assert shown == [title, ["retry", "no-mic"]]


def test_the_page_reads_the_ice_servers_that_the_server_writes() -> None:
    servers = (
        IceServer("stun:stun.example:3478"),
        IceServer("turn:turn.example:3478?transport=udp", "a, b; c", 'quoted "word", <and> \\'),
        IceServer("turns:turn.example", "", ""),
    )
    header = _links(RtcOptions(ice_servers=servers))["Link"]
    read = run_module("connection.js", f"return m.readIceServers({json.dumps(header)});")

    assert read == [
        {"urls": "stun:stun.example:3478"},
        *({"urls": o.url, "username": o.username, "credential": o.credential} for o in servers[1:]),
    ]


@pytest.mark.parametrize("header", [None, "", "nonsense", '</style.css>; rel="preload"', "<<>>;;"])
def test_other_links_are_no_ice_servers(header: str | None) -> None:
    assert run_module("connection.js", f"return m.readIceServers({json.dumps(header)});") == []
