"""The one error of this package."""


class CodecError(ValueError):
    """Samples, bytes or settings that no codec or filter here can take; the sentence says why."""
