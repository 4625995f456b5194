"""`tipring talk`: microphone and loudspeaker in a terminal."""

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bridge.cli.options import Agent, ApiKey, ApiUrl, Model, Script, SystemPrompt, Verbose
from bridge.cli.options import api_key as key_for
from bridge.cli.talk_fronts import in_json, in_lines, on_screen, screen_is_possible
from bridge.cli.terminal import logs

if TYPE_CHECKING:
    from bridge.talk.world import TalkPlan
    from bridge.talk_config import TalkConfig

_DEVICE = "index or part of the name, as in `tipring talk --list-devices`."


def talk(  # noqa: PLR0913 - one argument for each option
    *,
    agent: Agent = None,
    api_url: ApiUrl = None,
    api_key: ApiKey = None,
    join_url: Annotated[
        str | None,
        typer.Option(metavar="URL", help="Join this call, over WebSocket or WebRTC."),
    ] = None,
    webrtc: Annotated[
        bool,
        typer.Option("--webrtc", metavar="", help="Over WebRTC, in a call that is made here."),
    ] = False,
    script: Script = None,
    model: Model = None,
    system_prompt: SystemPrompt = None,
    tools: Annotated[
        list[Path] | None,
        typer.Option(
            metavar="FILE", help="Python functions that answer client tools; may be repeated."
        ),
    ] = None,
    record: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Keep recording, transcript and figures there."),
    ] = None,
    text: Annotated[
        bool, typer.Option("--text", metavar="", help="Type instead: no sound devices.")
    ] = False,
    push_to_talk: Annotated[
        bool,
        typer.Option("--push-to-talk", metavar="", help="Be heard while the space bar is held."),
    ] = False,
    half_duplex: Annotated[
        bool,
        typer.Option("--half-duplex", metavar="", help="Be heard while the agent is silent."),
    ] = False,
    no_aec: Annotated[
        bool,
        typer.Option("--no-aec", metavar="", help="Do not take the loudspeaker's echo out."),
    ] = False,
    input_device: Annotated[
        str | None, typer.Option(metavar="DEVICE", help=f"Microphone: {_DEVICE}")
    ] = None,
    output_device: Annotated[
        str | None, typer.Option(metavar="DEVICE", help=f"Loudspeaker: {_DEVICE}")
    ] = None,
    list_devices: Annotated[
        bool, typer.Option("--list-devices", metavar="", help="List sound devices, and stop.")
    ] = False,
    config: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Where `tipring devices test` wrote its choice."),
    ] = None,
    plain: Annotated[
        bool, typer.Option("--plain", metavar="", help="Lines of text instead of a screen.")
    ] = False,
    json_: Annotated[
        bool,
        typer.Option("--json", metavar="", help="One JSON object a line, for other programs."),
    ] = False,
    verbose: Verbose = False,
) -> int:
    """Talk to an agent through microphone and loudspeaker.

    \b
    To the embedded receptionist, with no account and no network:
      tipring talk
    To an agent of an API, with the key in ULTRAVOX_API_KEY:
      tipring talk --api-url https://… --agent ID
    To a call that exists already, answering its tools with your functions:
      tipring talk --join-url wss://… --tools my_tools.py
    Without sound, from a pipe:
      echo "What are your opening hours?" | tipring talk --text

    \b
    The screen shows its keys; ? tells more. Without a terminal, or with --plain,
    lines are printed, and lines typed are sent to the agent. A terminal does not
    report when a key goes up: hold the space bar to talk and let it go, or tap it
    to begin and tap again to end.
    On the screen, buffer is the agent's audio that is still to be heard, drops
    how often audio was lost or missing, yours or the agent's.
    Ctrl-C hangs up; the files of --record are complete then. The exit code is 0
    when the call took place, 1 when it failed or could not be recorded as asked,
    2 for wrong usage. --json is described in config/talk.md.
    """
    from pydantic import SecretStr

    from bridge.batch.plan import parse_api_url
    from bridge.talk.run import TalkOrder
    from bridge.talk.sound import Sound
    from bridge.talk.world import TalkPlan

    if list_devices:
        from bridge.cli.devices import print_devices

        return print_devices(as_json=json_, config=config)
    logs(verbose)
    key = key_for(api_url, api_key)
    sound = Sound(
        microphone=input_device,
        loudspeaker=output_device,
        aec=not no_aec,
        half_duplex=half_duplex,
        push_to_talk=push_to_talk,
        typed=text,
    )
    sound.check()
    plan = TalkPlan(
        join_url=join_url,
        api_url=None if api_url is None else parse_api_url(api_url),
        api_key=None if key is None else SecretStr(key),
        agent=agent,
        model=model,
        script=script,
        system_prompt=system_prompt,
        medium="webRtc" if webrtc else "serverWebSocket",
    )
    plan.check()
    at_keyboard = sys.stdin is not None and sys.stdin.isatty()
    order = TalkOrder(
        plan=plan,
        sound=sound.preferring(_preferences(config)),
        tool_files=tuple(tools or ()),
        record=record,
        by_hand=at_keyboard or json_,
    )
    if json_:
        return in_json(order)
    if plain or not screen_is_possible():
        return in_lines(order, at_keyboard=at_keyboard)
    return on_screen(order, title=_partner(plan), verbose=verbose)


def _preferences(config: Path | None) -> "TalkConfig":
    from bridge.talk.preferences import default_path, read_preferences

    path = config or default_path(os.environ)
    return read_preferences(path, must_exist=config is not None)


def _partner(plan: "TalkPlan") -> str:
    """Whom one talks to, in a word or two, without secrets."""
    if plan.join_url is not None:
        return "a call made elsewhere"
    if plan.script is not None:
        return plan.script.stem
    return plan.agent or plan.model or ("an agent" if plan.api_url else "receptionist")
