"""`tipring devices`: which there are, and what a microphone and a loudspeaker do to a call."""

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer

from bridge.cli.options import Json, Verbose
from bridge.cli.terminal import FAILED, logs, print_json, say, show, terminal

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Sequence

    from bridge.legs.device.choice import DeviceChoice
    from bridge.legs.device.host import Device, HostApi
    from bridge.talk.doctor.examining import Examination
    from bridge.talk.doctor.findings import Finding
    from bridge.talk_config import TalkConfig

T = TypeVar("T")

devices_app = typer.Typer()

ConfigFile = Annotated[
    Path | None,
    typer.Option(
        "--config", metavar="FILE", help="Instead of tipring/tipring.toml in the user's config."
    ),
]
_DEVICE = "index or part of the name"


@devices_app.callback(invoke_without_command=True)
def list_(context: typer.Context, *, config: ConfigFile = None, json_: Json = False) -> int:
    """List sound devices, or measure a microphone and a loudspeaker.

    In the list `*` marks the two that `tipring talk` would use.
    """
    if context.invoked_subcommand is not None:
        return 0
    return print_devices(as_json=json_, config=config)


@devices_app.command("test")
def examine_pair(
    *,
    input_device: Annotated[
        str | None, typer.Option(metavar="DEVICE", help=f"Microphone: {_DEVICE}.")
    ] = None,
    output_device: Annotated[
        str | None, typer.Option(metavar="DEVICE", help=f"Loudspeaker: {_DEVICE}.")
    ] = None,
    config: ConfigFile = None,
    save: Annotated[bool, typer.Option(help="Write the pair into the config.")] = True,
    json_: Json = False,
    verbose: Verbose = False,
) -> int:
    """Play chirps for ten seconds, listen for them, and tell what a call would suffer from.

    \b
    Round trip, drift between the two clocks, clipping, echo, noise and lost
    samples are told in words and figures. A usable pair becomes the choice of
    `tipring talk`: it is written into the user's config, table talk; comments
    and other tables stay as they are.
      tipring devices test
      tipring devices test --input-device Yeti --output-device 3

    \b
    Ends with 0 for a usable pair, 1 for one that is not, 2 for one that cannot
    be had.
    """
    from bridge.legs.device.apm import is_installed
    from bridge.legs.device.choice import DeviceChoice
    from bridge.talk.doctor.findings import findings, is_usable
    from bridge.talk.doctor.reporting import examination_as_dict, findings_text

    logs(verbose)
    chosen = _chosen(config)
    choice = DeviceChoice(
        chosen.microphone if input_device is None else input_device,
        chosen.loudspeaker if output_device is None else output_device,
    )
    with terminal().status("listening") as status:
        there, examination = _run(
            _examine(choice, lambda part: status.update(f"listening: {100 * part:.0f} %"))
        )
    found = findings(examination, has_aec=is_installed())
    saved_in = _save(config, there, examination, found) if save else None
    if json_:
        print_json(examination_as_dict(examination, found, saved_in))
    else:
        show(findings_text(examination, found))
        if saved_in is not None:
            say(f"tipring: written into {saved_in}")
    return 0 if is_usable(found) else FAILED


def print_devices(*, as_json: bool, config: Path | None = None) -> int:
    """List the devices; the exit code."""
    from bridge.talk.doctor.reporting import devices_as_dict, devices_table

    chosen = _chosen(config)
    there = _run(_listed())
    if as_json:
        print_json(devices_as_dict(there, chosen))
    elif there:
        show(devices_table(there, chosen))
    else:
        say("tipring: this system has no sound devices")
    return 0


def _save(
    config: Path | None,
    there: "Sequence[Device]",
    examination: "Examination",
    found: "list[Finding]",
) -> str | None:
    """Write the pair into the user's config; where to. None if it is not worth keeping."""
    from bridge.legs.device.apm import is_installed
    from bridge.talk.doctor.findings import is_usable
    from bridge.talk.doctor.reporting import choice_to_save
    from bridge.talk.preferences import default_path, write_preferences

    if not is_usable(found):
        return None
    path = config or default_path(os.environ)
    write_preferences(path, choice_to_save(examination, there, has_aec=is_installed()))
    return str(path)


def _chosen(config: Path | None) -> "TalkConfig":
    """The user's choice so far; a file that `test` is to write need not be there yet."""
    from bridge.talk.preferences import default_path, read_preferences

    return read_preferences(config or default_path(os.environ))


async def _listed() -> "Sequence[Device]":
    host = _host()
    try:
        return await host.devices()
    finally:
        await host.close()


async def _examine(
    choice: "DeviceChoice", on_progress: "Callable[[float], None]"
) -> "tuple[Sequence[Device], Examination]":
    from bridge.talk.doctor.examining import examine

    host = _host()
    try:
        there = await host.devices()
        return there, await examine(host, choice, on_progress=on_progress)
    finally:
        await host.close()


def _run(work: "Coroutine[Any, Any, T]") -> T:
    import asyncio

    return asyncio.run(work)


def _host() -> "HostApi":
    from bridge.legs.device.portaudio import PortAudioHost

    return PortAudioHost()
