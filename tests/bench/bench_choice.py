"""What choosing a line costs for one call: ``python tests/bench/bench_choice.py``.

A big site: 8 spans of 30 channels, half of them busy, 240 legs, 8 trunk groups of two lines with 40 routes each. CPU
times, so that other programs on the machine do not count. One line of JSON is printed: ``out_us`` (an outgoing call:
the lines' load gathered, all ways in their order), ``in_us`` (an incoming one: whether it may come), both p50 and p99.
"""

from __future__ import annotations

import argparse
import gc
import json
import random
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from attrs import frozen

from appliance.calls.blocks import Blocks
from appliance.calls.groups import TrunkGroups
from appliance.calls.leg import Leg
from appliance.calls.trunkgroups import Member, Route, TrunkGroup
from appliance.calls.trunks import Trunks
from appliance.events.log import EventLog
from hw.messages import ChannelState, LineState

SPANS, CHANNELS, ROUTES = 8, 30, 40


@frozen
class Up:
    """As much of a leg as a choice looks at."""

    line: str
    group: str
    alive: bool = True


def site() -> Trunks:
    """The trunks of the site; nothing is stored or sent."""
    rng = random.Random(1)
    lines = [f"e{n}" for n in range(SPANS)]
    groups = [
        TrunkGroup(
            f"g{n}",
            (Member(lines[n]), Member(lines[(n + 1) % SPANS], 20)),
            rng.choice(("in_order", "round_robin", "most_idle")),
            routes=(
                Route("", 1 + rng.random()),
                *(Route(f"0{prefix}", rng.random()) for prefix in rng.sample(range(1000), ROUTES - 1)),
            ),
        )
        for n in range(SPANS)
    ]
    log = cast(EventLog, None)  # nothing is changed
    legs = [Up(rng.choice(lines), f"g{rng.randrange(SPANS)}") for _ in range(SPANS * CHANNELS)]
    trunks = Trunks(
        TrunkGroups(log, groups), Blocks(log), send=lambda _process, _message: None,
        legs=lambda: cast("list[Leg]", legs), caller="95001",
    )  # fmt: skip
    for line in lines:
        states = (ChannelState(n, "busy" if n % 2 else "idle") for n in range(1, CHANNELS + 1))
        trunks.line_changed(LineState(line, "pri", True, tuple(states)))
    return trunks


def timed(work: Callable[[], Any], calls: int) -> list[float]:
    """CPU microseconds of each call, p50 and p99."""
    took = []
    for _ in range(calls):
        began = time.thread_time()
        work()
        took.append(time.thread_time() - began)
    took.sort()
    return [round(took[calls // 2] * 1e6, 1), round(took[calls * 99 // 100] * 1e6, 1)]


def main() -> None:
    """Run and print."""
    options = argparse.ArgumentParser(description="What choosing a line costs for one call.")
    options.add_argument("--calls", type=int, default=2000)
    given = options.parse_args()
    trunks, rng = site(), random.Random(2)
    gc.freeze()
    out = timed(lambda: trunks.choose(f"0{rng.randrange(1000)}1234567"), given.calls)
    come = timed(lambda: trunks.admit(f"e{rng.randrange(SPANS)}"), given.calls)
    assert trunks.choose("010").attempts
    print(json.dumps({"bench": "choice", "groups": SPANS, "routes": SPANS * ROUTES, "out_us": out, "in_us": come}))


if __name__ == "__main__":
    main()
