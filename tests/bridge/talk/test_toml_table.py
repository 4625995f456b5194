"""Changing one table of a TOML file, and nothing else of it."""

import tomllib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.errors import ConfigError
from bridge.talk.toml_table import Value, with_values

FILE = """\
# mine
[server]
port = 8080  # not the usual one
note = '''
[talk]
microphone = "no table, but text"
'''

[talk]  # at my desk
# the good one
microphone = "USB # 2"  # left
aec = false

[speech]
voice = "tone"
"""


@pytest.mark.parametrize(
    ("values", "before", "after"),
    [
        ({"aec": True}, "aec = false", "aec = true"),
        ({"microphone": "Cam"}, '"USB # 2"  # left', '"Cam"  # left'),
        ({"microphone": 3}, '"USB # 2"  # left', "3  # left"),
        ({"microphone": None}, 'microphone = "USB # 2"  # left\n', ""),
        ({"loudspeaker": "Boxes"}, "aec = false\n", 'aec = false\nloudspeaker = "Boxes"\n'),
        ({"half_duplex": None}, "aec", "aec"),
    ],
)
def test_one_line_changes_and_every_other_letter_stays(
    values: dict[str, Value], before: str, after: str
) -> None:
    text = FILE.replace('[talk]\nmicrophone = "no table, but text"\n', "")
    assert before in text
    assert with_values(text, "talk", values) == text.replace(before, after)


def test_without_the_table_it_is_made_at_the_end() -> None:
    assert with_values("", "talk", {"aec": False}) == "[talk]\naec = false\n"
    assert with_values("[a]\nb = 1", "talk", {"microphone": "x"}) == (
        '[a]\nb = 1\n\n[talk]\nmicrophone = "x"\n'
    )


def test_lines_keep_their_endings() -> None:
    text = "[talk]\r\naec = true\r\n[b]\r\nc = 1\r\n"
    assert with_values(text, "talk", {"aec": False}) == text.replace("true", "false")


@pytest.mark.parametrize(
    "text",
    [
        "talk = { aec = true }\n",
        "talk.aec = true\n",
        '[talk]\nmicrophone = """\nlong"""\n',
        FILE,  # the first that looks like the table is a text
        "talk = 1\n",
        '[talk]\n"aec" = true\n',
        "[[talk]]\naec = true\n",
    ],
)
def test_a_table_that_cannot_be_changed_safely_is_left_alone_with_a_sentence(text: str) -> None:
    tomllib.loads(text)
    with pytest.raises(ConfigError, match=r"unusual way: put there microphone = \"Cam\""):
        with_values(text, "talk", {"microphone": "Cam", "aec": None})


def test_what_is_no_toml_is_said_to_be_none() -> None:
    with pytest.raises(ConfigError, match="not valid TOML"):
        with_values("[talk", "talk", {"aec": True})


@given(st.text(min_size=1).filter(lambda text: "\r" not in text))
def test_any_name_a_device_may_have_is_written_and_read_back(name: str) -> None:
    try:
        name.encode()
    except UnicodeEncodeError:
        return
    changed = with_values("[talk]\nmicrophone = 'old' # c\n", "talk", {"microphone": name})
    assert tomllib.loads(changed)["talk"] == {"microphone": name}
    assert changed.endswith(" # c\n")


@given(st.text(alphabet="[]talk.#=\"'\n\r aec1,{}", max_size=60))
def test_whatever_the_file_is_it_is_changed_as_wanted_or_refused(text: str) -> None:
    try:
        changed = with_values(text, "talk", {"aec": True})
    except ConfigError:
        return
    before, after = tomllib.loads(text), tomllib.loads(changed)
    assert after.pop("talk") == {**before.pop("talk", {}), "aec": True}
    assert after == before
