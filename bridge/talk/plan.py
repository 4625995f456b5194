"""What a talk shall be: whom to talk to and how, and the request that makes such a call.

Source: the vendor's StartCallRequest and StartAgentCallRequest (reference 4.4, 4.5). A stored agent brings its own
prompt and tools; the request has no fields for them.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Literal

from pydantic import SecretStr

from bridge.client import JsonDict
from bridge.errors import UsageError
from bridge.talk.tools import Tool
from bridge.wire.agent_socket import Rates

MediumName = Literal["serverWebSocket", "webRtc"]

INPUT_HZ: Final = 16_000
OUTPUT_HZ: Final = 24_000
RATES: Final = Rates(INPUT_HZ, OUTPUT_HZ)
CLIENT_BUFFER_MS: Final = 30_000
BY_HAND: Final = "40s"
"""For a tool that a person answers: as long as the API ever waits (reference 5.2); 2.5 s if it is told nothing."""
_CLEARS: Final = {"playbackClearBuffer": True}
_OF_OURS: Final = {
    "callEvent": True,
    "userStoppedSpeaking": True,
    "invokingTool": True,
    "toolUsed": True,
}
"""Further data messages that our own server is asked for; another one may not know the switches."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TalkPlan:
    """Whom to talk to, and how.

    Attributes:
        join_url: A call that exists already; excludes all but `rates`.
        api_url: Base URL of an Ultravox-style API; None: our own server, for the time of the call.
        api_key: Sent as X-API-Key to `api_url`.
        agent: Name or id of an agent of the API; of our own server, the name of a script that is shipped.
        model: `model` of the request.
        script: A script file for our own server.
        system_prompt: `systemPrompt` of the request.
        body: Further fields of the request (reference 4.4, 4.5); they win over what is made of the rest.
        medium: How the audio goes.
        rates: What the agent hears and what it says, Hz.
        virtual: In virtual time, against our own server in process.
        by_hand: A person answers the tools of our own server's agent that no function answers: it waits for them.
    """

    join_url: str | None = None
    api_url: str | None = None
    api_key: SecretStr | None = None
    agent: str | None = None
    model: str | None = None
    script: Path | None = None
    system_prompt: str | None = None
    body: Mapping[str, object] = field(default_factory=dict)
    medium: MediumName = "serverWebSocket"
    rates: Rates = RATES
    virtual: bool = False
    by_hand: bool = False

    @property
    def embedded(self) -> bool:
        """Whether our own server is started."""
        return self.join_url is None and self.api_url is None

    def check(self) -> None:
        """Refuse what cannot be together. Raises: UsageError with one sentence."""
        for wrong, sentence in self._contradictions():
            if wrong:
                raise UsageError(sentence)

    def _asked_rates(self) -> Rates | None:
        """The rates that the body itself asks for; None where it leaves them to us."""
        medium = self.body.get("medium")
        socket = medium.get("serverWebSocket") if isinstance(medium, Mapping) else None
        if not isinstance(socket, Mapping):
            return None
        input_hz = socket.get("inputSampleRate")
        output_hz = socket.get("outputSampleRate") or input_hz
        if not isinstance(input_hz, int) or not isinstance(output_hz, int):
            return None  # the API will say what is wrong with it
        return Rates(input_hz, output_hz)

    def _contradictions(self) -> tuple[tuple[bool, str], ...]:
        picks = (self.agent, self.model, self.script, self.system_prompt)
        key = "" if self.api_key is None else self.api_key.get_secret_value()
        stored = self.api_url is not None and self.agent is not None
        return (
            (
                self.join_url is not None and self.api_url is not None,
                "an API and a join URL exclude each other: a join URL is a call already made",
            ),
            (
                self.join_url is not None and (any(picks) or bool(self.body)),
                "a join URL is a call whose agent is chosen: leave out what picks one",
            ),
            (
                self.api_key is not None and self.api_url is None,
                "an API key goes with the API's address",
            ),
            (
                not (key.isascii() and key.isprintable() and " " not in key),
                "the API key has a blank, a control character or a letter beyond ASCII in it",
            ),
            (
                self.script is not None and self.api_url is not None,
                "a script is for the embedded server: a remote API runs its own agents",
            ),
            (
                self.script is not None and (self.agent is not None or self.model is not None),
                "a script picks the agent already: leave out agent and model",
            ),
            (
                self.agent is not None and self.model is not None,
                "agent and model exclude each other: both say who answers",
            ),
            (
                stored and self.system_prompt is not None,
                "an agent of an API has its own prompt: leave the system prompt out",
            ),
            (
                self.virtual and not self.embedded,
                "virtual time works with the embedded server only: a remote call runs in real time",
            ),
            (
                self._asked_rates() not in (None, self.rates),
                "the body's medium has other sample rates than input_hz and output_hz say",
            ),
            (
                self.join_url is not None and self.medium == "webRtc",
                "a join URL tells its medium by itself: leave out what asks for WebRTC",
            ),
            (
                self.virtual and self.medium == "webRtc",
                "there is no WebRTC in virtual time: ask for the medium serverWebSocket",
            ),
        )


def create_body(
    plan: TalkPlan, tools: Sequence[Tool], declared: Sequence[JsonDict], model: str | None = None
) -> JsonDict:
    """The request that makes the call.

    Args:
        plan: whom to talk to.
        tools: client tools of the user.
        declared: tools that the agent's script brings, as `selectedTools`.
        model: of our own server; else the plan's.
    """
    body: JsonDict = {"medium": _medium(plan)}
    if plan.api_url is None or plan.agent is None:
        own = {tool.name for tool in tools}
        kept = [each for each in declared if _name_of(each) not in own]
        if plan.by_hand:
            kept = [_patient(each) for each in kept]
        asked: JsonDict = {
            "model": model or plan.model,
            "systemPrompt": plan.system_prompt,
            "selectedTools": [*kept, *(tool.selected for tool in tools)] or None,
        }
        body |= {key: value for key, value in asked.items() if value is not None}
    return body | dict(plan.body)


def _medium(plan: TalkPlan) -> JsonDict:
    further = _OF_OURS if plan.embedded else {}
    if plan.medium == "webRtc":
        return {"webRtc": {"dataMessages": {**_CLEARS, **further}}}
    socket: JsonDict = {
        "inputSampleRate": plan.rates.input_hz,
        "outputSampleRate": plan.rates.output_hz,
        "clientBufferSizeMs": CLIENT_BUFFER_MS,
    }
    return {"serverWebSocket": socket | ({"dataMessages": further} if further else {})}


def _patient(selected: JsonDict) -> JsonDict:
    """A declared tool that leaves a person time, unless it says itself how long it waits."""
    temporary = selected.get("temporaryTool")
    if not isinstance(temporary, Mapping):
        return selected
    return {**selected, "temporaryTool": {"timeout": BY_HAND, **temporary}}


def _name_of(selected: JsonDict) -> object:
    temporary = selected.get("temporaryTool")
    return temporary.get("modelToolName") if isinstance(temporary, Mapping) else None
