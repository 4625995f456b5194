"""The softphone page as it is served."""

import asyncio
import re
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI
from pydantic import SecretStr

from bridge.api import answers
from bridge.api.auth import KeyRing
from bridge.api.schemas.start_call import StartCallRequest
from bridge.brains.registry import script_files
from bridge.errors import ConfigError
from bridge.gateway.web import add_page, agents_of
from tests.fakes.softphone import page_served

KEY = "CANARY-web-key"
WEB = Path(__file__).parents[3] / "bridge" / "web"


@asynccontextmanager
async def page(
    keys: Sequence[str] = (), scripts: Path | None = None
) -> AsyncIterator[httpx.AsyncClient]:
    app = FastAPI()
    app.state.keys = KeyRing([SecretStr(key) for key in keys])
    answers.install(app)
    await asyncio.to_thread(add_page, app, scripts)
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://host") as http:
        yield http


async def test_the_page_and_all_its_parts_are_served_with_their_types() -> None:
    types = {".html": "text/html", ".css": "text/css", ".js": "text/javascript", ".svg": "image/"}
    async with page() as http:
        for file in sorted(WEB.iterdir()):
            place = "/" if file.name == "index.html" else f"/{file.name}"
            response = await http.get(place)
            assert response.status_code == 200, place
            assert response.headers["content-type"].startswith(types[file.suffix]), place
            assert response.content == file.read_bytes()


async def test_every_part_keeps_the_page_to_this_server() -> None:
    async with page() as http:
        for place in ("/", "/app.js", "/page.css", "/icon.svg"):
            headers = (await http.get(place)).headers
            assert "default-src 'self'" in headers["content-security-policy"]
            assert "frame-ancestors 'none'" in headers["content-security-policy"]
            assert headers["x-content-type-options"] == "nosniff"
            assert headers["referrer-policy"] == "no-referrer"


async def test_what_a_browser_has_already_is_not_sent_again() -> None:
    async with page() as http:
        first = await http.get("/app.js")
        tag = first.headers["etag"]
        again = await http.get("/app.js", headers={"If-None-Match": f'"other", W/{tag}'})
        changed = await http.get("/app.js", headers={"If-None-Match": '"other"'})
        head = await http.head("/app.js")

    assert first.headers["cache-control"] == "no-cache"
    assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", tag)
    assert changed.status_code == 200
    assert (head.status_code, head.content) == (200, b"")


async def test_what_is_no_part_of_the_page_stays_the_apis() -> None:
    async with page_served() as url, httpx.AsyncClient(trust_env=False) as http:
        for place in ("index.html", "nothing", "web/app.js", "..%2fconfig.py", "app.js/"):
            response = await http.get(f"{url}{place}")
            assert (response.status_code, response.json()) == (404, {"detail": "Not Found."}), place
        posted = await http.post(url)
        assert posted.status_code == 405
        assert (await http.get(f"{url}api/models")).status_code == 200


async def test_the_page_needs_no_key_and_what_it_asks_for_does() -> None:
    async with page([KEY]) as http:
        statuses = {place: (await http.get(place)).status_code for place in ("/", "/app.js")}
        refused = await http.get("/agents.json")
        told = await http.get("/agents.json", headers={"X-API-Key": KEY})

    assert set(statuses.values()) == {200}
    assert refused.status_code == 401
    assert told.status_code == 200
    assert told.headers["cache-control"] == "no-store"


async def test_the_tools_of_an_agent_fit_the_request_that_makes_its_call(tmp_path: Path) -> None:
    (tmp_path / "mine.toml").write_text('[[steps]]\nsay = "Hello."\n')
    (tmp_path / "wrong.toml").write_text("nonsense")
    async with page(scripts=tmp_path) as http:
        agents = {agent["model"]: agent for agent in (await http.get("/agents.json")).json()}

    receptionist = agents["tipring/script:receptionist"]
    asked = StartCallRequest.model_validate({"selectedTools": receptionist["tools"]})
    assert asked.selected_tools is not None
    (tool,) = asked.selected_tools
    assert tool.temporary_tool is not None
    assert tool.temporary_tool.model_tool_name == "bookAppointment"
    assert "booked" in receptionist["answers"]["bookAppointment"]
    assert agents["ultravox-v0.7"]["tools"] == receptionist["tools"]
    assert agents["tipring/script:mine"]["tools"] == []
    assert "tipring/script:wrong" not in agents


def test_a_folder_of_scripts_that_is_not_there_is_told_at_the_start(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be read"):
        script_files(tmp_path / "missing")


def test_agents_are_told_in_the_order_of_their_files() -> None:
    files = script_files()

    assert [agent["model"] for agent in agents_of(files)] == list(files)


def test_no_part_of_the_page_names_an_address_elsewhere() -> None:
    # The namespace of SVG is a name, not an address.
    allowed = {"http://www.w3.org/2000/svg"}
    for file in WEB.iterdir():
        found = set(re.findall(r"(?:https?|wss?):?//[\w.-]+\.[\w./-]+", file.read_text()))
        assert found <= allowed, file.name


def test_the_markup_carries_no_script_or_style_that_the_policy_forbids() -> None:
    markup = (WEB / "index.html").read_text()

    assert re.findall(r"<script(?![^>]*\bsrc=)|<style|\sstyle=|\son\w+=", markup) == []
