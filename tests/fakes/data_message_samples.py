"""One or more documented samples of every data message: as read, and as we write it.

Source: docs.ultravox.ai, data messages, and what the vendor's SDKs send, as of April 2026. Texts
and ids are made up.
"""

from bridge.wire import messages as m

CALL_ID = "5b0f2f0e-6f0a-4c57-9d0f-0d6f3a1c2b4d"
INVOCATION = "call_0123456789abcdefABCDEF01"

CLIENT_SAMPLES: list[tuple[m.JsonObject, m.ClientMessage]] = [
    ({"type": "ping", "timestamp": 1780000000.25}, m.Ping(timestamp=1780000000.25)),
    (
        {"type": "user_text_message", "text": "Hi", "urgency": "immediate", "threadId": "UI"},
        m.UserTextMessage(text="Hi", urgency="immediate"),
    ),
    ({"type": "input_text_message", "text": "Hi"}, m.InputTextMessage(text="Hi")),
    (
        {"type": "input_text_message", "text": "Hi", "deferResponse": True},
        m.InputTextMessage(text="Hi", defer_response=True),
    ),
    ({"type": "set_output_medium", "medium": "text"}, m.SetOutputMedium(medium="text")),
    (
        {
            "type": "client_tool_result",
            "invocationId": INVOCATION,
            "result": '{"strict": false}',
            "responseType": "hang-up",
            "agentReaction": "speaks-once",
            "updateCallState": {"booked": True, "guest": None},
        },
        m.ClientToolResult(
            invocation_id=INVOCATION,
            result='{"strict": false}',
            response_type="hang-up",
            agent_reaction="speaks-once",
            update_call_state={"booked": True, "guest": None},
        ),
    ),
    (
        {
            "type": "client_tool_result",
            "invocationId": INVOCATION,
            "responseType": "tool-response",
            "errorType": "undefined",
            "errorMessage": "no such tool",
        },
        m.ClientToolResult(
            invocation_id=INVOCATION, error_type="undefined", error_message="no such tool"
        ),
    ),
    (
        {
            "type": "data_connection_tool_result",
            "invocationId": INVOCATION,
            "result": "done",
            "responseType": "tool-response",
        },
        m.DataConnectionToolResult(invocation_id=INVOCATION, result="done"),
    ),
    (
        {
            "type": "forced_agent_message",
            "content": "One moment.",
            "toolCalls": [
                {"id": "a", "name": "lookUp", "arguments": {"name": "Ada"}},
                {"name": "bare", "arguments": {}},
            ],
            "knownToolResults": [
                {
                    "invocationId": "a",
                    "result": "found",
                    "responseType": "tool-response",
                    "agentReaction": "listens",
                }
            ],
            "uninterruptible": True,
            "urgency": "immediate",
            "threadId": "UI",
        },
        m.ForcedAgentMessage(
            content="One moment.",
            tool_calls=(
                m.ToolCall(id="a", name="lookUp", arguments={"name": "Ada"}),
                m.ToolCall(name="bare"),
            ),
            known_tool_results=(
                m.ToolResult(invocation_id="a", result="found", agent_reaction="listens"),
            ),
            uninterruptible=True,
            urgency="immediate",
        ),
    ),
    ({"type": "hang_up", "message": "Bye."}, m.HangUp(message="Bye.")),
    (
        {
            "type": "spawn_thread",
            "newThreadId": "notes",
            "parentThreadId": "UI",
            "ifExists": "replace",
            "additionalMessages": [
                {
                    "type": "user_text_message",
                    "text": "Sum up.",
                    "urgency": "soon",
                    "threadId": "UI",
                },
                {
                    "type": "forced_agent_message",
                    "content": "Fine.",
                    "toolCalls": [],
                    "knownToolResults": [],
                    "uninterruptible": False,
                    "urgency": "soon",
                    "threadId": "UI",
                },
            ],
            "toolFilter": {"allowedTools": ["a"], "disallowedTools": ["b"]},
            "limits": {
                "threadOutputTokenLimit": 1,
                "threadFuzzyInputTokenLimit": 2,
                "generationLimit": 3,
                "generationOutputTokenLimit": 4,
                "generationFuzzyInputTokenLimit": 5,
            },
        },
        m.SpawnThread(
            new_thread_id="notes",
            if_exists="replace",
            additional_messages=(
                m.UserTextMessage(text="Sum up."),
                m.ForcedAgentMessage(content="Fine."),
            ),
            tool_filter=m.ToolFilter(allowed_tools=("a",), disallowed_tools=("b",)),
            limits=m.ThreadLimits(
                thread_output_token_limit=1,
                thread_fuzzy_input_token_limit=2,
                generation_limit=3,
                generation_output_token_limit=4,
                generation_fuzzy_input_token_limit=5,
            ),
        ),
    ),
]

SERVER_SAMPLES: list[tuple[m.JsonObject, m.ServerMessage]] = [
    ({"type": "pong", "timestamp": 1780000000.25}, m.Pong(timestamp=1780000000.25)),
    ({"type": "state", "state": "thinking"}, m.State(state="thinking")),
    (
        {
            "type": "transcript",
            "role": "agent",
            "medium": "voice",
            "text": "Hello, there.",
            "final": True,
            "ordinal": 0,
        },
        m.Transcript(role="agent", text="Hello, there.", final=True, ordinal=0),
    ),
    (
        {
            "type": "transcript",
            "role": "agent",
            "medium": "text",
            "delta": " there",
            "final": False,
            "ordinal": 12,
        },
        m.Transcript(role="agent", medium="text", delta=" there", final=False, ordinal=12),
    ),
    (
        {
            "type": "client_tool_invocation",
            "toolName": "book",
            "invocationId": INVOCATION,
            "parameters": {"guests": 2, "name": None, "wishes": [{"quiet": True}]},
        },
        m.ClientToolInvocation(
            tool_name="book",
            invocation_id=INVOCATION,
            parameters={"guests": 2, "name": None, "wishes": [{"quiet": True}]},
        ),
    ),
    (
        {
            "type": "data_connection_tool_invocation",
            "toolName": "book",
            "invocationId": INVOCATION,
            "parameters": {},
        },
        m.DataConnectionToolInvocation(tool_name="book", invocation_id=INVOCATION),
    ),
    ({"type": "call_started", "callId": CALL_ID}, m.CallStarted(call_id=CALL_ID)),
    ({"type": "playback_clear_buffer"}, m.PlaybackClearBuffer()),
    ({"type": "debug", "message": "LLM response"}, m.Debug(message="LLM response")),
    (
        {
            "type": "call_event",
            "eventType": "media.underflow",
            "callId": CALL_ID,
            "callStageId": "stage",
            "callTimestamp": "1.5s",
            "wallClockTimestamp": "2026-05-29T10:00:00Z",
            "severity": "warning",
            "text": "too little audio",
            "extras": {"ms": 400},
        },
        m.CallEvent(
            event_type="media.underflow",
            call_id=CALL_ID,
            call_stage_id="stage",
            call_timestamp="1.5s",
            wall_clock_timestamp="2026-05-29T10:00:00Z",
            severity="warning",
            text="too little audio",
            extras={"ms": 400},
        ),
    ),
    (
        {"type": "tool_used", "toolName": "book", "invocationId": INVOCATION},
        m.ToolUsed(tool_name="book", invocation_id=INVOCATION),
    ),
    (
        {"type": "invoking_tool", "toolName": "book", "invocationId": INVOCATION},
        m.InvokingTool(tool_name="book", invocation_id=INVOCATION),
    ),
    ({"type": "user_started_speaking"}, m.UserStartedSpeaking()),
    ({"type": "user_stopped_speaking"}, m.UserStoppedSpeaking()),
    ({"type": "thread_spawned", "threadId": "notes"}, m.ThreadSpawned(thread_id="notes")),
    (
        {"type": "thread_rejected", "threadId": "notes", "reason": "exists"},
        m.ThreadRejected(thread_id="notes", reason="exists"),
    ),
    (
        {"type": "thread_terminated", "threadId": "notes", "reason": "limit reached"},
        m.ThreadTerminated(thread_id="notes", reason="limit reached"),
    ),
    (
        {"type": "side_generation_delta", "threadId": "notes", "delta": "So"},
        m.SideGenerationDelta(thread_id="notes", delta="So"),
    ),
    (
        {
            "type": "side_generation_completed",
            "threadId": "notes",
            "text": "So far.",
            "toolCalls": [{"name": "note", "arguments": {"text": "x"}}],
        },
        m.SideGenerationCompleted(
            thread_id="notes",
            text="So far.",
            tool_calls=(m.ToolCall(name="note", arguments={"text": "x"}),),
        ),
    ),
    (
        {"type": "room_info", "roomUrl": "wss://127.0.0.1/room", "token": "t0ken"},
        m.RoomInfo(room_url="wss://127.0.0.1/room", token="t0ken"),
    ),
]
