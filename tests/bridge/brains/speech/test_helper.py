"""One helper process: what it may do wrong, and that it leaves nothing behind (checked after each test)."""

import struct
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from bridge.brains.speech import helper as helper_module
from bridge.brains.speech.helper import Helper, HelperDied, program
from bridge.errors import BrainError
from tests.fakes.helper_programs import ECHO, GREET, HANG, fake

LONG_S = 30.0
SHORT_S = 0.3  # of real time: what a test of the deadline takes


@contextmanager
def running(body: str, deadline_s: float = LONG_S) -> Iterator[Helper]:
    helper = Helper("fake", fake(body), deadline_s)
    try:
        yield helper
    finally:
        helper.stop()


def greet_and_request(helper: Helper, data: bytes) -> None:
    helper.greet()
    helper.request({}, data)


def test_reply_has_the_fields_and_the_bytes_that_were_sent() -> None:
    with running(GREET + ECHO) as helper:
        helper.greet()
        fields, data = helper.request({"text": "hé\ud800"}, b"\x00\xff")

    assert fields["heard"] == {"text": "hé\ud800", "n_bytes": 2}
    assert data == b"\x00\xff"


def test_more_than_the_pipes_hold_goes_both_ways() -> None:
    data = bytes(1 << 20)

    with running(GREET + ECHO) as helper:
        helper.greet()
        assert helper.request({}, data)[1] == data


def test_helper_is_reusable_between_its_greeting_and_its_death() -> None:
    with running(GREET + ECHO) as helper:
        assert not helper.reusable
        helper.greet()
        assert helper.reusable
        helper.kill()
        with pytest.raises(HelperDied):
            helper.request({})
        assert not helper.reusable


def test_helper_that_does_not_last_is_not_reusable() -> None:
    with running("write(replies, {'lasting': False})\n" + ECHO) as helper:
        helper.greet()

        assert helper.greeted
        assert not helper.reusable


def test_sentence_in_place_of_a_greeting_is_the_error() -> None:
    with (
        running("write(replies, {'error': 'no voice data'})") as helper,
        pytest.raises(BrainError, match=r"^fake: no voice data$") as raised,
    ):
        helper.greet()

    assert not isinstance(raised.value, HelperDied)
    assert not helper.reusable


def test_sentence_in_place_of_a_reply_leaves_the_helper_reusable() -> None:
    with running(
        GREET + "read(requests)\nwrite(replies, {'error': 'too hard'})\n" + ECHO
    ) as helper:
        helper.greet()
        with pytest.raises(BrainError, match="too hard"):
            helper.request({})

        assert helper.reusable
        assert helper.request({}, b"!")[1] == b"!"


@pytest.mark.parametrize(
    "last_act",
    [
        "",
        "replies.write(b'\\x01'); replies.flush()",
        "replies.write(b'\\x10\\0\\0\\0{'); replies.flush()",
        "replies.write(b'\\x11\\0\\0\\0{\"n_bytes\": 1000}'); replies.flush()",
        "os.kill(os.getpid(), signal.SIGKILL)",
    ],
    ids=["silently", "amid the length", "amid the fields", "amid the bytes", "killed"],
)
def test_helper_that_ends_before_its_reply_is_complete_has_died(last_act: str) -> None:
    with running(GREET + "read(requests)\n" + last_act) as helper:
        helper.greet()
        with pytest.raises(HelperDied, match=r"^fake: the helper process has ended$"):
            helper.request({})

        assert not helper.reusable


@pytest.mark.parametrize(
    "frame",
    [
        struct.pack("<I", (1 << 20) + 1),
        struct.pack("<I", 4) + b"what",
        struct.pack("<I", 2) + b"[]",
        struct.pack("<I", 2) + b"\xff\xff",
        struct.pack("<I", 15) + b'{"n_bytes": -1}',
        struct.pack("<I", 23) + b'{"n_bytes": 1000000000}',
        struct.pack("<I", 17) + b'{"n_bytes": "no"}',
        struct.pack("<I", 17) + b'{"n_bytes": null}',
    ],
)
def test_nonsense_counts_as_death(frame: bytes) -> None:
    body = f"replies.write({frame!r}); replies.flush()\nread(requests)"
    with running(body) as helper, pytest.raises(HelperDied, match="sends nonsense"):
        helper.greet()


@pytest.mark.parametrize("body", [HANG, GREET + "read(requests)\n" + HANG, GREET + HANG])
def test_helper_that_hangs_is_killed_at_the_deadline(body: str) -> None:
    # A request that is larger than the pipe hangs where it is written.
    with (
        running(body, SHORT_S) as helper,
        pytest.raises(HelperDied, match=rf"did not answer within {SHORT_S} s"),
    ):
        greet_and_request(helper, bytes(1 << 20))


def test_program_that_is_not_there_is_a_sentence() -> None:
    with pytest.raises(HelperDied, match=r"does not start \(No such file or directory\)"):
        Helper("fake", ["/no/such/program"], LONG_S)


def test_kill_from_another_thread_ends_a_wait() -> None:
    with running(GREET + "read(requests)\n" + HANG) as helper:
        helper.greet()
        killer = threading.Timer(0.05, helper.kill)
        killer.start()
        with pytest.raises(HelperDied):
            helper.request({})
        killer.join()


def test_kill_takes_the_forks_along() -> None:
    # The fork holds the reply pipe open: without it the read would last a minute.
    body = GREET + "read(requests)\nin_fork(lambda: time.sleep(60) or 0)"
    with running(body) as helper:
        helper.greet()
        killer = threading.Timer(0.1, helper.kill)
        killer.start()
        with pytest.raises(HelperDied):
            helper.request({})
        killer.join()


def test_helper_that_does_not_let_go_is_forced(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(helper_module, "_GOODBYE_S", 0.05)

    with running(GREET + HANG) as helper:
        helper.greet()


def test_kill_and_stop_after_the_end_are_harmless() -> None:
    with running("") as helper:
        helper.stop()
        helper.kill()
        helper.stop()


def test_program_runs_main_of_a_module_of_ours_from_any_folder(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    folder = tmp_path_factory.mktemp("elsewhere")
    (folder / "json.py").write_text("raise SystemExit('the folder got in the way')")

    run = subprocess.run(
        program("bridge.brains.speech.espeak_helper", '{"voice": 1}'),
        cwd=folder,
        input=b"",
        capture_output=True,
        check=False,
    )

    assert b"missing 2 required positional arguments" in run.stderr
    assert sys.executable == program("x")[0]
