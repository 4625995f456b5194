"""Calls joined by one offer: whole calls on real sockets, and everything that is refused."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from bridge.gateway import whip_route
from bridge.gateway.whip_route import MAX_OFFER
from bridge.legs.webrtc.options import IceServer, RtcOptions
from bridge.legs.webrtc.peer import Answer, Peer
from tests.fakes.own_time import own_time_s
from tests.fakes.rtc_served import RtcServed, rtc_served, until
from tests.fakes.whip_client import WhipClient, whip_client

GREETING = "Hello, what can I do for you today?"
AUDIO = "m=audio 9 UDP/TLS/RTP/SAVPF 111\r\na=sendrecv\r\na=rtpmap:111 opus/48000/2\r\n"
PRINT = ":".join(["AB"] * 32)
HEAD = (
    "v=0\r\no=- 1 1 IN IP4 0.0.0.0\r\ns=-\r\nt=0 0\r\n"
    f"a=fingerprint:sha-256 {PRINT}\r\na=ice-ufrag:abcd\r\na=ice-pwd:{'p' * 24}\r\na=setup:actpass\r\n"
)


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[RtcServed]:
    async with rtc_served(tmp_path) as served:
        yield served


async def test_a_whole_call(house: RtcServed) -> None:
    call = await house.created(recordingEnabled=True)
    async with whip_client(call, house.port) as client:
        response = await client.join(house.http)
        assert response.headers["Location"] == f"/calls/{call['callId']}/whip"
        assert response.headers["Content-Type"] == "application/sdp"
        assert response.headers["Access-Control-Allow-Origin"] == "*"
        await client.message("transcript", text=GREETING, final=True)
        assert client.messages[0] == {"type": "call_started", "callId": call["callId"]}
        await client.heard()

        client.say(type="user_text_message", text="look" + " " * 5_000)
        asked = await client.message("client_tool_invocation", toolName="look")
        client.say(type="client_tool_result", invocationId=asked["invocationId"], result="door")
        await client.message("transcript", text="Looked.", final=True)

        await client.message("state", state="listening")
        client.speak(1)
        await client.message("transcript", text="Pardon?", final=True)

        ended = await house.http.delete(client.url, headers=client.headers)
        assert ended.status_code == 200
        record = await house.ended(call["callId"])

    assert record["endReason"] == "hangup"
    assert record["clientVersion"] == "whip"


@pytest.mark.slow
async def test_the_agent_hangs_up_and_the_page_sees_its_connection_go(house: RtcServed) -> None:
    call = await house.created()
    async with whip_client(call, house.port) as client:
        await client.join(house.http)
        await client.message("transcript", text=GREETING, final=True)
        client.say(type="user_text_message", text="bye")
        record = await house.ended(call["callId"])
        await until(lambda: client.channel is not None and not client.channel.open)

    assert record["endReason"] == "agent_hangup"


async def test_from_the_offer_to_the_agents_first_word_it_takes_300_ms_at_most(
    house: RtcServed,
) -> None:
    took_s = []
    for _ in range(4):
        call = await house.created()
        async with whip_client(call, house.port) as client:
            began_s = own_time_s()
            await client.join(house.http)
            await client.heard()
            took_s.append(own_time_s() - began_s)

    assert min(took_s) < 0.3, took_s


async def test_a_device_without_a_data_channel_has_a_call_too(house: RtcServed) -> None:
    call = await house.created()
    async with whip_client(call, house.port) as client:
        await client.join(house.http, channel=False)
        await client.heard()


async def test_a_second_client_is_told_409_and_the_first_is_not_disturbed(house: RtcServed) -> None:
    call = await house.created()
    async with (
        whip_client(call, house.port) as client,
        whip_client(call, house.port) as second,
    ):
        await client.join(house.http)
        await client.message("transcript", final=True)
        refused = await second.post(house.http, await second.offer())
        assert refused.status_code == 409
        assert refused.headers["Access-Control-Allow-Origin"] == "*"
        client.say(type="user_text_message", text="talk")
        await client.message("transcript", role="user", text="talk")
        assert house.leg(call["callId"]).rejoins == 0


async def test_a_client_whose_connection_is_lost_comes_back_with_another_offer(
    house: RtcServed,
) -> None:
    call = await house.created()
    async with (
        whip_client(call, house.port) as first,
        whip_client(call, house.port) as again,
    ):
        await first.join(house.http)
        await first.message("transcript", text=GREETING, final=True)
        await first.peer.close()
        leg = house.leg(call["callId"])
        await until(lambda: leg.away)
        await again.join(house.http)
        await until(lambda: again.channel is not None and again.channel.open)
        again.say(type="user_text_message", text="talk")
        await again.heard()
        await again.message("transcript", role="user", text="talk")
        assert leg.rejoins == 1


async def test_a_client_that_falls_silent_may_come_anew_before_it_is_missed(
    house: RtcServed, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(whip_route, "QUIET_S", 0.5)
    call = await house.created()
    async with (
        whip_client(call, house.port) as first,
        whip_client(call, house.port) as again,
    ):
        await first.join(house.http)
        await first.message("call_started")
        leg, loop = house.leg(call["callId"]), asyncio.get_running_loop()
        first.voice.close()  # and says nothing: its side may be gone
        await until(lambda: loop.time() - leg.heard_s > whip_route.QUIET_S)
        assert not leg.away
        await again.join(house.http)
        await again.message("state")
        assert leg.rejoins == 1


async def test_a_client_whose_offer_took_too_long_may_offer_anew_at_once(
    house: RtcServed, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def never(*_: object, **__: object) -> Answer:
        await asyncio.Event().wait()
        raise AssertionError

    call = await house.created()
    async with (
        whip_client(call, house.port) as first,
        whip_client(call, house.port) as again,
    ):
        with monkeypatch.context() as slow:
            slow.setattr(whip_route, "ANSWER_S", 0.5)
            slow.setattr(Peer, "answer", never)
            late = await first.post(house.http, await first.offer())
        assert late.status_code == 503
        assert late.json() == {"detail": "The server took too long to answer the offer."}
        await again.join(house.http)
        await again.message("transcript", text=GREETING, final=True)
        assert house.leg(call["callId"]).rejoins == 1


# Refused


async def unspoiled(house: RtcServed, call: dict[str, str]) -> None:
    """The call can still be joined, and nothing of another one was touched."""
    async with whip_client(call, house.port) as client:
        await client.join(house.http)
        await client.message("call_started")


@pytest.mark.parametrize(
    ("offer", "status", "sentence"),
    [
        ("", 400, "not SDP"),
        ("garbage", 400, "not SDP"),
        ("\x00" * 1_000, 400, "not SDP"),
        (HEAD, 400, "not SDP"),
        (HEAD + AUDIO.replace("audio", "video"), 400, "no audio"),
        (HEAD + AUDIO.replace("sendrecv", "recvonly"), 400, "sends no audio"),
        (HEAD + AUDIO * 17, 400, "17 sections"),
        (HEAD + AUDIO + "a=x" * 700, 400, "characters"),
        (HEAD + AUDIO + "a=x\r\n" * (MAX_OFFER // 5), 413, "longer than"),
        ("v=0" + "x" * 2**20, 413, "longer than"),
    ],
)
async def test_an_offer_that_is_none_is_one_sentence_and_leaves_the_call_to_be_joined(
    house: RtcServed, offer: str, status: int, sentence: str
) -> None:
    call = await house.created()
    async with whip_client(call, house.port) as client:
        refused = await client.post(house.http, offer)

    assert refused.status_code == status
    assert sentence in refused.json()["detail"]
    assert house.rooms.n_open == 0
    await unspoiled(house, call)


@pytest.mark.parametrize(
    "offer",
    [
        HEAD + AUDIO.replace("opus/48000/2", "PCMU/8000"),
        HEAD + AUDIO.replace("a=sendrecv", "a=sendrecv\r\na=mid:" + "x" * 99) * 2,
        HEAD + AUDIO.replace("UDP/TLS/RTP/SAVPF 111", "UDP/TLS/RTP/SAVPF opus"),
    ],
)
async def test_an_offer_that_turns_out_to_be_of_no_use_ends_its_own_call_with_one_sentence(
    house: RtcServed, offer: str
) -> None:
    call, other = await house.created(), await house.created()
    async with whip_client(call, house.port) as client:
        refused = await client.post(house.http, offer)
        assert refused.status_code == 400
        record = await house.ended(call["callId"])

    assert record["endReason"] == "connection_error"
    [end] = [
        each["text"] for each in await house.events(call["callId"]) if each["type"] == "call_ended"
    ]
    assert end.startswith("the client broke the protocol: ")
    assert house.rooms.n_open == 0
    await unspoiled(house, other)


async def test_who_may_not_join_is_told_why(house: RtcServed) -> None:
    call, other = await house.created(), await house.created()
    socket_call = await house.created(medium={"serverWebSocket": {"inputSampleRate": 8000}})
    async with whip_client(call, house.port) as client:
        offer = await client.offer()

        async def status(**headers: str) -> int:
            refused = await client.post(house.http, offer, **headers)
            assert (refused.headers.get("WWW-Authenticate") == "Bearer") is (
                refused.status_code == 401
            )
            return refused.status_code

        assert await status(Authorization="") == 401
        assert await status(Authorization="Basic x") == 401
        assert await status(Authorization="Bearer wrong") == 401
        wrong = await client.post(house.http, offer, Authorization="Bearer wrong")
        assert wrong.json() == {"detail": "This token opens no call."}
        foreign = other["joinUrl"].split("/")[-2]
        assert await status(Authorization=f"Bearer {foreign}") == 401
        assert await status(**{"Content-Type": "application/json"}) == 415
        assert await status(**{"Content-Type": ""}) == 415
        client.url = client.url.replace(call["callId"], other["callId"])
        assert await status() == 401
        client.url = client.url.replace(other["callId"], socket_call["callId"])
        token = socket_call["joinUrl"].split("/")[-2]
        assert await status(Authorization=f"Bearer {token}") == 401
    await unspoiled(house, call)


async def test_a_call_that_has_ended_is_joined_no_more(house: RtcServed) -> None:
    call = await house.created()
    async with whip_client(call, house.port) as client:
        await client.join(house.http)
        await client.message("call_started")
        assert (await house.http.delete(client.url, headers=client.headers)).status_code == 200
        await house.ended(call["callId"])
        async with whip_client(call, house.port) as late:
            assert (await late.post(house.http, await late.offer())).status_code == 410
        assert (await house.http.delete(client.url, headers=client.headers)).status_code == 410


async def test_what_nobody_has_joined_cannot_be_ended(house: RtcServed) -> None:
    call = await house.created()
    async with whip_client(call, house.port) as client:
        refused = await house.http.delete(client.url, headers=client.headers)
        assert refused.status_code == 404
        wrong = await house.http.delete(client.url, headers={"Authorization": "Bearer x"})
        assert wrong.status_code == 401
    await unspoiled(house, call)


async def test_a_browser_may_ask_from_anywhere_what_is_allowed(house: RtcServed) -> None:
    call = await house.created()
    answer = await house.http.options(f"/calls/{call['callId']}/whip")

    assert answer.status_code == 204
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    assert answer.headers["Access-Control-Allow-Methods"] == "POST, DELETE, OPTIONS"
    assert "authorization" in answer.headers["Access-Control-Allow-Headers"]
    assert answer.headers["Accept-Post"] == "application/sdp"


@pytest.mark.slow
async def test_messages_from_two_clients_stay_in_their_calls(house: RtcServed) -> None:
    async def talk(client: WhipClient, http: httpx.AsyncClient, text: str) -> list[object]:
        await client.join(http)
        await client.message("transcript", text=GREETING, final=True)
        client.say(type="user_text_message", text=text)
        await client.message("transcript", role="user", text=text)
        return [each["text"] for each in client.messages if each.get("role") == "user"]

    one, two = await house.created(), await house.created()
    async with whip_client(one, house.port) as a, whip_client(two, house.port) as b:
        said = await asyncio.gather(talk(a, house.http, "alpha"), talk(b, house.http, "beta"))
    assert list(said) == [["alpha"], ["beta"]]


@pytest.mark.parametrize(
    "more",
    [
        "".join(f"{AUDIO}a=mid:{n}\r\na=rtcp-mux\r\n" for n in range(1, 10)),
        "".join(
            f"a=candidate:{n} 1 udp {n + 1} 10.0.{n % 250}.7 9 typ host\r\n" for n in range(1_000)
        ),
        "".join(f"a=candidate:{n} 1 udp 9 {n}.local 9 typ host\r\n" for n in range(1_000)),
    ],
)
async def test_an_offer_with_much_of_everything_is_answered_in_time_and_leaves_nothing(
    house: RtcServed, more: str
) -> None:
    call = await house.created()
    async with whip_client(call, house.port) as client:
        began_s = own_time_s()
        response = await client.post(house.http, f"{HEAD}{AUDIO}a=mid:0\r\na=rtcp-mux\r\n{more}")
        assert response.status_code == 201, response.text
        assert own_time_s() - began_s < 2
        assert response.text.count("m=audio") == f"{AUDIO}{more}".count("m=audio")
        await house.http.delete(client.url, headers=client.headers)
        await house.ended(call["callId"], 5)
    assert house.rooms.n_open == 0


async def test_a_server_that_stops_ends_its_calls_over_webrtc(tmp_path: Path) -> None:
    async with rtc_served(tmp_path) as house:
        call = await house.created()
        async with whip_client(call, house.port) as client:
            await client.join(house.http)
            await client.message("call_started")
            await house.server.service.close()
            record = await house.ended(call["callId"])
    assert record["endReason"] == "system_error"


SERVERS = (
    IceServer("stun:127.0.0.1:9"),
    IceServer("turn:127.0.0.1:9?transport=tcp", "some body", 'a "word" \\'),
)
LINK = (
    '<stun:127.0.0.1:9>; rel="ice-server", '
    '<turn:127.0.0.1:9?transport=tcp>; rel="ice-server"; '
    'username="some body"; credential="a \\"word\\" \\\\"; credential-type="password"'
)


async def test_who_may_join_is_told_of_the_ice_servers_and_nobody_else(tmp_path: Path) -> None:
    async with rtc_served(tmp_path, rtc=RtcOptions(ice_servers=SERVERS)) as house:
        call = await house.created()
        async with whip_client(call, house.port) as client:
            asked = await house.http.options(client.url, headers=client.headers)
            assert (asked.status_code, asked.headers["Link"]) == (204, LINK)
            assert "Link" in asked.headers["Access-Control-Expose-Headers"]
            unasked = await house.http.options(client.url)
            assert (unasked.status_code, "Link" in unasked.headers) == (204, False)
            for bearer, status in (("Bearer wrong", 401), ("Basic x", 401)):
                refused = await house.http.options(client.url, headers={"Authorization": bearer})
                assert (refused.status_code, "Link" in refused.headers) == (status, False)
            joined = await client.join(house.http)
            assert joined.headers["Link"] == LINK
            await client.message("transcript", text=GREETING, final=True)


async def test_where_there_are_no_ice_servers_nothing_is_said_of_them(house: RtcServed) -> None:
    call = await house.created()
    async with whip_client(call, house.port) as client:
        asked = await house.http.options(client.url, headers=client.headers)
        assert (asked.status_code, "Link" in asked.headers) == (204, False)
