"""How a Telnyx command asks for a stream."""

from collections.abc import Mapping

from bridge.testing.verbs import Stream


def stream_of(fields: Mapping[str, object]) -> Stream | None:
    """The stream that a command's fields ask for; None if they ask for none."""
    url = fields.get("stream_url")
    if not isinstance(url, str) or not url:
        return None
    options = {
        name: str(value)
        for name, value in fields.items()
        if name.startswith("stream_") and isinstance(value, str | int)
    }
    given = fields.get("custom_parameters")
    parameters = {}
    for each in given if isinstance(given, list) else []:
        if isinstance(each, dict) and isinstance(each.get("name"), str):
            parameters[each["name"]] = str(each.get("value", ""))
    return Stream(url, parameters, options)
