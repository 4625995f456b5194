"""The command `tipring`, and `python -m bridge`.

What the command is made of takes some tenths of a second to load. Ctrl-C may come by then already: it ends the process
at once, because what is half loaded tells of an interruption in many ways. Hence nothing is loaded here on the way in.
"""

STOPPED = 130


def main() -> None:
    """Run the command line and exit."""
    try:
        _load()
    except KeyboardInterrupt:
        _stop()
    from bridge.cli import main as command  # noqa: PLC0415 - see above

    command()


def _load() -> None:
    import signal  # noqa: PLC0415 - see above

    before = signal.getsignal(signal.SIGINT)
    if before is signal.default_int_handler:  # who starts us in the background may have it ignored
        signal.signal(signal.SIGINT, _stop)
    import bridge.cli  # noqa: F401, PLC0415 - see above

    signal.signal(signal.SIGINT, before)


def _stop(*_signal: object) -> None:
    import os  # noqa: PLC0415 - see above

    os.write(2, b"tipring: stopped\n")
    os._exit(STOPPED)


if __name__ == "__main__":
    main()
