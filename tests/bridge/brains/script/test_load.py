"""Reading scripts: good files, bad files, and anything at all."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bridge.brains.script.load import MAX_SCRIPT_BYTES, load_script, parse_script, script_from_data
from bridge.brains.script.model import (
    Answer,
    Otherwise,
    Parameter,
    ResultBranch,
    SayPart,
    Script,
    ScriptTool,
    Step,
    ToolPart,
    WaitPart,
)
from bridge.errors import ConfigError

EXAMPLE = Path(__file__).parents[4] / "config" / "script-example.toml"

BAD = [
    ("", "'steps' is missing"),
    ("steps = []", "steps: List should have at least 1 item after validation, not 0"),
    ("steps = 3", "steps: this must be a list, in square brackets"),
    ("steps = [3]", "step 1: this must be a table"),
    ("step = []", "unknown key 'step'; did you mean 'steps'?"),
    ("[[steps]]", "step 1: the step does nothing; it needs one of say, wait, tool, goto, set"),
    ("[[steps]]\nsya = 'a'", "step 1: unknown key 'sya'; did you mean 'say'?"),
    ("[[steps]]\nxyz = 'a'", "step 1: unknown key 'xyz'; known: label, say, wait, tool, goto"),
    ("[[steps]]\nsay = 'a'\ngoto = 'b'", "step 1: say and goto are 2 steps; write one for each"),
    ("[[steps]]\nsay = 1", "step 1, say: this must be a text, in quotes"),
    ("[[steps]]\nsay = ' '", "step 1, say.text: the text is empty"),
    ("[[steps]]\nsay = {text = 'a', uninterruptible = 1}", "uninterruptible: this must be true"),
    ("[[steps]]\nsay = 'a {b'", "step 1, say: a '{' stands alone"),
    ("[[steps]]\nsay = '{dya}'\n[variables]\nday = 1", "variable 'dya'; did you mean 'day'?"),
    ("[[steps]]\nhang_up = '{x}'", "step 1, hang_up: nothing sets the variable 'x'"),
    ("[[steps]]\nset = {x = '{y}'}", "step 1, set.x: nothing sets the variable 'y'"),
    ("[[steps]]\nset = {'a b' = 1}", "'a b' is no name for a variable"),
    ("[[steps]]\nset = {a = []}", "step 1, set.a: the value must be a text, a number, true or"),
    ("[[steps]]\nset = {a = inf}", "step 1, set.a: inf is no number that can be used"),
    ("[[steps]]\nset = {a = 1979-05-27}", "step 1, set.a: 1979-05-27 is a date or time"),
    ("[[steps]]\nset = {a = 9223372036854775808}", "a number has more than 63 bits"),
    ('[[steps]]\nsay = "a\\u0007"', "step 1, say: the character '\\x07' cannot be spoken"),
    ("[[steps]]\nlabel = 'a b'\nsay = 'x'", "step 1 ('a b'), label: 'a b' is no label"),
    ("[[steps]]\nlabel = 'day'\ngoto = 'dya'", "no label 'dya'; did you mean 'day'?"),
    (
        "[[steps]]\nlabel = 'a'\nsay = 'x'\n[[steps]]\nlabel = 'a'\nwait = 'any'",
        "step 2 ('a'): the label 'a' is there twice",
    ),
    ("[[steps]]\nwait = 'all'", 'step 1, wait: the short form is wait = "any"'),
    ("[[steps]]\nwait = {otherwise = {}}", "step 1, wait: 'otherwise' needs 'expect'"),
    (
        "[[steps]]\nwait.expect = [{phrases = ['a']}, {phrases = ['b', 'A!']}]",
        "step 1, wait: the phrase 'a' is expected twice",
    ),
    (
        "[[steps]]\nsay = 'x'\n[[steps]]\nlabel = 'day'\nwait.expect = [{phrase = ['a']}]",
        "step 2 ('day'), wait.expect[1]: unknown key 'phrase'; did you mean 'phrases'?",
    ),
    ("[[steps]]\nwait.expect = [{goto = 'a'}]", "step 1, wait.expect[1]: 'phrases' is missing"),
    ("[[steps]]\nwait.expect = [{phrases = []}]", "step 1, wait.expect[1].phrases: List should"),
    ("[[steps]]\nwait.expect = [{phrases = ['?']}]", "the phrase '?' has no words"),
    (
        "[[steps]]\nwait.expect = [{phrases = ['a'], steps = [{say = 'x'}, {goto = 'b'}]}]",
        "step 1, wait.expect[1], step 2, goto: there is no label 'b'",
    ),
    (
        "[[steps]]\nwait = {expect = [{phrases = ['a']}], otherwise = {repeats = 21}}",
        "step 1, wait.otherwise.repeats: the value should be less than or equal to 20",
    ),
    ("[[steps]]\ntool.name = 'a b'", "step 1, tool.name: 'a b' is no tool name"),
    ("[[steps]]\ntool.name = 'a'", "step 1, tool.name: the script has no tool 'a'"),
    (
        "[[tools]]\nname = 'book'\n[[steps]]\ntool.name = 'bock'",
        "step 1, tool.name: the script has no tool 'bock'; did you mean 'book'?",
    ),
    (
        "[[tools]]\nname = 'b'\n[[tools]]\nname = 'b'\n[[steps]]\nsay = 'x'",
        "tools[2]: the tool 'b' is there twice",
    ),
    (
        "[[steps]]\ntool = {name = 'b', arguments = {dya = 1}}\n[[tools]]\nname = 'b'\nparameters.day = {}",
        "step 1, tool.arguments: b has no parameter 'dya'; did you mean 'day'?",
    ),
    (
        "[[tools]]\nname = 'b'\nparameters.day = {}\n[[steps]]\ntool.name = 'b'",
        "step 1, tool.arguments: b needs the argument 'day'",
    ),
    (
        "[[tools]]\nname = 'b'\nparameters.day = {type = 'text'}\n[[steps]]\nsay = 'x'",
        "tools[1].parameters.day.type: the value should be 'string'",
    ),
    (
        "[[tools]]\nname = 'b'\n[[steps]]\ntool = {name = 'b', on = [{goto = 'x'}]}",
        "step 1, tool.on[1]: the branch needs 'when' or 'has'",
    ),
    ("[[steps]]\nlabel = 'a'\ngoto = 'a'", "step 1 ('a'): from here the script goes round for"),
    (
        "[[steps]]\nlabel = 'a'\nsay = 'x'\n[[steps]]\nset = {x = 1}\n[[steps]]\ngoto = 'a'",
        "step 1 ('a'): from here the script goes round for ever",
    ),
    ("a = 1\na = 2", "not valid TOML: Cannot overwrite a value"),
    ("x = " + "[" * 40 + "]" * 40, "x[1]: nested too deeply"),
    ("x = " + "[" * 9_000 + "]" * 9_000, "nested too deeply"),
]


@pytest.mark.parametrize(("text", "sentence"), BAD)
def test_a_bad_script_is_refused_with_file_step_and_key(text: str, sentence: str) -> None:
    with pytest.raises(ConfigError) as refused:
        parse_script(text.encode(), "toml", source="my.toml")

    assert str(refused.value).startswith("my.toml: ")
    assert sentence in str(refused.value)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("[]", "a script is a table with 'steps'"),
        ("{", "not valid JSON: Expecting property name"),
        ('{"steps": NaN}', "not valid JSON: NaN is no JSON number"),
        ('{"steps": 1, "steps": 2}', "not valid JSON: the key 'steps' is there twice"),
        ('{"steps": [{"say": "\\ud800"}]}', "step 1, say: the character '\\ud800' cannot be"),
        ('{"steps": [{"set": {"a": 1e999}}]}', "step 1, set.a: inf is no number"),
        ('{"steps": [{"set": {"a": ' + "9" * 5_000 + "}}]}", "not valid JSON: Exceeds the limit"),
        ("[" * 100_000, "nested too deeply"),
    ],
)
def test_bad_json_is_refused_in_one_sentence(text: str, sentence: str) -> None:
    with pytest.raises(ConfigError) as refused:
        parse_script(text.encode(), "json", source="my.json")

    assert sentence in str(refused.value)


def test_the_example_in_the_guide_is_a_script() -> None:
    script = load_script(EXAMPLE)

    assert [tool.name for tool in script.tools] == ["placeOrder"]


def test_json_and_toml_say_the_same(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text(json.dumps({"steps": [{"say": "hello"}]}))
    (tmp_path / "a.toml").write_text("[[steps]]\nsay = 'hello'\n")

    assert load_script(tmp_path / "a.json") == load_script(tmp_path / "a.toml")


@pytest.mark.parametrize(("padding", "good"), [(0, True), (1, False)])
def test_a_file_has_at_most_256_kib(padding: int, good: bool) -> None:
    start = b"steps = [{say = 'x'}]\n#"
    data = start + b"." * (MAX_SCRIPT_BYTES - len(start) + padding)

    if good:
        assert parse_script(data, "toml", source="x").steps
    else:
        with pytest.raises(ConfigError, match="longer than 256 KiB"):
            parse_script(data, "toml", source="x")


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"none\.toml: cannot be read: No such file"):
        load_script(tmp_path / "none.toml")


def test_a_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.toml").mkdir()

    with pytest.raises(ConfigError, match=r"a\.toml: cannot be read"):
        load_script(tmp_path / "a.toml")


def test_a_file_of_another_kind_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"name ends in \.toml or \.json"):
        load_script(tmp_path / "script.yaml")


def test_bytes_that_are_no_text_are_refused() -> None:
    with pytest.raises(ConfigError, match="not valid TOML"):
        parse_script(b"\xff\xfe", "toml", source="x")


MODELS = (
    Script,
    ScriptTool,
    Parameter,
    Step,
    SayPart,
    Answer,
    Otherwise,
    WaitPart,
    ToolPart,
    ResultBranch,
)
KEYS = st.sampled_from(sorted({key for model in MODELS for key in model.model_fields}))
VALUES = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(), KEYS, st.just("any")
)
TREES = st.recursive(
    VALUES,
    lambda inside: st.lists(inside, max_size=4) | st.dictionaries(KEYS | st.text(), inside),
    max_leaves=30,
)
STEPS = st.lists(st.dictionaries(KEYS, TREES, max_size=3), max_size=4)


@given(st.one_of(TREES, st.fixed_dictionaries({"steps": STEPS})))
@settings(max_examples=300)
def test_any_data_is_a_script_or_a_config_error(data: Any) -> None:
    _is_script(data)


@given(TREES)
def test_any_json_text_is_a_script_or_a_config_error(data: Any) -> None:
    _parse(json.dumps(data).encode(), "json")


@given(st.binary(), st.sampled_from(["toml", "json"]))
def test_any_bytes_are_a_script_or_a_config_error(data: bytes, kind: Any) -> None:
    _parse(data, kind)


def _parse(data: bytes, kind: Any) -> None:
    try:
        parse_script(data, kind, source="x")
    except ConfigError as exc:
        _check_sentence(exc)


def _is_script(data: object) -> bool:
    try:
        return isinstance(script_from_data(data, source="x"), Script)
    except ConfigError as exc:
        _check_sentence(exc)
        return False


def _check_sentence(error: ConfigError) -> None:
    assert str(error).startswith("x: ")
    assert "\n" not in str(error)
