"""How long `tipring --help` takes: a new process each time, best and worst of five.

Asked: 0.4 s, best of five.
"""

import subprocess
import sys
import time

RUNS = 5


def help_s() -> float:
    """Wall-clock seconds of one run."""
    started = time.perf_counter()
    subprocess.run([sys.executable, "-m", "bridge", "--help"], check=True, capture_output=True)
    return time.perf_counter() - started


def main() -> None:
    taken = sorted(help_s() for _ in range(RUNS))
    print(f"tipring --help: best {taken[0]:.2f} s, worst {taken[-1]:.2f} s of {RUNS}")


if __name__ == "__main__":
    main()
