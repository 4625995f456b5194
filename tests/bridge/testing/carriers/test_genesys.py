"""The Genesys emulator against bots written from the AudioHook documents, in virtual time.

Source: audiohook-reference-implementation (reference telephony section 5.2).
"""

import asyncio
import base64
import hashlib
import hmac
import re
from collections.abc import Coroutine
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

from bridge.batch.caller import CallerTurn
from bridge.testing.caller import CallerPlan, KeyPresses
from bridge.testing.phone_call import PhoneCall
from bridge.virtual import run_virtual
from bridge_codecs.g711 import decode_ulaw, encode_ulaw
from tests.fakes.bot import BASE, STREAM_URL, Bot, tone
from tests.fakes.emulated import ACCOUNTS, emulated

ACCOUNT = ACCOUNTS["genesys"]


def play(test: Coroutine[Any, Any, None]) -> None:
    run_virtual(test)


@dataclass
class HookServer(Bot):
    """The server's side: numbers its messages, opens, answers pings and closes."""

    opens: bool = True
    seq: int = 0
    starts_with: str = ""

    def reply(self, kind: str, seq: int | None = None, **parameters: Any) -> None:
        self.seq += 1
        heard = [m["seq"] for m in self.messages if isinstance(m, dict)]
        self.send(
            version="2",
            id=self.messages[0]["id"],
            type=kind,
            seq=self.seq if seq is None else seq,
            clientseq=heard[-1],
            parameters=parameters,
        )

    def _got(self, message: Any) -> None:
        super()._got(message)
        if not isinstance(message, dict):
            return
        if message["type"] == "open" and self.opens:
            self.reply("opened", startPaused=False, media=[message["parameters"]["media"][0]])
        elif message["type"] == "ping":
            self.reply("pong")
        elif message["type"] == "close":
            self.reply("closed")

    def types(self) -> list[str]:
        return [m["type"] for m in self.messages if isinstance(m, dict)]


async def one_call(bot: Bot, plan: CallerPlan, **world: Any) -> PhoneCall:
    async with emulated("genesys", BASE, bot.site, **world) as carrier:
        call = carrier.inbound(STREAM_URL, plan)
        await call.run()
    return call


def test_the_upgrade_is_signed_over_target_authority_and_headers() -> None:
    async def call() -> None:
        bot = HookServer()
        await one_call(bot, CallerPlan(hang_up_at_s=0.5))

        headers = bot.knocks[0].headers
        parameters = headers["signature-input"].removeprefix("sig1=")
        names = re.findall(r'"([^"]+)"', parameters.split(")")[0])
        values = {"@request-target": "/stream", "@authority": "bot.example", **headers}
        lines = [f'"{name}": {values[name]}' for name in names]
        lines.append(f'"@signature-params": {parameters}')
        secret = base64.b64decode(ACCOUNT.token)
        digest = hmac.new(secret, "\n".join(lines).encode(), hashlib.sha256).digest()
        assert headers["signature"] == f"sig1=:{base64.b64encode(digest).decode()}:"
        created = int(parameters.split("created=")[1].split(";")[0])
        assert int(parameters.split("expires=")[1]) - created <= 10
        assert f'keyid="{ACCOUNT.account_id}"' in parameters
        opened = bot.messages[0]["parameters"]
        assert headers["audiohook-organization-id"] == opened["organizationId"]
        assert headers["audiohook-session-id"] == bot.messages[0]["id"]

    play(call())


@pytest.mark.parametrize("channels", ["1", "2"])
def test_audio_flows_once_opened_and_the_caller_is_the_external_channel(channels: str) -> None:
    async def call() -> None:
        said = tone(1.0)
        bot = HookServer()
        plan = CallerPlan(turns=[CallerTurn("a", said)], tail_s=0.5)
        call = await one_call(bot, plan, options={"channels": channels})

        assert call.log.problems == []
        payload = b"".join(bot.binary)[:: int(channels)]
        assert payload[:8_000] == encode_ulaw(call.ear.said()[:8_000])
        assert bot.types()[0] == "open"
        assert bot.types()[-1] == "close"
        assert bot.closed == (1000, "")

    play(call())


def test_no_audio_comes_before_opened() -> None:
    async def call() -> None:
        bot = HookServer(opens=False)
        await one_call(bot, CallerPlan(hang_up_at_s=1.0))

        assert bot.binary == []

    play(call())


def test_playback_is_told_and_a_barge_in_flushes_it() -> None:
    async def call() -> None:
        async def talk(bot: Bot) -> None:
            assert isinstance(bot, HookServer)
            await asyncio.sleep(0.1)
            for _ in range(20):
                bot.socket.send_bytes(encode_ulaw(tone(0.2)))
            await asyncio.sleep(1.0)
            bot.reply("event", entities=[{"type": "barge_in", "data": {}}])

        bot = HookServer(talk=talk)
        call = await one_call(bot, CallerPlan(keys=[KeyPresses("9", 1.8)], tail_s=0.5))

        assert call.log.problems == []
        assert [t for t in bot.types() if "playback" in t] == [
            "playback_started",
            "playback_completed",
        ]
        assert "dtmf" in bot.types()
        [clear] = call.ear.clears
        assert call.ear.silence_after_ms(clear) <= 20.001
        [stretch] = call.ear.stretches
        heard = call.ear.heard()[stretch.start : stretch.end]
        whole = decode_ulaw(encode_ulaw(np.tile(tone(0.2), 20)))
        assert np.array_equal(heard, whole[: heard.size])

    play(call())


def test_too_many_messages_are_error_429() -> None:
    async def call() -> None:
        async def talk(bot: Bot) -> None:
            await asyncio.sleep(0.1)
            for _ in range(100):
                bot.socket.send_bytes(bytes(160))
                await asyncio.sleep(0.02)

        bot = HookServer(talk=talk)
        call = await one_call(bot, CallerPlan(hang_up_at_s=3.0))

        assert "429" in call.log.problems[0]
        error = next(m for m in bot.messages if isinstance(m, dict) and m["type"] == "error")
        assert error["parameters"]["code"] == 429

    play(call())


def test_a_disconnect_is_closed_by_the_client() -> None:
    async def call() -> None:
        async def talk(bot: Bot) -> None:
            assert isinstance(bot, HookServer)
            await asyncio.sleep(1.0)
            bot.reply("disconnect", reason="completed")

        bot = HookServer(talk=talk)
        call = await one_call(bot, CallerPlan(tail_s=30))

        assert bot.messages[-1]["parameters"] == {"reason": "disconnect"}
        assert call.end is not None
        assert call.end.by == "application"
        assert call.log.problems == []

    play(call())


@pytest.mark.parametrize(
    ("kind", "seq", "parameters", "words"),
    [
        ("opened", None, {"media": []}, "exactly one"),
        ("event", None, {}, "entities"),
        ("event", 7, {"entities": []}, "seq 7"),
        ("disconnect", None, {"reason": "tired"}, "reason"),
        ("sing", None, {}, "“sing”"),
    ],
)
def test_mistakes_are_told(
    kind: str, seq: int | None, parameters: dict[str, Any], words: str
) -> None:
    async def call() -> None:
        async def talk(bot: Bot) -> None:
            assert isinstance(bot, HookServer)
            await asyncio.sleep(0.1)
            bot.reply(kind, seq, **parameters)

        bot = HookServer(talk=talk, opens=kind != "opened")
        call = await one_call(bot, CallerPlan(hang_up_at_s=1.0))

        assert any(words in sentence for sentence in call.log.problems), call.log.problems

    play(call())
