import os
import threading
from collections.abc import Iterator

import pytest

from bridge.talk import line_writer
from bridge.talk.line_writer import LineWriter


@pytest.fixture
def pipe() -> Iterator[tuple[int, int]]:
    ends = os.pipe()
    yield ends
    for end in ends:
        try:
            os.close(end)
        except OSError:
            continue


def nobody() -> None:
    raise AssertionError("somebody reads")


def test_lines_are_written_in_order_and_all_before_it_closes(pipe: tuple[int, int]) -> None:
    writer = LineWriter(pipe[1], nobody)

    for number in range(100):
        writer.write(f"line {number} ü")
    writer.close()

    lines = os.read(pipe[0], 65_536).decode().splitlines()
    assert lines == [f"line {number} ü" for number in range(100)]


def test_letters_that_the_terminal_lacks_become_question_marks(pipe: tuple[int, int]) -> None:
    writer = LineWriter(pipe[1], nobody, encoding="ascii")
    writer.write("zwölf")
    writer.close()

    assert os.read(pipe[0], 100) == b"zw?lf\n"


def test_a_reader_that_has_gone_is_reported_and_harms_nobody(pipe: tuple[int, int]) -> None:
    gone = threading.Event()
    os.close(pipe[0])
    writer = LineWriter(pipe[1], gone.set)

    writer.write("anybody?")

    assert gone.wait(5)
    writer.write("still nobody")
    writer.close()


def test_a_reader_that_stands_still_holds_nobody_up_and_loses_the_oldest_lines(
    pipe: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(line_writer, "LINES_AHEAD", 10)
    monkeypatch.setattr(line_writer, "CLOSE_S", 0.05)
    writer = LineWriter(pipe[1], lambda: None)
    long = "x" * 1_000

    for number in range(200):  # a pipe holds 64 of them
        writer.write(f"{number} {long}")
    writer.close()

    assert writer.left_out >= 200 - 66 - 10
    while b"199 " not in os.read(pipe[0], 65_536):
        continue


def test_lines_that_wait_are_bounded_in_bytes_too(
    pipe: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(line_writer, "BYTES_AHEAD", 10_000)
    monkeypatch.setattr(line_writer, "CLOSE_S", 0.05)
    writer = LineWriter(pipe[1], lambda: None)

    for number in range(200):  # a pipe holds 64 of them
        writer.write(f"{number} {'x' * 1_000}")
    writer.close()

    assert writer.left_out >= 200 - 66 - 10
