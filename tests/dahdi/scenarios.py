"""The scenarios of the DAHDI gate, run as root inside its machine: one line each, PASS or FAIL.

The machine has two spans of 31 channels, looped to each other. ``box`` is a line process of ours on span 1 as the user
side, ``net`` another on span 2 as the network side.
"""

from __future__ import annotations

import asyncio
import sys
import time
import traceback
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

import analog
import calls
import r2
from bare import (
    FOLDER,
    STALL_S,
    check_after_configuration,
    check_before_configuration,
    configured_from_our_settings,
    gains_and_echo_canceller,
    late_ticks_leave_no_delay,
    loop_test,
    plug_in,
    settings,
    timeslots,
)
from calls import lines, talk_and_end

from hw.messages import Block, Cleared, Dial, Hangup, Incoming

# -- with line processes on ISDN PRI -----------------------------------------------------------------------------------


async def primary_rate_lines_come_up() -> str:
    took = await calls.begin(STALL_S, net=settings("net", ", reserve = 10"), box=settings("box", ", reserve = 10"))
    return f"both data links after {took:.1f} s"


async def blocking() -> str:
    box, net = lines["box"], lines["net"]
    box.send(Block("box", 1, True))
    while box.channel(1) != "blocked":
        await asyncio.sleep(0.05)
    net.send(Dial("passed over", "net", "60"))
    incoming = await box.next(Incoming, called="60")
    assert incoming.channel == 2, f"the call came on channel {incoming.channel}"
    box.send(Hangup(incoming.leg, 16))
    await net.next(Cleared, leg="passed over")
    box.send(Block("box", None, True))
    net.send(Dial("blocked", "net", "60"))
    refused = (await net.next(Cleared, leg="blocked")).cause
    box.send(Block("box", None, False))
    while box.channel(1) != "idle":
        await asyncio.sleep(0.05)
    await talk_and_end()
    return f"a blocked channel is passed over, a blocked line refuses with {refused}, unblocked it takes calls"


#: By group, in order; the spans are plugged in and looped before.
SCENARIOS: dict[str, list[Callable[[], Awaitable[str]]]] = {
    "pri": [
        check_before_configuration, configured_from_our_settings, check_after_configuration, timeslots,
        late_ticks_leave_no_delay, gains_and_echo_canceller, loop_test, primary_rate_lines_come_up,
        calls.patient(calls.call_with_exact_audio), calls.causes_both_ways, calls.thirty_calls_at_once, blocking,
        calls.alarm_and_clear, calls.card_vanishes_and_comes_back, calls.line_processes_end_well,
    ],
    "r2": r2.SCENARIOS, "analog": analog.SCENARIOS,
}  # fmt: skip


async def main(groups: Sequence[str]) -> None:
    FOLDER.mkdir()
    if "pri" not in groups:  # it looks at a machine without spans first
        plug_in()
    for scenario in (scenario for group in groups for scenario in SCENARIOS[group]):
        began = time.monotonic()
        name = scenario.__name__.replace("_", " ")
        try:
            async with asyncio.timeout(240 if hasattr(scenario, "__wrapped__") else 60):  # patient ones have their own
                said = await scenario()
        except Exception as error:  # noqa: BLE001  the others are worth running
            traceback.print_exc()
            for line in lines.values():
                print(f"{line.name}: not taken: {line.events}; {line.counted()}; {line.state}", flush=True)
            print(f"FAIL {name}: {error!r}", flush=True)
        else:
            print(f"PASS {name}: {said} ({time.monotonic() - began:.1f} s)", flush=True)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1:]))
