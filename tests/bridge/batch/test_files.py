import stat
from pathlib import Path

import pytest

from bridge.batch.files import write_atomically


def test_a_file_is_replaced_whole_and_is_the_owners_alone(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_bytes(b"old")

    write_atomically(path, b"new")

    assert path.read_bytes() == b"new"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert list(tmp_path.iterdir()) == [path]


def test_a_write_that_fails_leaves_the_old_file_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.mkdir()

    with pytest.raises(OSError, match="directory"):
        write_atomically(path, b"new")

    assert list(tmp_path.iterdir()) == [path]


def test_a_link_in_the_way_is_replaced_and_not_followed(tmp_path: Path) -> None:
    precious = tmp_path / "precious"
    precious.write_bytes(b"keep me")
    (tmp_path / "a.json").symlink_to(precious)

    write_atomically(tmp_path / "a.json", b"new")

    assert precious.read_bytes() == b"keep me"
    assert (tmp_path / "a.json").read_bytes() == b"new"
