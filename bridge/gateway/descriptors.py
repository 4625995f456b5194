"""How many connections the system lets this process have, and what is kept back for the calls that are up.

Who has used up all descriptors can neither hang a call up through its carrier nor join an AI call. So the limit is
raised as far as it goes without asking anybody, and the door takes no more connections than leave one more for each of
them, and some for everything else.
"""

import sys
from typing import Final

RESERVED: Final = 64
WANTED: Final = 16_384
LEAST: Final = 16


def connections(limit: int) -> int:
    """How many connections the door may hold where a process may have `limit` descriptors."""
    return max(LEAST, (limit - RESERVED) // 2)


def raise_limit() -> int:
    """Raise this process's limit of descriptors towards what is wanted; what it is then."""
    if sys.platform == "win32":  # it has no such limit
        return WANTED
    import resource  # noqa: PLC0415 - not on Windows

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = WANTED if hard == resource.RLIM_INFINITY else min(WANTED, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
        return wanted
    return WANTED if soft == resource.RLIM_INFINITY else soft
