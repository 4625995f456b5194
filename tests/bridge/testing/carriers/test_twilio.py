"""The Twilio emulator against a bot written from Twilio's documents, in virtual time.

Source: twilio.com/docs/voice/media-streams (reference telephony section 1); signatures are checked by Twilio's own
library.
"""

import asyncio
import base64
from collections.abc import Coroutine
from typing import Any

import httpx
import numpy as np
import pytest
from twilio.request_validator import RequestValidator

from bridge.batch.caller import CallerTurn
from bridge.testing.call_parts import CallEnd
from bridge.testing.caller import CallerPlan, KeyPresses
from bridge.testing.phone_call import PhoneCall
from bridge.testing.report import report_of
from bridge.virtual import run_virtual
from bridge_codecs.g711 import decode_ulaw, encode_ulaw
from tests.fakes.emulated import ACCOUNTS, emulated
from tests.fakes.twilio_bot import BASE, STREAM_URL, TwilioBot, connect, tone, twiml

ACCOUNT = ACCOUNTS["twilio"]
PATIENT = CallerPlan(tail_s=30.0)


def play(test: Coroutine[Any, Any, None]) -> None:
    run_virtual(test)


async def one_call(bot: TwilioBot, plan: CallerPlan = PATIENT, **world: Any) -> PhoneCall:
    async with emulated("twilio", BASE, bot.site, **world) as carrier:
        call = carrier.inbound(BASE + "/answer", plan)
        await call.run()
    return call


async def quiet(seconds: float) -> None:
    await asyncio.sleep(seconds)


# Signatures and webhooks


def test_the_answer_url_is_asked_with_a_signature_that_twilios_own_library_accepts() -> None:
    async def call() -> None:
        bot = TwilioBot(document=twiml("<Hangup/>"))
        await one_call(bot)

        [(method, url, headers, fields)] = bot.asked
        assert (method, url) == ("POST", BASE + "/answer")
        assert fields["CallSid"].startswith("CA")
        assert fields["AccountSid"] == ACCOUNT.account_id
        assert (fields["CallStatus"], fields["Direction"]) == ("ringing", "inbound")
        validator = RequestValidator(ACCOUNT.token)
        assert validator.validate(url, fields, headers["x-twilio-signature"])

    play(call())


def test_the_upgrade_is_signed_over_the_wss_url() -> None:
    async def call() -> None:
        bot = TwilioBot()
        await one_call(bot, CallerPlan(hang_up_at_s=0.1))

        [knock] = bot.knocks
        signature = knock.headers["x-twilio-signature"]
        assert RequestValidator(ACCOUNT.token).validate(STREAM_URL, {}, signature)
        assert knock.target == "/stream"
        assert knock.secure

    play(call())


# The stream


def test_a_stream_begins_with_connected_and_start_and_counts_in_text() -> None:
    async def call() -> None:
        inside = '<Parameter name="plan" value="gold &amp; more"/>'
        bot = TwilioBot(document=twiml(connect(inside=inside)))
        call = await one_call(bot, CallerPlan(hang_up_at_s=0.1))

        connected, start, first, *_ = bot.messages
        assert connected == {"event": "connected", "protocol": "Call", "version": "1.0.0"}
        assert start["sequenceNumber"] == "1"
        assert start["start"] == {
            "accountSid": ACCOUNT.account_id,
            "streamSid": start["streamSid"],
            "callSid": call.facts.call_id,
            "tracks": ["inbound"],
            "mediaFormat": {"encoding": "audio/x-mulaw", "sampleRate": 8000, "channels": 1},
            "customParameters": {"plan": "gold & more"},
        }
        assert (first["event"], first["sequenceNumber"]) == ("media", "2")
        media = first["media"]
        assert (media["track"], media["chunk"], media["timestamp"]) == ("inbound", "1", "0")
        assert len(base64.b64decode(media["payload"])) == 160
        stop = bot.messages[-1]
        assert stop["stop"] == {"accountSid": ACCOUNT.account_id, "callSid": call.facts.call_id}
        numbers = [int(message["sequenceNumber"]) for message in bot.messages[1:]]
        assert numbers == list(range(1, len(numbers) + 1))
        assert bot.closed == (1000, "")

    play(call())


def test_what_the_caller_says_arrives_sample_by_sample() -> None:
    async def call() -> None:
        bot = TwilioBot()
        said = tone(1.0)
        plan = CallerPlan(turns=[CallerTurn("a", said)], tail_s=1.0)
        call = await one_call(bot, plan)

        heard = bot.heard
        expected = decode_ulaw(encode_ulaw(call.ear.said()[: heard.size]))
        assert np.array_equal(heard, expected)
        assert heard.size == pytest.approx(16_000, abs=320)

    play(call())


def test_audio_is_heard_to_the_sample_however_fast_it_came_and_marks_follow_its_end() -> None:
    async def call() -> None:
        said = tone(2.0)

        async def talk(bot: TwilioBot) -> None:
            bot.say(said[:10_000])
            bot.mark("half")
            bot.say(said[10_000:])
            bot.mark("whole")

        bot = TwilioBot(talk=talk)
        call = await one_call(bot, CallerPlan(tail_s=1.0))

        [stretch] = call.ear.stretches
        heard = call.ear.heard()[stretch.start : stretch.end]
        assert np.array_equal(heard, decode_ulaw(encode_ulaw(said)))
        assert [message["mark"]["name"] for message in bot.of("mark")] == ["half", "whole"]
        for n, end in enumerate((10_000, 16_000)):
            played_s = call.ear.time_of(stretch.start + end)
            assert 0 <= bot.at("mark", n) - played_s <= 0.020 + 1e-9
        assert call.log.problems == []
        assert not call.ear.holes()

    play(call())


def test_a_mark_without_audio_before_it_comes_back_at_once() -> None:
    async def call() -> None:
        sent_at: list[float] = []

        async def talk(bot: TwilioBot) -> None:
            await quiet(1.0)
            bot.mark("now")
            sent_at.append(asyncio.get_running_loop().time())

        bot = TwilioBot(talk=talk)
        await one_call(bot, CallerPlan(hang_up_at_s=2.0))

        assert bot.at("mark") == sent_at[0]

    play(call())


def test_a_clear_is_silence_within_a_packet_and_returns_every_mark_that_waits() -> None:
    async def call() -> None:
        async def talk(bot: TwilioBot) -> None:
            bot.say(tone(5.0))
            bot.mark("a")
            bot.say(tone(5.0))
            bot.mark("b")
            await quiet(1.005)
            bot.send("clear")

        bot = TwilioBot(talk=talk)
        call = await one_call(bot, CallerPlan(hang_up_at_s=3.0))

        [clear] = call.ear.clears
        [stretch] = call.ear.stretches
        assert stretch.end == clear.silent_from
        assert 0 <= call.ear.silence_after_ms(clear) <= 20.001
        assert not call.ear.heard()[clear.silent_from :].any()
        assert clear.dropped == 80_000 - (stretch.end - stretch.start)
        assert [message["mark"]["name"] for message in bot.of("mark")] == ["a", "b"]
        assert bot.at("mark") == clear.at_s
        report = report_of("twilio", call)
        assert report.heard_s + report.clears[0].dropped_ms / 1000 == pytest.approx(10.0)

    play(call())


def test_late_audio_is_a_hole_and_a_pause_is_none() -> None:
    async def call() -> None:
        async def talk(bot: TwilioBot) -> None:
            bot.say(tone(0.2))
            await quiet(0.3)
            bot.say(tone(0.2))
            await quiet(1.5)
            bot.say(tone(0.2))

        bot = TwilioBot(talk=talk)
        call = await one_call(bot, CallerPlan(hang_up_at_s=4.0))

        [hole] = call.ear.holes()
        assert (hole.end - hole.start) / 8 == pytest.approx(100, abs=20)
        assert len(call.ear.stretches) == 3

    play(call())


def test_keys_are_dtmf_messages_with_a_track_of_their_own_name() -> None:
    async def call() -> None:
        bot = TwilioBot()
        plan = CallerPlan(keys=[KeyPresses("1#", 0.5)], tail_s=1.0)
        await one_call(bot, plan)

        assert [message["dtmf"] for message in bot.of("dtmf")] == [
            {"track": "inbound_track", "digit": "1"},
            {"track": "inbound_track", "digit": "#"},
        ]
        assert bot.at("dtmf", 1) - bot.at("dtmf", 0) == pytest.approx(0.26, abs=0.02)

    play(call())


@pytest.mark.parametrize(
    ("message", "words"),
    [
        ("{", "no JSON"),
        ("[]", "no object"),
        ('{"event": "dtmf", "streamSid": "SID"}', "knows no “dtmf”"),
        ('{"event": "media", "media": {"payload": "AAAA"}}', "streamSid"),
        ('{"event": "media", "streamSid": "SID", "media": {}}', "payload"),
        ('{"event": "media", "streamSid": "SID", "media": {"payload": "?"}}', "base64"),
        ('{"event": "media", "streamSid": "SID"}', "media"),
        ('{"event": "mark", "streamSid": "SID", "mark": {}}', "name"),
        ('{"streamSid": "SID"}', "event"),
    ],
)
def test_what_twilio_does_not_take_ends_the_stream_with_31924(message: str, words: str) -> None:
    async def call() -> None:
        async def talk(bot: TwilioBot) -> None:
            await quiet(0.5)
            bot.socket.send_text(message.replace("SID", bot.stream_sid))

        status = f'statusCallback="{BASE}/status" name="mine"'
        bot = TwilioBot(document=twiml(connect(attributes=status)), talk=talk)
        call = await one_call(bot)

        assert len(call.log.problems) == 1
        assert words in call.log.problems[0]
        assert bot.closed == (1000, "")
        told = [fields for _, url, _, fields in bot.asked if url.endswith("status")]
        assert [each["StreamEvent"] for each in told] == ["stream-started", "stream-error"]
        assert told[1]["StreamError"] == "31924"
        assert told[1]["StreamName"] == "mine"
        assert call.status == "completed"

    play(call())


def test_a_binary_message_ends_the_stream() -> None:
    async def call() -> None:
        async def talk(bot: TwilioBot) -> None:
            bot.socket.send_bytes(b"\x00" * 160)

        call = await one_call(TwilioBot(talk=talk))

        assert "binary" in call.log.problems[0]

    play(call())


# How calls end


def test_verbs_after_the_stream_run_once_the_application_closes_its_socket() -> None:
    async def call() -> None:
        async def talk(bot: TwilioBot) -> None:
            await quiet(1.0)
            bot.socket.close()

        document = twiml(connect() + "<Dial>+15550100009</Dial>")
        bot = TwilioBot(document=document, talk=talk)
        call = await one_call(bot, CallerPlan(hang_up_at_s=4.0))

        assert call.connected_to == "+15550100009"
        assert call.duration_s == pytest.approx(4.0, abs=0.05)
        assert call.end == CallEnd("caller", "the caller hung up")

    play(call())


def test_a_document_that_ends_hangs_up() -> None:
    async def call() -> None:
        async def talk(bot: TwilioBot) -> None:
            await quiet(1.0)
            bot.socket.close()

        call = await one_call(TwilioBot(talk=talk))

        assert call.end is not None
        assert call.end.by == "application"
        assert call.duration_s == pytest.approx(1.0, abs=0.05)

    play(call())


def test_rest_hangs_up_with_stop_and_says_20404_afterwards() -> None:
    async def call() -> None:
        bot = TwilioBot()
        async with emulated("twilio", BASE, bot.site) as carrier:
            transport = httpx.ASGITransport(app=carrier.app)
            auth = (ACCOUNT.account_id, ACCOUNT.token)
            url = "https://api.twilio.com/2010-04-01/Accounts/" + ACCOUNT.account_id
            async with httpx.AsyncClient(transport=transport, auth=auth) as http:
                call = carrier.inbound(BASE + "/answer", PATIENT)
                running = asyncio.ensure_future(call.run())
                await bot.started.wait()
                await quiet(1.0)
                path = f"{url}/Calls/{call.facts.call_id}.json"
                assert (await http.get(path)).json()["status"] == "in-progress"
                wrong = await http.post(path, data={"Status": "completed"}, auth=("a", "b"))
                assert (wrong.status_code, wrong.json()["code"]) == (401, 20003)
                done = await http.post(path, data={"Status": "completed"})
                assert done.status_code == 200
                await running
                again = await http.post(path, data={"Status": "completed"})
                assert (again.status_code, again.json()["code"]) == (404, 20404)

        assert bot.messages[-1]["event"] == "stop"
        assert call.end is not None
        assert call.end.by == "application"
        assert call.status == "completed"

    play(call())


def test_rest_redirects_to_new_twiml_and_the_stream_stops() -> None:
    async def call() -> None:
        bot = TwilioBot()
        async with emulated("twilio", BASE, bot.site) as carrier:
            transport = httpx.ASGITransport(app=carrier.app)
            auth = (ACCOUNT.account_id, ACCOUNT.token)
            url = "https://api.twilio.com/2010-04-01/Accounts/" + ACCOUNT.account_id
            async with httpx.AsyncClient(transport=transport, auth=auth) as http:
                call = carrier.inbound(BASE + "/answer", CallerPlan(hang_up_at_s=5.0))
                running = asyncio.ensure_future(call.run())
                await bot.started.wait()
                path = f"{url}/Calls/{call.facts.call_id}.json"
                elsewhere = twiml('<Play digits="12"/><Dial><Sip>sip:a@example</Sip></Dial>')
                assert (await http.post(path, data={"Twiml": elsewhere})).status_code == 200
                await running

        assert bot.messages[-1]["event"] == "stop"
        assert call.connected_to == "sip:a@example"
        assert report_of("twilio", call).keys_received == "12"

    play(call())


def test_a_call_placed_by_rest_rings_is_answered_and_tells_its_progress() -> None:
    async def call() -> None:
        bot = TwilioBot()
        calls: list[PhoneCall] = []
        async with emulated("twilio", BASE, bot.site) as carrier:
            carrier.on_call = calls.append
            carrier.plan_for = lambda _to: CallerPlan(hang_up_at_s=2.0)
            transport = httpx.ASGITransport(app=carrier.app)
            auth = (ACCOUNT.account_id, ACCOUNT.token)
            url = "https://api.twilio.com/2010-04-01/Accounts/" + ACCOUNT.account_id
            async with httpx.AsyncClient(transport=transport, auth=auth) as http:
                form = {
                    "To": "+15550100003",
                    "From": "+15550100002",
                    "Url": BASE + "/answer",
                    "StatusCallback": BASE + "/status",
                    "StatusCallbackEvent": ["ringing", "answered", "completed"],
                }
                made = await http.post(f"{url}/Calls.json", data=form)
                assert made.status_code == 201
                assert made.json()["status"] == "queued"
                await calls[0].over.wait()

        told = [fields["CallStatus"] for _, path, _, fields in bot.asked if "status" in path]
        assert told == ["ringing", "in-progress", "completed"]
        assert bot.asked[-1][3]["CallDuration"] == "2"
        assert calls[0].facts.call_id == made.json()["sid"]

    play(call())


@pytest.mark.parametrize(
    ("document", "words"),
    [
        (twiml(connect("wss://bot.example/stream?call=1")), "query string"),
        (twiml(connect("ws://bot.example/stream")), "wss://"),
        (twiml(connect("/stream")), "no address"),
        (twiml(connect("wss://nobody.example/stream")), "nobody"),
        ("<Response><Connect>", "no XML"),
        ("<Answer/>", "not <Response>"),
        (twiml("<Dance/>"), "<Dance>"),
        (twiml("<Start><Stream url='wss://bot.example/stream'/></Start>"), "<Connect>"),
        (twiml(connect() + '<Pause length="40"/>'), "dead line"),
        (twiml(connect(attributes='track="both_tracks"')), "inbound_track"),
        (twiml(connect(inside=f'<Parameter name="a" value="{500 * "x"}"/>')), "500"),
    ],
)
def test_mistakes_of_an_application_are_told_in_sentences(document: str, words: str) -> None:
    async def call() -> None:
        bot = TwilioBot(document=document)
        call = await one_call(bot, CallerPlan(hang_up_at_s=1.0))

        assert any(words in sentence for sentence in call.log.problems), call.log.problems
        assert call.is_over

    play(call())


def test_an_upgrade_that_is_refused_is_31920() -> None:
    async def call() -> None:
        status = f'statusCallback="{BASE}/status"'
        bot = TwilioBot(document=twiml(connect(attributes=status)), refuse=403)
        call = await one_call(bot)

        assert "403" in call.log.problems[0]
        assert bot.asked[-1][3]["StreamError"] == "31920"

    play(call())


def test_busy_is_a_call_that_was_not_answered() -> None:
    async def call() -> None:
        call = await one_call(TwilioBot(document=twiml('<Reject reason="busy"/>')))

        assert call.status == "busy"
        assert call.duration_s == 0
        assert not report_of("twilio", call).passed

    play(call())


def test_an_application_that_never_closes_cannot_hold_a_call_longer_than_its_limit() -> None:
    async def call() -> None:
        call = await one_call(TwilioBot(), CallerPlan(tail_s=3_600.0), max_call_s=20.0)

        assert call.end is not None
        assert call.end.by == "carrier"
        assert call.duration_s == pytest.approx(20.0, abs=0.1)

    play(call())


# Networks


@pytest.mark.parametrize("profile", ["mobile-edge", "hotel-wifi", "carrier-burst", "stall"])
def test_a_bad_network_delays_but_loses_nothing_and_is_the_same_twice(profile: str) -> None:
    async def once() -> tuple[list[float], bytes]:
        bot = TwilioBot(echo=True)
        plan = CallerPlan(turns=[CallerTurn("a", tone(8.0))], tail_s=5.0)
        call = await one_call(bot, plan, profile=profile)
        assert call.log.problems == []
        heard = [m["media"]["chunk"] for m in bot.of("media")]
        assert heard == [str(n + 1) for n in range(len(heard))]
        return bot.at_s, call.ear.heard().tobytes()

    first, second = run_virtual(once()), run_virtual(once())
    assert first == second


def test_a_connection_that_breaks_in_mid_word_ends_the_stream_without_a_word() -> None:
    async def call() -> None:
        async def talk(bot: TwilioBot) -> None:
            bot.say(tone(10.0))

        document = twiml(connect(attributes=f'statusCallback="{BASE}/status"') + "<Hangup/>")
        bot = TwilioBot(document=document, talk=talk)
        call = await one_call(bot, profile="mid-word-disconnect")

        assert bot.closed is not None
        assert bot.closed[0] == 1006
        assert bot.asked[-1][3]["StreamEvent"] == "stream-error"
        assert 2.0 < call.duration_s < 6.2
        assert any("The network broke the media socket" in note for note in call.log.notes)
        assert bot.of("stop") == []

    play(call())
