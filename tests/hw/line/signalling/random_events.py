"""``python -m tests.hw.line.signalling.random_events [EVENTS] [SEED]``: so many random line events (10^6) at each
signalling, and what was reached. It ends with an error where a channel hangs or a call is told of wrongly.
"""

from __future__ import annotations

import sys
import time

from tests.hw.line.signalling import loop_random, pri_random, r2_random


def main() -> None:
    """Run them one after the other."""
    events, seed = (*map(int, sys.argv[1:]), *(1_000_000, 1)[len(sys.argv) - 1 :])
    for signalling in (r2_random, loop_random, pri_random):
        began = time.monotonic()
        reached, causes = signalling.run(events, seed)
        name = signalling.__name__.rpartition(".")[2].removesuffix("_random")
        took = time.monotonic() - began
        print(f"{name}: {events} events in {took:.0f} s, {len(reached)} phases or kinds, causes {sorted(causes)}")


if __name__ == "__main__":
    main()
