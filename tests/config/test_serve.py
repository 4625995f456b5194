"""The example config loads, and says what the defaults are."""

from pathlib import Path

from bridge.config import Config, load_config

EXAMPLE = Path(__file__).parents[2] / "config" / "serve.toml"


def test_example_is_the_default_config() -> None:
    assert load_config(EXAMPLE) == Config()
