from pathlib import Path

import httpx
import pytest

from bridge.calls.records import EventRecord, MessageRecord, Severity, StageRecord, Timespan
from tests.fakes.calls import EPOCH, FakeCalls, made

TOOL = {
    "temporaryTool": {
        "modelToolName": "book",
        "description": "Books.",
        "dynamicParameters": [
            {"name": "guests", "schema": {"type": "integer"}, "required": True},
            {"name": "house", "schema": {}},
        ],
        "automaticParameters": [{"name": "state", "knownValue": "KNOWN_PARAM_CALL_STATE"}],
        "client": {},
        "staticResponse": {"responseText": "Done."},
    },
    "parameterOverrides": {"house": 7},
    "authTokens": {"key": "canary"},
}
SHOWN_TOOL = {
    "callToolId": "00000000-0000-0000-0000-000000000002",
    "toolId": None,
    "name": "book",
    "definition": {
        "description": "Books.",
        "dynamicParameters": [
            {
                "name": "guests",
                "location": "PARAMETER_LOCATION_BODY",
                "schema": {"type": "integer"},
                "required": True,
            }
        ],
        "staticParameters": [{"name": "house", "location": "PARAMETER_LOCATION_BODY", "value": 7}],
        "automaticParameters": [
            {
                "name": "state",
                "location": "PARAMETER_LOCATION_BODY",
                "knownValue": "KNOWN_PARAM_CALL_STATE",
            }
        ],
        "timeout": "2.5s",
        "precomputable": False,
        "client": {},
        "defaultReaction": "AGENT_REACTION_SPEAKS",
        "staticResponse": {"responseText": "Done."},
    },
}


async def with_messages(client: httpx.AsyncClient, calls: FakeCalls) -> tuple[str, str, str]:
    """A call of two stages: one initial message and one more in the first, one in the second."""
    call_id = await made(client)
    first = await calls.stage(call_id)
    second = StageRecord("second", call_id, EPOCH, first.settings)
    await calls.store.add_stage(second)
    initial = MessageRecord(first.stage_id, 0, "user", "Hello", medium="text", initial=True)
    spoken = MessageRecord(
        first.stage_id,
        1,
        "agent",
        "Hi.",
        ordinal=0,
        timespan=Timespan(0.5, 1.25),
        wall_clock_timespan=Timespan(0.6, 1.35),
    )
    result = MessageRecord(
        "second",
        0,
        "tool_result",
        "OK",
        ordinal=1,
        invocation_id="call_1",
        tool_name="book",
        error_details="It threw.",
        call_state={"step": None},
    )
    for message in (initial, spoken, result):
        await calls.store.add_message(call_id, message)
    return call_id, first.stage_id, "second"


def texts(response: httpx.Response) -> list[str]:
    assert response.status_code == 200, response.text
    return [each["text"] for each in response.json()["results"]]


async def test_messages_are_those_of_the_last_stage_unless_all_are_asked_for(
    client: httpx.AsyncClient, calls: FakeCalls
) -> None:
    call_id, first, second = await with_messages(client, calls)
    path = f"/api/calls/{call_id}"

    assert texts(await client.get(f"{path}/messages")) == ["OK"]
    assert texts(await client.get(f"{path}/messages?mode=last_stage")) == ["OK"]
    assert texts(await client.get(f"{path}/messages?mode=in_call")) == ["Hi.", "OK"]
    assert texts(await client.get(f"{path}/stages/{first}/messages")) == ["Hello", "Hi."]
    assert texts(await client.get(f"{path}/stages/{second}/messages")) == ["OK"]


async def test_messages_show_what_they_have_and_nothing_else(
    client: httpx.AsyncClient, calls: FakeCalls
) -> None:
    call_id, first, _ = await with_messages(client, calls)

    response = await client.get(f"/api/calls/{call_id}/messages?mode=in_call")

    assert response.json()["results"] == [
        {
            "role": "MESSAGE_ROLE_AGENT",
            "text": "Hi.",
            "medium": "MESSAGE_MEDIUM_VOICE",
            "callStageMessageIndex": 1,
            "callStageId": first,
            "timespan": {"start": "0.5s", "end": "1.25s"},
            "wallClockTimespan": {"start": "0.6s", "end": "1.35s"},
        },
        {
            "role": "MESSAGE_ROLE_TOOL_RESULT",
            "text": "OK",
            "invocationId": "call_1",
            "toolName": "book",
            "errorDetails": "It threw.",
            "medium": "MESSAGE_MEDIUM_VOICE",
            "callStageMessageIndex": 0,
            "callStageId": "second",
            "callState": {"step": None},
        },
    ]


async def test_a_mode_that_is_none_is_400(client: httpx.AsyncClient) -> None:
    call_id = await made(client)

    response = await client.get(f"/api/calls/{call_id}/messages?mode=all")

    assert response.status_code == 400
    assert set(response.json()) == {"mode"}


async def with_events(client: httpx.AsyncClient, calls: FakeCalls) -> str:
    call_id = await made(client)
    severities: list[Severity] = ["debug", "info", "warning", "error"]
    for at, severity in enumerate(severities):
        event = EventRecord("stage", f"type.{at}", severity, f"Event {at}", at + 0.5)
        await calls.store.add_event(call_id, event)
    last = EventRecord("stage", "type.1", "error", "Last", 9.0, 9.5, {"n": 1})
    await calls.store.add_event(call_id, last)
    return f"/api/calls/{call_id}/events"


async def test_events_are_chosen_by_severity_and_type(
    client: httpx.AsyncClient, calls: FakeCalls
) -> None:
    path = await with_events(client, calls)

    assert len(texts(await client.get(path))) == 4
    assert len(texts(await client.get(f"{path}?minimum_severity=debug"))) == 5
    assert texts(await client.get(f"{path}?minimum_severity=error")) == ["Event 3", "Last"]
    assert texts(await client.get(f"{path}?type=type.1")) == ["Event 1", "Last"]
    assert texts(await client.get(f"{path}?type=type.1&minimum_severity=error")) == ["Last"]


async def test_an_event_shows_all_its_fields(client: httpx.AsyncClient, calls: FakeCalls) -> None:
    path = await with_events(client, calls)

    first, *_, last = (await client.get(f"{path}?minimum_severity=debug")).json()["results"]

    assert last == {
        "callId": "00000000-0000-0000-0000-000000000001",
        "callStageId": "stage",
        "callTimestamp": "9s",
        "severity": "error",
        "type": "type.1",
        "text": "Last",
        "extras": {"n": 1},
        "wallClockTimestamp": "9.5s",
    }
    assert (first["extras"], first["wallClockTimestamp"]) == (None, None)


@pytest.mark.parametrize("query", ["minimum_severity=fatal", "minimum_severity=", "type="])
async def test_event_filters_that_are_none_are_400(client: httpx.AsyncClient, query: str) -> None:
    call_id = await made(client)

    response = await client.get(f"/api/calls/{call_id}/events?{query}")

    assert response.status_code == 400
    assert set(response.json()) == {query.partition("=")[0]}


async def test_stages_show_what_they_were_made_with(client: httpx.AsyncClient) -> None:
    inactivity = {"duration": "8s", "message": "Hm?", "endBehavior": "END_BEHAVIOR_HANG_UP_SOFT"}
    call_id = await made(
        client,
        systemPrompt="Be kind.",
        inactivityMessages=[inactivity],
        externalVoice={"lmnt": {"voiceId": "lily", "speed": 1}},
        experimentalSettings={"x": 1},
        initialState={"step": 1},
    )

    [stage] = (await client.get(f"/api/calls/{call_id}/stages")).json()["results"]
    same = (await client.get(f"/api/calls/{call_id}/stages/{stage['callStageId']}")).json()

    assert stage == same
    assert stage == {
        "callId": call_id,
        "callStageId": "00000000-0000-0000-0000-000000000002",
        "created": "2026-01-01T00:00:00.000000Z",
        "inactivityMessages": [inactivity],
        "initialTokenCount": None,
        "languageHint": None,
        "latestTokenCount": None,
        "model": "ultravox-v0.7",
        "systemPrompt": "Be kind.",
        "temperature": 0.0,
        "timeExceededMessage": None,
        "voice": None,
        "externalVoice": {"lmnt": {"voiceId": "lily", "speed": 1.0}},
        "errorCount": 0,
        "experimentalSettings": {"x": 1},
        "initialState": {"step": 1},
    }


@pytest.mark.parametrize("path", ["", "/messages", "/tools"])
async def test_a_stage_of_another_call_is_404(client: httpx.AsyncClient, path: str) -> None:
    mine, other = await made(client), await made(client)
    [stage] = (await client.get(f"/api/calls/{other}/stages")).json()["results"]

    response = await client.get(f"/api/calls/{mine}/stages/{stage['callStageId']}{path}")

    assert response.status_code == 404


async def test_tools_are_shown_as_used_and_without_secrets(client: httpx.AsyncClient) -> None:
    call_id = await made(client, selectedTools=[TOOL])
    [stage] = (await client.get(f"/api/calls/{call_id}/stages")).json()["results"]

    of_call = await client.get(f"/api/calls/{call_id}/tools")
    of_stage = await client.get(f"/api/calls/{call_id}/stages/{stage['callStageId']}/tools")

    assert of_call.json() == [SHOWN_TOOL]
    assert of_stage.json() == [SHOWN_TOOL]
    assert "canary" not in of_call.text


async def test_a_recording_is_a_wav_file(
    client: httpx.AsyncClient, calls: FakeCalls, tmp_path: Path
) -> None:
    call_id = await made(client, recordingEnabled=True)
    calls.recordings[call_id] = path = tmp_path / "call.wav"
    path.write_bytes(b"RIFF" + bytes(200_000))

    response = await client.get(f"/api/calls/{call_id}/recording")

    assert response.status_code == 200
    assert response.headers["content-type"] == "audio/wav"
    assert response.headers["content-length"] == "200004"
    assert response.content == path.read_bytes()


async def test_no_recording_and_a_lost_one_are_404(
    client: httpx.AsyncClient, calls: FakeCalls, tmp_path: Path
) -> None:
    call_id = await made(client)
    never = await client.get(f"/api/calls/{call_id}/recording")
    calls.recordings[call_id] = tmp_path / "gone.wav"
    gone = await client.get(f"/api/calls/{call_id}/recording")

    assert (never.status_code, never.json()["detail"]) == (404, "The call was not recorded.")
    assert (gone.status_code, gone.json()["detail"]) == (404, "The recording of this call is gone.")
