import os
from pathlib import Path

from bridge.talk.keyboard import LINES_AHEAD, LONGEST_LINE, typed_lines


async def lines_of(descriptor: int) -> list[str]:
    return [line async for line in typed_lines(descriptor)]


async def test_lines_come_without_their_ends_and_the_last_one_needs_none(
    pipe: tuple[int, int],
) -> None:
    os.write(pipe[1], "one\r\nzwölf\n\nlast".encode())
    os.close(pipe[1])

    assert await lines_of(pipe[0]) == ["one", "zwölf", "", "last"]


async def test_a_file_is_read_too(tmp_path: Path) -> None:
    (tmp_path / "lines").write_text("a\n" * 3)
    with (tmp_path / "lines").open() as file:
        assert await lines_of(file.fileno()) == ["a", "a", "a"]


async def test_bytes_that_are_no_text_harm_nobody(pipe: tuple[int, int]) -> None:
    os.write(pipe[1], b"\xff\xfe\n\xc3")
    os.close(pipe[1])

    assert await lines_of(pipe[0]) == ["\ufffd\ufffd", "\ufffd"]


async def test_a_line_without_end_comes_in_pieces(pipe: tuple[int, int], tmp_path: Path) -> None:
    (tmp_path / "long").write_bytes(b"x" * (3 * LONGEST_LINE))
    with (tmp_path / "long").open() as file:
        lines = await lines_of(file.fileno())

    assert "".join(lines) == "x" * (3 * LONGEST_LINE)
    assert max(map(len, lines)) < 2 * LONGEST_LINE


async def test_who_writes_faster_than_is_read_is_held_up_and_loses_nothing(tmp_path: Path) -> None:
    n = 5 * LINES_AHEAD
    (tmp_path / "many").write_text("".join(f"{number}\n" for number in range(n)))
    with (tmp_path / "many").open() as file:
        assert await lines_of(file.fileno()) == [str(number) for number in range(n)]


async def test_a_reader_that_goes_lets_its_thread_go_too(pipe: tuple[int, int]) -> None:
    os.write(pipe[1], b"one\n" * (2 * LINES_AHEAD))
    lines = typed_lines(pipe[0])
    assert await anext(lines) == "one"

    await lines.aclose()
    os.close(pipe[1])  # the guard of all tests sees whether the thread is gone


async def test_a_descriptor_that_is_closed_is_the_end(pipe: tuple[int, int]) -> None:
    os.close(pipe[0])

    assert await lines_of(pipe[0]) == []
