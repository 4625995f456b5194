"""What is kept for a relay that does not run yet."""

from bridge.audio.lane import Lane
from bridge.legs.base import Port
from bridge.legs.webrtc.later import MOST, Later

PORT = Port(
    Lane(8_000, 100, "drop_oldest"),
    Lane(8_000, 100, "drop_oldest"),
    lambda _: None,
    lambda: None,
)


def test_acts_wait_in_order_and_then_happen_at_once() -> None:
    later, done = Later(), list[object]()
    for n in (1, 2):
        later.do(lambda port, n=n: done.append((n, port)))  # type: ignore[misc]
    assert done == []

    later.begin(PORT)
    assert done == [(1, PORT), (2, PORT)]
    later.do(lambda _: done.append(3))

    assert done[-1] == 3


def test_only_so_many_wait() -> None:
    later, done = Later(), list[int]()
    for n in range(MOST + 5):
        later.do(lambda _, n=n: done.append(n))  # type: ignore[misc]
    later.begin(PORT)

    assert done == list(range(MOST))
