"""The strict JSON decoder: what is JSON within the limits passes, all else is refused."""

import json
import time
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.errors import RemoteWireError
from bridge.wire.strict_json import BODY, MESSAGE, JsonLimits, decode, utf8_size

SMALL = JsonLimits(max_bytes=40, max_nodes=6, max_depth=3, max_digits=5)
SECRET = "CANARY"

JSON_VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**299), 10**299)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"])),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text('ab:,[{\\" é'), inner),
    max_leaves=20,
)


@given(JSON_VALUES, st.booleans())
def test_json_within_the_limits_decodes_to_the_same_value(value: object, ascii_only: bool) -> None:
    text = json.dumps(value, ensure_ascii=ascii_only)

    decoded = decode(text, BODY)

    assert decoded == value
    assert decode(text.encode(), BODY) == value


@given(st.text() | st.binary())
def test_any_text_decodes_as_the_standard_decoder_does_or_is_refused(text: str | bytes) -> None:
    try:
        value = decode(text)
    except RemoteWireError:
        return

    assert value == json.loads(text)


@given(st.text('[]{}",:\\u0d8 1eE+-.NaInfity', max_size=60))
def test_texts_of_json_characters_decode_as_the_standard_decoder_does_or_are_refused(
    text: str,
) -> None:
    try:
        value = decode(text)
    except RemoteWireError:
        return

    assert value == json.loads(text)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "cut off"),
        ("{", "cut off"),
        (f'{{"{SECRET}": }}', "not JSON"),
        ('{"a": 1} {', "not JSON"),
        ("{'a': 1}", "not JSON"),
        ("01", "not JSON"),
        ('\ufeff{"a": 1}', "byte order mark"),
        (b"\xef\xbb\xbf{}", "byte order mark"),
        ("{}\0", "NUL"),
        ('{"a\0": 1}', "NUL"),
        ('{"a": "\\u0000"}', "NUL"),
        ('{"\\u0000": "a"}', "NUL"),
        ('{"a": "\\\\\\u0000"}', "NUL"),
        (f'{{"{SECRET}": 1, "{SECRET}": 2}}', "same key twice"),
        ('[{"x": {"a": 1, "b": ":", "a": 1}}]', "same key twice"),
        ('{"a": 1, "\\u0061": 2}', "same key twice"),
        ("[NaN]", "NaN"),
        ("[Infinity]", "NaN"),
        ("-Infinity", "NaN"),
        ("1e400", "too large"),
        ('{"a": [-1e400]}', "too large"),
        ('"\\ud800"', "surrogate"),
        ('"\\udc00 and more text"', "surrogate"),
        ('{"\\ud83d": 1}', "surrogate"),
        ('"\ud800"', "not valid Unicode"),
        (b'"\xff"', "not valid Unicode"),
        (b'"\xed\xa0\x80"', "not valid Unicode"),
        ("{}".encode("utf-16-be"), "NUL"),
    ],
)
def test_what_is_no_strict_json_is_refused_in_one_sentence_that_repeats_nothing(
    text: str | bytes, words: str
) -> None:
    with pytest.raises(RemoteWireError, match=words) as caught:
        decode(text)

    assert SECRET not in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "text",
    [
        '{"a": "NaN, Infinity, 1e400: [[[{{{"}',
        '{"a": "\\\\u0000"}',
        '{"a": {"b": ":"}, "b": {"a": 1}}',
        '"\\ud83d\\ude00"',
        '{"a": "\\"\\\\\\"", "b": 1}',
    ],
)
def test_strings_about_such_things_pass(text: str) -> None:
    assert decode(text) == json.loads(text)


@pytest.mark.parametrize(
    ("below", "above", "words"),
    [
        ('"' + "a" * 38 + '"', '"' + "a" * 39 + '"', "longer than 40 bytes"),
        ('"' + "é" * 19 + '"', '"' + "é" * 19 + 'a"', "longer than 40 bytes"),
        ("[[[]]]", "[[[[]]]]", "deeper than 3 levels"),
        ('{"a": [{}]}', '{"a": [{"a": {}}]}', "deeper than 3 levels"),
        ("[1,2,3,4,5]", "[1,2,3,4,5,6]", "more than 6 values"),
        ('[[],[ ],{},{ },"[,,,"]', "[[],[],{},{},[1]]", "more than 6 values"),
        ("[12345]", "[123456]", "more than 5 digits"),
        ("[-1.23e+45]", "[-1.234e+56]", "more than 5 digits"),
    ],
)
def test_each_limit_lets_pass_what_is_just_below_and_refuses_what_is_just_above(
    below: str, above: str, words: str
) -> None:
    assert decode(below, SMALL) == json.loads(below)
    with pytest.raises(RemoteWireError, match=words):
        decode(above, SMALL)


@pytest.mark.parametrize(
    ("limits", "value"),
    [
        (MESSAGE, "a" * (64 * 1024 - 2)),
        (MESSAGE, [0] * 999),
        (MESSAGE, {str(n): n for n in range(999)}),
        (MESSAGE, 10**300 - 1),
        (BODY, "a" * (1024 * 1024 - 2)),
        (BODY, [[]] * 9_999),
    ],
)
def test_the_presets_hold_exactly(limits: JsonLimits, value: object) -> None:
    more: object = None
    match value:
        case str():
            more = value + "a"
        case list():
            more = [*value, 0]
        case dict():
            more = {**value, "more": 0}
        case int():
            more = value + 1

    assert decode(json.dumps(value), limits) == value
    with pytest.raises(RemoteWireError):
        decode(json.dumps(more), limits)


@pytest.mark.parametrize("limits", [MESSAGE, BODY])
def test_nesting_of_32_passes_and_33_is_refused(limits: JsonLimits) -> None:
    decode("[" * 32 + "]" * 32, limits)

    with pytest.raises(RemoteWireError, match="nested deeper than 32"):
        decode("[" * 33 + "]" * 33, limits)


@pytest.mark.parametrize(("size", "code"), [(64 * 1024 + 1, 1009), (64 * 1024, 1008)])
def test_only_a_text_that_is_too_long_suggests_close_code_1009(size: int, code: int) -> None:
    with pytest.raises(RemoteWireError) as caught:
        decode("x" * size)

    assert caught.value.close_code == code


def hostile(size: int) -> list[str]:
    patterns: list[Callable[[int], str]] = [
        lambda n: "[" * n,
        lambda n: "[" * (n // 2) + "]" * (n // 2),
        lambda n: '{"a":' * (n // 5),
        lambda n: "[[]," * (n // 4),
        lambda n: '"' + "\\" * (n - 1),
        lambda n: '\\"' * (n // 2),
        lambda n: '"\\"' * (n // 3),
        lambda n: "e" * n,
        lambda n: ("1" * 300 + "x") * (n // 301),
        lambda n: "1" * n,
        lambda n: '{"a":"' + ":" * (n - 8) + '"}',
        lambda n: '"' + "\\ud800" * (n // 6 - 1) + '"',
        lambda n: '["' + '","'.join("1" * 301 for _ in range(n // 304 - 1)) + '"]',
        lambda n: "[" + "," * (n - 2) + "]",
    ]
    return [pattern(size) for pattern in patterns]


@pytest.mark.parametrize("number", range(len(hostile(100))))
def test_hostile_texts_cost_time_in_proportion_to_their_length(number: int) -> None:
    def cost_s(size: int) -> float:
        text = hostile(size)[number]
        start_s = time.process_time()
        for _ in range(5):
            try:
                decode(text, BODY)
            except RemoteWireError:
                continue
        return time.process_time() - start_s

    # Quadratic work would need minutes for a mebibyte; a generous second tells the two apart.
    assert cost_s(1024 * 1024) < 5.0


def test_the_size_in_utf8_is_that_of_the_encoded_text() -> None:
    assert [utf8_size(text) for text in ("", "a", "é", "😀", b"\xff\xff")] == [0, 1, 2, 4, 2]
