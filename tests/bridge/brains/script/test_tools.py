"""A script's tools in the shape of a start-call request."""

from bridge.brains.script.tools import canned_answers, selected_tools
from tests.bridge.brains.script.scripts import script

TOOLS = """
[[tools]]
name = "book"
description = "Book it."
answer = "done"
parameters.day = { description = "The day." }
parameters.part = { type = "integer", enum = [1, 2], required = false }
[[tools]]
name = "bare"
[[steps]]
wait = "any"
"""


def test_tools_are_temporary_client_tools_with_dynamic_body_parameters() -> None:
    tools = selected_tools(script(TOOLS))

    assert tools == [
        {
            "temporaryTool": {
                "modelToolName": "book",
                "description": "Book it.",
                "dynamicParameters": [
                    {
                        "name": "day",
                        "location": "PARAMETER_LOCATION_BODY",
                        "schema": {"type": "string", "description": "The day."},
                        "required": True,
                    },
                    {
                        "name": "part",
                        "location": "PARAMETER_LOCATION_BODY",
                        "schema": {"type": "integer", "enum": [1, 2]},
                        "required": False,
                    },
                ],
                "client": {},
            }
        },
        {"temporaryTool": {"modelToolName": "bare", "client": {}}},
    ]


def test_only_tools_with_an_answer_have_one() -> None:
    assert canned_answers(script(TOOLS)) == {"book": "done"}
