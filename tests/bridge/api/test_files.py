from pathlib import Path

import pytest

from bridge.api.files import wav_response
from bridge.virtual import run_virtual


async def body_of(path: Path) -> bytes:
    response = await wav_response(path)
    chunks = [chunk async for chunk in response.body_iterator]
    return b"".join(bytes(chunk) for chunk in chunks if not isinstance(chunk, str))


@pytest.mark.parametrize("n_bytes", [0, 1, 65_536, 65_537, 200_000])
async def test_a_file_is_sent_whole(tmp_path: Path, n_bytes: int) -> None:
    path = tmp_path / "a.wav"
    path.write_bytes(bytes(range(256)) * (n_bytes // 256) + bytes(n_bytes % 256))

    assert await body_of(path) == path.read_bytes()


async def test_what_is_written_later_is_not_sent(tmp_path: Path) -> None:
    path = tmp_path / "a.wav"
    path.write_bytes(b"first")
    response = await wav_response(path)
    with path.open("ab") as file:
        file.write(b"second")

    assert [chunk async for chunk in response.body_iterator] == [b"first"]


async def test_a_file_that_shrinks_ends_early(tmp_path: Path) -> None:
    path = tmp_path / "a.wav"
    path.write_bytes(bytes(100_000))
    response = await wav_response(path)
    path.write_bytes(b"")

    assert [chunk async for chunk in response.body_iterator] == []


async def test_no_file_is_an_error_at_once(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        await wav_response(tmp_path / "none.wav")


def test_a_file_can_be_sent_in_virtual_time(tmp_path: Path) -> None:
    path = tmp_path / "a.wav"
    path.write_bytes(bytes(70_000))

    assert run_virtual(body_of(path)) == path.read_bytes()
