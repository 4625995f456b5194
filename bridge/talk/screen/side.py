"""The column at the side of a wide terminal: how long each answer took, and how the audio stands."""

from rich.text import Text

from bridge.talk.screen.bars import bar, latency_part
from bridge.talk.screen.board import Board, shown
from bridge.talk.screen.needs import Gauges
from bridge.talk.screen.paragraphs import Look

_BAR_CELLS = 14


def side_lines(board: Board, gauges: Gauges, width: int, height: int, look: Look) -> list[Text]:
    """The newest answers at the bottom of their list, the devices below them."""
    devices = _device_lines(gauges, look)
    room = max(0, height - len(devices) - 2)
    lines = [Text("answers", look.palette.key)]
    first = max(0, len(board.latencies_ms) - room)
    for number, latency_ms in enumerate(board.latencies_ms[first:], first + 1):
        lines.append(_answer(number, latency_ms, look))
    if not board.latencies_ms:
        lines.append(Text("none yet", look.palette.dim))
    lines += [Text()] * max(0, height - len(lines) - len(devices))
    lines += devices
    for line in lines:
        line.truncate(width, overflow="ellipsis")
    return lines[:height]


def _answer(number: int, latency_ms: float, look: Look) -> Text:
    palette = look.palette
    style = palette.bad if latency_part(latency_ms) >= 1 else palette.agent
    filled = bar(latency_part(latency_ms), _BAR_CELLS, plain=look.plain)
    return Text.assemble(
        (f"{number:>3} ", palette.dim),
        (filled, style),
        (f" {latency_ms / 1000:5.2f} s", palette.text),
    )


def _device_lines(gauges: Gauges, look: Look) -> list[Text]:
    palette = look.palette
    lines = []
    for name, device in zip(("in ", "out"), gauges.devices, strict=True):
        if device:
            lines.append(Text.assemble((f"{name} ", palette.dim), (shown(device), palette.text)))
    return lines
