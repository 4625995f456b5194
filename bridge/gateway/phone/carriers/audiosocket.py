"""Asterisk's AudioSocket: the UUID that its stream begins with is all there is to check.

The dialplan asks us for one beforehand (POST /carriers/audiosocket/answer, with an API key), or any is taken.
"""

from bridge.gateway.phone.carriers.base import Carrier


class AudioSocket(Carrier):
    """AudioSocket; `any_uuid`: take calls whose UUID was not asked for."""

    name = "audiosocket"

    def __init__(self, *, any_uuid: bool) -> None:
        super().__init__()
        self.only_expected = not any_uuid
        self.unchecked = any_uuid
