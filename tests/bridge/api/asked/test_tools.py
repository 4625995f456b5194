from typing import Any

import pytest

from bridge.api.asked.tools import tools_from
from bridge.api.problems import Problems
from bridge.api.refusal import Refused
from bridge.api.schemas.start_call import StartCallRequest
from bridge.calls.settings import (
    AutomaticParameter,
    DynamicParameter,
    StaticParameter,
    ToolSpec,
)

FULL = {
    "modelToolName": "book_table",
    "description": "Books a table.",
    "dynamicParameters": [
        {
            "name": "guests",
            "location": "PARAMETER_LOCATION_BODY",
            "schema": {"type": "integer"},
            "required": True,
        },
        {"name": "note", "schema": {"type": "string"}},
    ],
    "staticParameters": [{"name": "house", "value": {"id": 7}}],
    "automaticParameters": [{"name": "call", "knownValue": "KNOWN_PARAM_CALL_ID"}],
    "timeout": "40s",
    "precomputable": True,
    "client": {},
    "defaultReaction": "AGENT_REACTION_SPEAKS_ONCE",
    "staticResponse": {"responseText": "One moment."},
}


def read(*selected: object) -> tuple[ToolSpec, ...]:
    problems = Problems()
    request = StartCallRequest.model_validate({"selectedTools": list(selected)})
    made = tools_from(request.selected_tools, problems)
    problems.raise_any()
    return made


def tool(**changes: object) -> dict[str, object]:
    return {"temporaryTool": {"modelToolName": "tool", "client": {}, **changes}}


def body_for(*selected: object) -> dict[str, Any]:
    with pytest.raises(Refused) as caught:
        read(*selected)
    assert caught.value.status == 400
    return dict(caught.value.body)


def test_no_tools_are_none() -> None:
    assert read() == ()
    assert tools_from(None, Problems()) == ()


def test_a_tool_is_made_as_asked() -> None:
    assert read({"temporaryTool": FULL}) == (
        ToolSpec(
            name="book_table",
            description="Books a table.",
            dynamic=(
                DynamicParameter("guests", {"type": "integer"}, required=True),
                DynamicParameter("note", {"type": "string"}),
            ),
            static=(StaticParameter("house", {"id": 7}),),
            automatic=(AutomaticParameter("call", "call_id"),),
            timeout_s=40.0,
            precomputable=True,
            default_reaction="speaks-once",
            static_response="One moment.",
        ),
    )


def test_a_bare_client_tool_has_the_vendors_defaults() -> None:
    [made] = read(tool())

    assert made == ToolSpec("tool")
    assert (made.timeout_s, made.default_reaction, made.static_response) == (2.5, "speaks", None)


def test_overrides_of_name_and_description_win() -> None:
    [made] = read({**tool(), "nameOverride": "other", "descriptionOverride": "Better."})

    assert (made.name, made.description) == ("other", "Better.")


def test_overridden_parameters_are_hidden_and_fixed() -> None:
    overrides = {"guests": 2, "house": None}

    [made] = read({"temporaryTool": FULL, "parameterOverrides": overrides})

    assert [each.name for each in made.shown] == ["note"]
    assert made.fixed == {"guests": 2, "house": None}


def test_a_tool_needs_exactly_one_source() -> None:
    sentence = "Exactly one of toolId, toolName and temporaryTool is needed here."

    assert body_for({}) == {"0": [sentence]}
    assert "toolName" in str(body_for({**tool(), "toolName": "hangUp"}))


@pytest.mark.parametrize("field", ["toolId", "toolName"])
def test_stored_tools_are_not_served(field: str) -> None:
    assert list(body_for({field: "hangUp"})["0"]) == [field]


@pytest.mark.parametrize("kind", ["http", "dataConnection"])
def test_other_kinds_than_client_are_not_served(kind: str) -> None:
    selected = {"temporaryTool": {"modelToolName": "tool", kind: {}}}

    assert list(body_for(selected)["0"]["temporaryTool"]) == [kind]


@pytest.mark.parametrize("kinds", [{}, {"client": {}, "http": {}}])
def test_a_tool_has_exactly_one_implementation(kinds: dict[str, object]) -> None:
    body = body_for({"temporaryTool": {"modelToolName": "tool", **kinds}})

    assert "Exactly one of http, client and dataConnection is needed here." in str(body)


@pytest.mark.parametrize("name", ["a", "A-b_9", "x" * 64])
def test_good_names_are_taken(name: str) -> None:
    assert read(tool(modelToolName=name))[0].name == name


@pytest.mark.parametrize("name", ["", "x" * 65, "two words", "é", "name\n", "a.b"])
def test_bad_names_are_refused(name: str) -> None:
    body = body_for(tool(modelToolName=name))

    assert "modelToolName" in str(body)


def test_a_bad_override_is_refused_at_the_override() -> None:
    assert list(body_for({**tool(), "nameOverride": "two words"})["0"]) == ["nameOverride"]


def test_names_are_unique_after_overrides() -> None:
    assert set(body_for(tool(), {**tool(modelToolName="b"), "nameOverride": "tool"})) == {"0", "1"}
    assert len(read(tool(), {**tool(), "nameOverride": "other"})) == 2


@pytest.mark.parametrize("timeout", ["40.1s", "41s"])
def test_a_tool_may_not_take_longer_than_forty_seconds(timeout: str) -> None:
    assert "timeout" in str(body_for(tool(timeout=timeout)))


@pytest.mark.parametrize("location", ["QUERY", "PATH", "HEADER"])
def test_a_client_tool_takes_parameters_in_the_body_only(location: str) -> None:
    parameter = {"name": "x", "location": f"PARAMETER_LOCATION_{location}"}

    assert "location" in str(body_for(tool(dynamicParameters=[parameter])))


def test_parameters_need_a_name_and_it_is_theirs_alone() -> None:
    assert "required" in str(body_for(tool(dynamicParameters=[{}])))
    twice = body_for(tool(dynamicParameters=[{"name": "x"}], staticParameters=[{"name": "x"}]))
    assert "staticParameters" in str(twice)


@pytest.mark.parametrize("known", [None, "KNOWN_PARAM_UNSPECIFIED"])
def test_an_automatic_parameter_needs_its_source(known: str | None) -> None:
    assert "knownValue" in str(
        body_for(tool(automaticParameters=[{"name": "x", "knownValue": known}]))
    )


def test_an_override_of_nothing_is_refused() -> None:
    body = body_for({**tool(), "parameterOverrides": {"gests": 2}})

    assert body == {
        "0": {"parameterOverrides": {"gests": ["The tool has no parameter of this name."]}}
    }


def test_a_required_override_must_be_there() -> None:
    definition = tool(
        dynamicParameters=[{"name": "corpus"}],
        requirements={"requiredParameterOverrides": ["corpus"]},
    )

    assert "The tool needs an override here." in str(body_for(definition))
    assert read({**definition, "parameterOverrides": {"corpus": "c"}})


def test_a_built_in_tool_is_chosen_by_its_name() -> None:
    [made] = read({"toolName": "playDtmfSounds", "parameterOverrides": {"toneDuration": "0.3s"}})

    assert made.name == "playDtmfSounds"
    assert [each.name for each in made.shown] == ["digits", "spaceDuration"]
    assert made.fixed == {"toneDuration": "0.3s"}


def test_whom_a_call_is_transferred_to_is_not_the_models_choice() -> None:
    body = body_for({"toolName": "coldTransfer"})
    [made] = read({"toolName": "coldTransfer", "parameterOverrides": {"target": "+15550100"}})

    assert "The tool needs an override here." in str(body)
    assert made.shown == ()
    assert made.fixed == {"target": "+15550100"}


def test_a_built_in_tool_keeps_its_name_and_its_parameters() -> None:
    named = body_for({"toolName": "playDtmfSounds", "nameOverride": "press"})
    unknown = body_for({"toolName": "playDtmfSounds", "parameterOverrides": {"digit": "1"}})

    assert "keeps its name" in str(named)
    assert "no parameter of this name" in str(unknown)
