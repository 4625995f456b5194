from collections.abc import Iterator
from pathlib import Path

import pytest

from bridge.cli import talk_fronts
from bridge.legs.base import Ended
from bridge.talk.run import TalkOrder, TalkResult
from tests.fakes.log_set_up import logging_restored


@pytest.fixture
def nothing_of_the_user(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    """No key, no preferences; the log is restored."""
    monkeypatch.delenv("ULTRAVOX_API_KEY", raising=False)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    with logging_restored():
        yield


@pytest.fixture
def orders(monkeypatch: pytest.MonkeyPatch) -> list[TalkOrder]:
    """The talks that would have taken place; they all end well."""
    made: list[TalkOrder] = []

    def carry_out(order: TalkOrder, _front: object) -> TalkResult:
        made.append(order)
        return TalkResult(Ended("hangup"), 12.0, (), ())

    monkeypatch.setattr(talk_fronts, "_carry_out", carry_out)
    return made
