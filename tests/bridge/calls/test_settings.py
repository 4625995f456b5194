from bridge.calls.settings import (
    CallSettings,
    DynamicParameter,
    ServerSocketMedium,
    StaticParameter,
    ToolSpec,
)


def test_a_call_without_wishes_has_the_vendors_defaults() -> None:
    settings = CallSettings()

    assert (settings.model, settings.temperature) == ("ultravox-v0.7", 0.0)
    assert (settings.join_timeout_s, settings.max_duration_s) == (30.0, 3600.0)
    assert (settings.output_medium, settings.recording_enabled) == ("voice", False)
    assert settings.greeting_prompt_enabled


def test_a_socket_is_told_to_clear_its_buffer_by_default() -> None:
    messages = ServerSocketMedium().data_messages

    assert messages.playback_clear_buffer
    assert not messages.data_connection_tool_invocation


def test_an_override_hides_a_parameter_and_beats_a_static_value() -> None:
    tool = ToolSpec(
        "book",
        dynamic=(DynamicParameter("guests"), DynamicParameter("note")),
        static=(StaticParameter("house", 1), StaticParameter("city", "Bern")),
        parameter_overrides={"note": None, "house": 2},
    )

    assert [each.name for each in tool.shown] == ["guests"]
    assert tool.fixed == {"house": 2, "city": "Bern", "note": None}
