"""The helpers' end of the pipes."""

import io
import json
import subprocess
import sys

from hypothesis import given
from hypothesis import strategies as st

from bridge.brains.speech import helper_program
from bridge.brains.speech.helper_program import read, write
from tests.fakes.helper_programs import fake

FIELDS = st.dictionaries(
    st.text().filter(lambda name: name != "n_bytes"), st.none() | st.integers() | st.text()
)


@given(frames=st.lists(st.tuples(FIELDS, st.binary()), max_size=5))
def test_frames_come_out_as_they_went_in(frames: list[tuple[dict[str, object], bytes]]) -> None:
    pipe = io.BytesIO()
    for fields, data in frames:
        write(pipe, fields, data)
    pipe.seek(0)

    for fields, data in frames:
        assert read(pipe) == ({**fields, "n_bytes": len(data)}, data)
    assert read(pipe) is None


@given(n_bytes=st.integers(0, 3))
def test_pipe_that_closes_within_a_length_has_no_more_frames(n_bytes: int) -> None:
    assert read(io.BytesIO(bytes(n_bytes))) is None


def test_frame_without_a_count_has_no_bytes_behind_it() -> None:
    assert read(io.BytesIO(b"\x02\0\0\0{}rest")) == ({}, b"")


def test_fork_gives_back_the_status_of_its_work_or_tells_that_it_died() -> None:
    body = """
def die(): os.kill(os.getpid(), signal.SIGKILL)
def fail(): raise ValueError
statuses = [in_fork(work) for work in (lambda: 0, lambda: 1, die, fail)]
write(replies, {"statuses": statuses})
"""

    run = subprocess.run(fake(body), input=b"", capture_output=True, check=True)

    [zero, one, died, failed] = json.loads(run.stdout[4:])["statuses"]
    assert (zero, one) == (0, 1)
    assert died < 0
    assert failed == 255


def test_what_a_library_prints_does_not_get_among_the_replies() -> None:
    body = "os.write(1, b'chatter'); print('more', flush=True); write(replies, {})"

    run = subprocess.run(fake(body), input=b"", capture_output=True, check=True)

    assert run.stdout == b'\x0e\0\0\0{"n_bytes": 0}'
    assert run.stderr == b"chattermore\n"


def test_helpers_do_not_end_by_ctrl_c() -> None:
    run = subprocess.run(
        fake("os.kill(os.getpid(), signal.SIGINT); write(replies, {})"),
        input=b"",
        capture_output=True,
        check=True,
    )

    assert run.stdout


def test_it_needs_nothing_but_the_standard_library() -> None:
    code = f"import sys; sys.path.append({str(_root())!r}); import {helper_program.__name__}"

    subprocess.run([sys.executable, "-I", "-S", "-c", code], check=True)


def _root() -> str:
    return str(helper_program.__file__).removesuffix("/bridge/brains/speech/helper_program.py")
