"""Text that may be anything, made fit for a file."""


def writable(text: str) -> str:
    """The text as UTF-8 can hold it; a file's name may be any octets, which Python shows as halves of pairs."""
    return text.encode("utf-8", "backslashreplace").decode()
