"""Twilio's ids."""

from bridge.ids import Ids


def sid(prefix: str, ids: Ids) -> str:
    """Two letters for the kind and 32 hexadecimal digits."""
    return prefix + ids.uuid().replace("-", "")
