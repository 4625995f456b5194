import json
import os
from pathlib import Path

import pytest

from bridge.batch.outcome import JobOutcome
from bridge.batch.shelf import LOCK, OUTCOME, RESULTS, Shelf
from bridge.errors import UsageError


def listed(folder: Path) -> list[str]:
    return [json.loads(line)["id"] for line in (folder / RESULTS).read_text().splitlines()]


GOOD = JobOutcome(id="a", status="passed", digest="d")


def test_a_finished_job_is_known_by_its_folder_and_digest(tmp_path: Path) -> None:
    with Shelf(tmp_path) as shelf:
        shelf.finish(shelf.working_folder("a"), GOOD)

        assert shelf.finished("a", "d") == GOOD
        assert shelf.finished("a", "other") is None
        assert shelf.finished("b", "d") is None


def test_an_error_is_not_finished(tmp_path: Path) -> None:
    with Shelf(tmp_path) as shelf:
        shelf.finish(shelf.working_folder("a"), GOOD.model_copy(update={"status": "error"}))

        assert shelf.finished("a", "d") is None


@pytest.mark.parametrize("content", ["", "{", '{"id": "a"}', '{"id": "b", "status": "passed"}'])
def test_an_outcome_that_cannot_be_read_is_not_finished(tmp_path: Path, content: str) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / OUTCOME).write_text(content)

    with Shelf(tmp_path) as shelf:
        assert shelf.finished("a", "") is None


def test_a_job_done_again_replaces_its_folder_whole(tmp_path: Path) -> None:
    with Shelf(tmp_path) as shelf:
        first = shelf.working_folder("a")
        (first / "old").touch()
        shelf.finish(first, GOOD)
        second = shelf.working_folder("a")
        (second / "new").touch()
        shelf.finish(second, GOOD)

    assert {path.name for path in (tmp_path / "a").iterdir()} == {"new", OUTCOME}


def test_what_was_half_done_is_gone_when_the_shelf_is_opened(tmp_path: Path) -> None:
    (tmp_path / ".working-a").mkdir()
    (tmp_path / ".retired-a").mkdir()
    (tmp_path / "mine").mkdir()

    with Shelf(tmp_path):
        assert {path.name for path in tmp_path.iterdir()} == {"mine", LOCK}


def test_the_lock_names_its_holder_and_is_free_afterwards(tmp_path: Path) -> None:
    with Shelf(tmp_path):
        assert json.loads((tmp_path / LOCK).read_text())["pid"] == os.getpid()
        with pytest.raises(UsageError, match=f"process {os.getpid()}, since 2"), Shelf(tmp_path):
            pass

    with Shelf(tmp_path):
        pass


def test_a_lock_whose_holder_says_nothing_is_a_lock_too(tmp_path: Path) -> None:
    with Shelf(tmp_path):
        (tmp_path / LOCK).write_text("not json")

        with pytest.raises(UsageError, match=r"another batch writes here$"), Shelf(tmp_path):
            pass


def test_results_are_appended_and_written_anew_in_order(tmp_path: Path) -> None:
    other = GOOD.model_copy(update={"id": "b"})
    with Shelf(tmp_path) as shelf:
        shelf.append(other)
        shelf.append(GOOD)
        assert listed(tmp_path) == ["b", "a"]

        shelf.write_results((GOOD, other))

    assert listed(tmp_path) == ["a", "b"]
