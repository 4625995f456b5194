import numpy as np
import pytest

from bridge.batch.rate import make_converter
from bridge_codecs.pcm import Int16


def bell(n_samples: int, centre: int, width: int) -> Int16:
    at = np.arange(n_samples) - centre
    return (20_000 * np.exp(-((at / width) ** 2))).astype(np.int16)


@pytest.mark.parametrize("cut", [100, 1_000, 1 << 20])
@pytest.mark.parametrize(
    ("from_hz", "to_hz"),
    [(8_000, 16_000), (48_000, 8_000), (44_100, 8_000), (44_056, 8_000), (96_000, 16_000)],
)
def test_a_bell_stays_where_it_was_and_the_length_is_kept(
    from_hz: int, to_hz: int, cut: int
) -> None:
    sound = bell(2 * from_hz, from_hz, from_hz // 200)
    converter = make_converter(from_hz, to_hz)

    pieces = [converter.push(sound[at : at + cut]) for at in range(0, sound.size, cut)]
    made = np.concatenate([*pieces, converter.flush()])

    assert made.size == pytest.approx(2 * to_hz, abs=1)
    assert int(np.argmax(made)) == pytest.approx(to_hz, abs=to_hz / 1_000)
    assert int(made.max()) == pytest.approx(20_000, rel=0.02)


def test_equal_rates_pass_through() -> None:
    sound = bell(100, 50, 10)

    assert make_converter(8_000, 8_000).push(sound) is sound


@pytest.mark.parametrize("from_hz", [8_000, 16_000, 44_056])
def test_no_samples_give_no_samples(from_hz: int) -> None:
    converter = make_converter(from_hz, 8_000)

    assert converter.push(np.zeros(0, np.int16)).size == 0
    assert converter.flush().size == 0
