"""Whom a talk is with: what is there, what is not, and what is loaded for it."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from bridge.client import ApiError
from bridge.errors import ConfigError, UsageError
from bridge.talk.plan import TalkPlan
from bridge.talk.world import talking_place
from bridge.virtual import run_virtual
from tests.fakes.talk_world import SECRET_URL


def test_the_embedded_agent_brings_its_canned_answers(tmp_path: Path) -> None:
    script = tmp_path / "shop.toml"
    script.write_text(
        '[[tools]]\nname = "lookUp"\nanswer = "42"\n[[steps]]\ntool.name = "lookUp"\n'
    )

    async def ask() -> tuple[str, list[str]]:
        async with talking_place(TalkPlan(virtual=True, script=script)) as place:
            assert place.api is not None
            return place.join_url, [tool.name for tool in place.tools]

    join_url, tools = run_virtual(ask())

    assert join_url.startswith("ws://")
    assert tools == ["lookUp"]


@pytest.mark.parametrize(
    ("options", "error"),
    [
        ({"agent": "receptionis"}, UsageError),
        ({"model": "tipring/echoo"}, ApiError),
        ({"script": Path("/nowhere/x.toml")}, ConfigError),
    ],
)
def test_an_agent_that_does_not_exist_is_said(
    options: dict[str, Any], error: type[Exception]
) -> None:
    async def ask() -> None:
        async with talking_place(TalkPlan(virtual=True, **options)):
            pass

    with pytest.raises(error) as caught:
        run_virtual(ask())
    assert "\n" not in str(caught.value)


async def test_a_join_url_needs_no_api_and_nothing_is_started() -> None:
    async with talking_place(TalkPlan(join_url=SECRET_URL)) as place:
        assert (place.join_url, place.api, place.tools) == (SECRET_URL, None, ())


async def test_an_api_that_is_not_there_is_said() -> None:
    with pytest.raises(ApiError, match=r"the API at 127\.0\.0\.1:9 refuses the connection"):
        async with talking_place(TalkPlan(api_url="http://127.0.0.1:9")):
            pass


def loaded(statement: str) -> set[str]:
    """Modules that are loaded after a statement, in a process of its own."""
    program = f"import sys; {statement}; print(*sys.modules)"
    told = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    return set(told.stdout.split())


def test_the_package_loads_nothing_until_it_is_used() -> None:
    modules = loaded("import bridge")

    assert "bridge.talk" not in modules
    assert "numpy" not in modules


def test_a_program_s_call_loads_neither_our_server_nor_a_sound_system() -> None:
    modules = loaded("import bridge; bridge.join; bridge.tool")

    assert "bridge.talk.join" in modules
    assert not modules & {
        "fastapi",
        "aiortc",
        "livekit",
        "sounddevice",
        "textual",
        "bridge.gateway",
    }


def test_the_package_has_no_other_names() -> None:
    import bridge

    with pytest.raises(AttributeError, match="no attribute 'jion'"):
        _ = bridge.jion
