"""A clock that stands still while a busy machine keeps the main thread waiting for a processor.

For real-time limits of what happens in this process: what the program waits for and what it computes count, what
other programs take from it does not.
"""

import threading
import time
from pathlib import Path


def own_time_s() -> float:
    """Seconds that passed, without those in which this thread was ready and had no processor.

    Where the system does not tell them, all seconds count.
    """
    try:
        told = Path(f"/proc/self/task/{threading.get_native_id()}/schedstat").read_bytes()
    except OSError:
        return time.monotonic()
    return time.monotonic() - int(told.split()[1]) / 1e9
