import fcntl
import os
import sys
import termios
import threading
from collections.abc import Callable

import pytest

from bridge.talk import line_writer
from bridge.talk.line_writer import LineWriter


def nobody() -> None:
    raise AssertionError("somebody reads")


def writing(pipe: tuple[int, int], on_gone: Callable[[], None] = nobody) -> LineWriter:
    return LineWriter(pipe[1], on_gone, lambda n: f"left out {n}")


def waiting_in(pipe: tuple[int, int]) -> int:
    """How many bytes nobody has read."""
    return int.from_bytes(fcntl.ioctl(pipe[0], termios.FIONREAD, bytes(4)), sys.byteorder)


def read(pipe: tuple[int, int], until: bytes) -> list[str]:
    """What comes, to the line that begins so."""
    data = b""
    while b"\n" + until not in b"\n" + data or not data.endswith(b"\n"):
        data += os.read(pipe[0], 65_536)
    return data.decode().splitlines()


def test_lines_are_written_in_order_and_all_before_it_closes(pipe: tuple[int, int]) -> None:
    writer = writing(pipe)

    for number in range(100):
        writer.write(f"line {number} ü")
    writer.close()

    lines = os.read(pipe[0], 65_536).decode().splitlines()
    assert lines == [f"line {number} ü" for number in range(100)]


def test_letters_that_the_terminal_lacks_become_question_marks(pipe: tuple[int, int]) -> None:
    writer = LineWriter(pipe[1], nobody, str, encoding="ascii")
    writer.write("zwölf")
    writer.close()

    assert os.read(pipe[0], 100) == b"zw?lf\n"


def test_a_reader_that_has_gone_is_reported_and_harms_nobody(pipe: tuple[int, int]) -> None:
    gone = threading.Event()
    os.close(pipe[0])
    writer = writing(pipe, gone.set)

    writer.write("anybody?")

    assert gone.wait(5)
    for _ in range(3):
        writer.write("still nobody")
    assert writer.close() == 0  # there is nobody who has missed them


@pytest.mark.parametrize(("limit", "value"), [("LINES_AHEAD", 10), ("BYTES_AHEAD", 10_000)])
def test_a_reader_that_stands_still_holds_nobody_up_and_is_told_what_it_missed(
    pipe: tuple[int, int], monkeypatch: pytest.MonkeyPatch, limit: str, value: int
) -> None:
    monkeypatch.setattr(line_writer, limit, value)
    writer = writing(pipe)

    for number in range(200):  # a pipe holds 64 of them
        writer.write(f"{number} {'x' * 990}")
    lines = read(pipe, b"199 ")

    assert writer.close() == 0
    [gap] = [at for at, line in enumerate(lines) if line.startswith("left out")]
    numbers = [int(line.split()[0]) for line in lines[:gap] + lines[gap + 1 :]]
    assert numbers[:gap] == list(range(gap))
    assert numbers[gap:] == list(range(numbers[gap], 200))
    assert lines[gap] == f"left out {numbers[gap] - gap}"


def test_as_many_lines_as_may_wait_are_all_read(
    pipe: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(line_writer, "LINES_AHEAD", 10)
    writer = writing(pipe)
    filler = "x" * 65_535  # and its end: the pipe is full

    writer.write(filler)
    while waiting_in(pipe) < 65_536:
        continue
    for number in range(10):
        writer.write(str(number))
    assert read(pipe, b"9") == [filler, *map(str, range(10))]
    assert writer.close() == 0


def test_what_nobody_has_read_when_it_closes_is_counted(
    pipe: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(line_writer, "CLOSE_S", 0.05)
    writer = writing(pipe, lambda: None)

    for _ in range(4):
        writer.write("x" * 65_535)

    assert writer.close() == 3
    assert len(os.read(pipe[0], 65_536)) == 65_536
    os.close(pipe[0])
