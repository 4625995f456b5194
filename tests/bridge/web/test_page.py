"""The softphone page in a browser, with another end that the test has in hand."""

import asyncio
import json

from tests.fakes.chromium import Browser, Page
from tests.fakes.softphone import in_call, page_served, said_by_page, softphone

LIVE = "document.body.dataset.phase === 'live'"
ENDED = "document.body.dataset.phase === 'ended'"
KEY = "CANARY-key-of-the-page"


async def say(page: Page, **message: object) -> None:
    await page.run(f"far.say({json.dumps(message)})")


async def trouble(page: Page) -> str:
    return str(await page.until("document.getElementById('trouble').textContent"))


async def test_a_call_shows_what_is_said_and_strikes_through_what_was_not_heard(
    browser: Browser,
) -> None:
    async with page_served() as url:
        page = await in_call(browser, url)
        await say(page, type="state", state="speaking")
        await say(page, type="transcript", role="agent", text="Hello,", final=False, ordinal=0)
        await say(page, type="transcript", role="agent", delta=" dear", final=False, ordinal=0)
        await page.until("document.querySelector('.said.open p')?.textContent === 'Hello, dear'")
        assert await page.run("document.getElementById('state').textContent") == "Speaking"
        await say(
            page,
            type="call_event",
            eventType="agent_interrupted",
            extras={"heardText": "Hello, dear", "unheardText": " caller", "ordinal": 0},
        )
        await page.until("document.querySelector('.said del')?.textContent === 'caller'")
        assert await page.run("document.querySelector('.said.open')") is None
        assert "Cut off" in await page.run("document.querySelector('.said .cut').textContent")
        await say(page, type="transcript", role="agent", text="Time", final=False, ordinal=1)
        await say(
            page,
            type="call_event",
            eventType="agent_interrupted",
            extras={"heardText": "Time", "unheardText": " flies", "ordinal": 1, "cause": "timeout"},
        )
        await page.until("document.querySelectorAll('.said del')[1]?.textContent === 'flies'")
        assert await page.run("document.querySelectorAll('.said .cut').length") == 1
        assert page.complaints == []


async def test_text_from_the_far_end_is_never_markup(browser: Browser) -> None:
    async with page_served() as url:
        page = await in_call(browser, url)
        evil = "<img src=x onerror=alert(1)><b>bold</b>"
        await say(page, type="transcript", role="agent", text=evil, final=True, ordinal=0)
        await say(
            page,
            type="client_tool_invocation",
            toolName=evil,
            invocationId="call_1",
            parameters={evil: evil},
        )
        await page.until("document.querySelector('form.tool dd')")

        assert await page.run("document.querySelector('.said p').textContent") == evil
        assert await page.run("document.querySelectorAll('#call img, .said p b').length") == 0


async def test_a_tool_is_answered_by_hand_from_the_keyboard(browser: Browser) -> None:
    async with page_served() as url:
        page = await in_call(browser, url)
        await say(
            page,
            type="client_tool_invocation",
            toolName="bookAppointment",
            invocationId="call_1",
            parameters={"day": "Monday"},
        )
        await page.until("document.querySelector('form.tool')")
        await page.press("a")
        assert "booked" in await page.run("document.activeElement.value")
        await page.run("document.activeElement.select()")
        await page.write("full")
        for _ in range(3):
            await page.press("Tab")
        await page.press("Enter")
        await page.until("document.querySelector('details.tool') && far.heard.length")

        (result,) = await said_by_page(page)
        assert result == {
            "type": "client_tool_result",
            "invocationId": "call_1",
            "result": "full",
            "responseType": "tool-response",
        }


async def test_a_tool_can_be_failed_or_answered_too_late(browser: Browser) -> None:
    async with page_served() as url:
        page = await in_call(browser, url)
        for number in (1, 2):
            await say(
                page, type="client_tool_invocation", toolName="x", invocationId=f"call_{number}"
            )
        await say(page, type="tool_used", toolName="x", invocationId="call_1")
        await page.until("document.querySelectorAll('form.tool').length === 1")
        await page.run("document.querySelector('form.tool button[type=button]').click()")
        await page.until("document.querySelectorAll('details.tool').length === 2")
        await page.until("far.heard.length")

        (result,) = await said_by_page(page)
        assert (result["invocationId"], result["errorType"]) == ("call_2", "implementation-error")


async def test_typing_keys_and_the_medium_reach_the_far_end(browser: Browser) -> None:
    async with page_served() as url:
        page = await in_call(browser, url)
        await page.press("t")
        await page.write("hello m")
        await page.press("Enter")
        await page.press("Escape")
        await page.press("k")
        for key in "4", "2", "#":
            await page.press(key)
        await page.click("#medium label:last-child")
        await page.until("far.heard.length === 3")

        assert await said_by_page(page) == [
            {"type": "user_text_message", "text": "hello m"},
            {"type": "set_output_medium", "medium": "text"},
            {"type": "user_text_message", "text": "42#", "urgency": "immediate"},
        ]


async def test_mute_silences_the_microphone_and_silence_the_agent(browser: Browser) -> None:
    async with page_served() as url:
        page = await in_call(browser, url)
        await page.press("m")
        await page.press("s")
        assert await page.run("document.getElementById('out').muted") is True
        assert await page.run("document.getElementById('mute').getAttribute('aria-pressed')") == (
            "true"
        )
        await page.until(
            "Number(document.getElementById('mic-level').getAttribute('aria-valuenow')) <= -60"
        )
        await page.click("#mute")
        await page.until(
            "Number(document.getElementById('mic-level').getAttribute('aria-valuenow')) > -40"
        )


async def test_the_agents_sound_is_measured_and_its_answer_timed(browser: Browser) -> None:
    async with page_served() as url:
        page = await in_call(browser, url)
        await page.click("#mute")  # the fake microphone beeps
        level = "Number(document.getElementById('agent-level').getAttribute('aria-valuenow'))"
        await page.run("far.speak(true)")  # a greeting
        await page.until(f"{level} > -30")
        await page.run("far.speak(false)")
        await page.until(f"{level} <= -60")
        await page.click("#text")
        await page.write("hello")
        await page.press("Enter")
        await asyncio.sleep(0.45)
        await page.run("far.speak(true)")
        await page.until(f"{level} > -30")
        await page.until("document.querySelector('#turns li')")

        shown_ms = int(await page.run("parseInt(document.querySelector('#turns li').textContent)"))
        assert 380 < shown_ms < 2_500  # a busy machine is told to speak late


async def test_hanging_up_tells_the_server_and_gives_the_microphone_back(browser: Browser) -> None:
    async with page_served() as url:
        page = await softphone(
            browser,
            url,
            """const open = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
            navigator.mediaDevices.getUserMedia = async (wanted) => {
              window.wanted = wanted;
              return (window.opened = await open(wanted));
            };""",
        )
        await page.press("c")
        await page.until(LIVE)
        await page.press("H", shift=True)
        await page.until(ENDED)

        assert await page.run("document.activeElement.textContent") == "You hung up."
        assert await page.run("opened.getTracks().map(({ readyState }) => readyState)") == ["ended"]
        assert await page.run("wanted.audio") == {
            "echoCancellation": True,
            "noiseSuppression": True,
            "autoGainControl": True,
        }
        last = await page.run("far.requests.at(-1)")
        assert (last["method"], last["headers"]["Authorization"]) == (
            "DELETE",
            "Bearer " + "t" * 32,
        )


async def test_the_agents_hang_up_ends_the_page_and_says_so(browser: Browser) -> None:
    async with page_served() as url:
        page = await in_call(browser, url)
        await page.run("far.quit('agent_hangup')")
        await page.until(ENDED)

        assert await page.run("document.getElementById('ended-why').textContent") == (
            "The agent hung up."
        )
        await page.click("#again")
        await page.until("document.body.dataset.phase === 'setup'")


async def test_a_broken_connection_is_made_anew_with_the_same_token(browser: Browser) -> None:
    async with page_served() as url:
        page = await in_call(browser, url)
        await page.run("far.channel = null; far.drop()")
        await page.until("far.channel?.readyState === 'open'")
        await say(page, type="transcript", role="agent", text="Still here", final=True, ordinal=0)
        await page.until("document.querySelector('.said')")

        offers = await page.run(
            "far.requests.filter(({ method, path }) => method === 'POST' && path.endsWith('/whip'))"
        )
        assert [offer["headers"]["Authorization"] for offer in offers] == ["Bearer " + "t" * 32] * 2


async def test_without_a_microphone_the_page_says_why_and_calls_without_one(
    browser: Browser,
) -> None:
    async with page_served() as url:
        page = await softphone(
            browser,
            url,
            """navigator.mediaDevices.getUserMedia = async () => {
              throw new DOMException("no", "NotAllowedError");
            };""",
        )
        await page.click("#call-button")
        assert "The microphone is blocked" in await trouble(page)
        assert await page.run("far.requests.filter(({ method }) => method === 'POST').length") == 0
        await page.click("#trouble button:last-child")
        await page.until(LIVE)
        assert await page.run("document.getElementById('mute').disabled") is True


async def test_over_plain_http_the_page_says_how_to_get_a_microphone(browser: Browser) -> None:
    async with page_served() as url:
        page = await softphone(
            browser, url, "Object.defineProperty(navigator, 'mediaDevices', { value: undefined });"
        )
        await page.click("#call-button")

        assert "https" in await trouble(page)


async def test_a_refused_call_is_explained_in_the_servers_words(browser: Browser) -> None:
    whip = "POST /calls/11111111-2222-4333-8444-555555555555/whip"
    joined = {"status": 409, "body": {"detail": "Somebody has joined this call already."}}
    full = {"status": 503, "body": {"detail": "The service is full."}}
    wrong = {"status": 400, "body": {"model": ["There is no such model."]}}
    async with page_served() as url:
        page = await softphone(browser, url)
        for place, refusal, says in (
            (whip, joined, "Somebody has joined this call already."),
            ("POST /api/calls", full, "The service is full."),
            ("POST /api/calls", wrong, "model: There is no such model."),
            ("POST /api/calls", "gone", "The server is gone"),
        ):
            await page.run(f"far.refuse[{json.dumps(place)}] = {json.dumps(refusal)}")
            await page.click("#call-button")
            words = json.dumps(says)
            await page.until(f"document.getElementById('trouble').textContent.includes({words})")
            await page.until("!document.getElementById('call-button').disabled")
            assert await page.run("document.body.dataset.phase") == "setup"


async def test_a_key_is_asked_for_used_and_kept_nowhere(browser: Browser) -> None:
    async with page_served() as url:
        page = await softphone(browser, url, f"far.key = {json.dumps(KEY)};")
        assert await page.run("document.getElementById('key-box').hidden") is False
        await page.click("#api-key")
        await page.write("wrong")
        await page.press("Enter")
        assert "API key is not valid" in await trouble(page)
        await page.run("document.getElementById('api-key').select()")
        await page.write(KEY)
        await page.press("Enter")
        await page.until(LIVE)

        kept = "[document.cookie, JSON.stringify({ ...localStorage, ...sessionStorage }), location.href]"
        assert KEY not in "".join(await page.run(kept))
        whip = await page.run("far.requests.find(({ path }) => path.endsWith('/whip')).headers")
        assert KEY not in json.dumps(whip)


async def test_a_join_url_needs_no_key_and_makes_no_call(browser: Browser) -> None:
    async with page_served() as url:
        page = await softphone(browser, url, f"far.key = {json.dumps(KEY)};")
        await page.click(".tabs label:last-child")
        await page.write("ws://elsewhere.example/calls/x")
        await page.press("Enter")
        assert "does not fit" in await trouble(page)
        await page.run(
            "document.getElementById('join-url').value = far.joinUrl.replace('127.0.0.1', 'localhost')"
        )
        await page.press("Enter")
        await page.until(LIVE)

        posts = await page.run("far.requests.filter(({ method }) => method === 'POST')")
        assert [post["path"].rsplit("/", 1)[1] for post in posts] == ["whip"]


async def test_shortcuts_can_be_switched_off_and_leave_typed_text_alone(browser: Browser) -> None:
    async with page_served() as url:
        page = await in_call(browser, url)
        await page.click("#text")
        await page.write("smk")
        await page.press("m")
        assert await page.run("document.getElementById('text').value") == "smkm"
        await page.press("Escape")
        await page.press("?", shift=True)
        assert await page.run("document.getElementById('shortcuts').open") is True
        await page.run("document.getElementById('shortcuts-on').click()")
        await page.press("Escape")
        await page.press("m")

        assert await page.run("document.getElementById('mute').getAttribute('aria-pressed')") == (
            "false"
        )


async def test_nothing_sticks_out_at_the_side_and_targets_can_be_hit(browser: Browser) -> None:
    wide = "document.documentElement.scrollWidth <= innerWidth"
    small = """[...document.querySelectorAll("button, select, input, summary")].filter((each) => {
      const box = each.getBoundingClientRect();
      return box.width > 0 && (box.width < 24 || box.height < 24) && !each.closest("label");
    }).map(({ outerHTML }) => outerHTML)"""
    sizes = ((360, 640), (768, 1024), (1200, 860))
    async with page_served() as url:
        page = await softphone(browser, url)
        for width, height in sizes:
            await page.show(width=width, height=height, phone=width < 500)
            assert await page.run(wide), width
        await page.click("#call-button")
        await page.until(LIVE)
        await say(
            page,
            type="client_tool_invocation",
            toolName="aVeryLongToolNameWithoutAnySpace" * 2,
            invocationId="call_1",
            parameters={"text": "long" * 60},
        )
        await say(page, type="transcript", role="agent", text="w" * 300, final=True, ordinal=0)
        await page.press("k")
        await page.until("document.querySelector('.said')")
        for width, height in sizes:
            await page.show(width=width, height=height, phone=width < 500)
            assert await page.run(wide), width
            assert await page.run(small) == [], width


async def test_every_control_has_a_name(browser: Browser) -> None:
    async with page_served() as url:
        page = await in_call(browser, url)
        await say(page, type="client_tool_invocation", toolName="x", invocationId="call_1")
        await page.press("k")
        await page.until("document.querySelector('form.tool')")
        tree = await page.send("Accessibility.getFullAXTree")

        controls = {"button", "textbox", "combobox", "checkbox", "radio", "meter", "log", "region"}
        nameless = [
            node["role"]["value"]
            for node in tree["nodes"]
            if not node.get("ignored")
            and node["role"]["value"] in controls
            and not node.get("name", {}).get("value")
        ]
        assert nameless == []
