"""The scenarios of the DAHDI gate, run as root inside its machine: one line each, PASS or FAIL.

The machine has two spans of 31 channels, looped to each other. ``box`` is a line process of ours on span 1 as the user
side, ``net`` another on span 2 as the network side.
"""

from __future__ import annotations

import asyncio
import sys
import time
import traceback
from collections.abc import Awaitable, Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from bare import (
    CREATE,
    DESTROY,
    FOLDER,
    STALL_S,
    TRIES,
    check_after_configuration,
    check_before_configuration,
    codes,
    configure,
    configured_from_our_settings,
    dynamic,
    gains_and_echo_canceller,
    loop_test,
    settings,
    timeslots,
)
from lines import Line, noise, start, wrong

from hw.line.dahdi import discovery
from hw.line.dahdi.systemconf import first_channels, system_conf
from hw.line.settings import LineSettings
from hw.messages import Answer, Answered, Block, Cleared, Dial, Hangup, Incoming, LineState
from hw.settings import load

# -- with line processes -----------------------------------------------------------------------------------------------

lines: dict[str, Line] = {}


async def primary_rate_lines_come_up() -> str:
    for name in ("net", "box"):
        lines[name] = await start(settings(name, ", reserve = 10"), name, FOLDER / name)
    began = time.monotonic()
    for line in lines.values():
        await line.until(up=True)
    return f"both data links after {time.monotonic() - began:.1f} s"


async def talking(number: str, caller: str) -> tuple[str, str]:
    """A call from the network to the box, answered; the legs at the network and at the box."""
    far = f"n{number}"
    lines["net"].send(Dial(far, "net", number, caller))
    incoming = await lines["box"].next(Incoming, called=number)
    assert incoming.caller == caller, incoming
    lines["box"].send(Answer(incoming.leg))
    await lines["net"].next(Answered, leg=far)
    return far, incoming.leg


async def call_with_exact_audio() -> str:
    for times in range(1, TRIES + 1):
        for line in lines.values():
            line.late_ms = 0.0
        errors = await audio_errors(str(96100 + times))
        stall_s = max(line.late_ms for line in lines.values()) / 1000
        if errors == (0, 0):
            return f"24000 samples each way, none wrong, {times}. call"
        assert stall_s > STALL_S, f"{errors} of 24000 samples wrong, and no tick was later than {stall_s:.2f} s"
    raise AssertionError(f"the machine stood still in {TRIES} calls, at last {stall_s:.2f} s; {errors} samples wrong")


async def audio_errors(number: str) -> tuple[int, int]:
    """A call of three seconds of noise each way: how many samples came wrong to the box, and to the network."""
    box, net = lines["box"], lines["net"]
    far, near = await talking(number, "13800138000")
    said = {"box": noise(1, 3.0), "net": noise(2, 3.0)}
    net.record(far)
    box.record(near)
    await asyncio.gather(net.play(far, said["net"]), box.play(near, said["box"]))
    await asyncio.sleep(1.0)  # what is under way
    net.send(Hangup(far, 16))
    assert (await box.next(Cleared, leg=near)).cause == 16
    await net.next(Cleared, leg=far)
    await asyncio.sleep(1.1)  # the figures of the last second
    return wrong(said["net"], await box.recorded(near)), wrong(said["box"], await net.recorded(far))


async def causes_both_ways() -> str:
    box, net = lines["box"], lines["net"]
    box.send(Dial("b1", "box", "13900139000", "96100"))
    incoming = await net.next(Incoming, called="13900139000")
    net.send(Hangup(incoming.leg, 17))
    busy = (await box.next(Cleared, leg="b1")).cause
    net.send(Dial("n2", "net", "404"))
    box.send(Hangup((await box.next(Incoming, called="404")).leg, 1))
    unknown = (await net.next(Cleared, leg="n2")).cause
    assert (busy, unknown) == (17, 1), (busy, unknown)
    return "17 from the network, 1 from the box"


async def thirty_calls_at_once() -> str:
    box, net = lines["box"], lines["net"]
    began = time.monotonic()
    legs = await asyncio.gather(*(talking(str(7000 + number), "10086") for number in range(30)))
    took = time.monotonic() - began
    assert {channel.state for channel in (await full(box)).channels} == {"busy"}
    net.send(Dial("n31", "net", "7999"))
    assert (await net.next(Cleared, leg="n31")).cause == 34
    for far, _ in legs:
        net.send(Hangup(far, 16))
    for far, near in legs:
        await net.next(Cleared, leg=far)
        await box.next(Cleared, leg=near)
    return f"up within {took:.1f} s, the 31st refused with 34"


async def full(line: Line) -> LineState:
    """The line's state once all changes are told."""
    await asyncio.sleep(0.5)
    assert line.state is not None
    return line.state


async def blocking() -> str:
    box, net = lines["box"], lines["net"]
    box.send(Block("box", 1, True))
    while box.channel(1) != "blocked":
        await asyncio.sleep(0.05)
    net.send(Dial("n3", "net", "96100"))
    incoming = await box.next(Incoming, called="96100")
    assert incoming.channel == 2, f"the call came on channel {incoming.channel}"
    box.send(Hangup(incoming.leg, 16))
    await net.next(Cleared, leg="n3")
    box.send(Block("box", None, True))
    net.send(Dial("n4", "net", "96100"))
    refused = (await net.next(Cleared, leg="n4")).cause
    box.send(Block("box", None, False))
    while box.channel(1) != "idle":
        await asyncio.sleep(0.05)
    await net.next(Cleared, leg=(await talk_and_end("96101")))
    return f"a blocked channel is passed over, a blocked line refuses with {refused}, unblocked it takes calls"


async def talk_and_end(number: str) -> str:
    far, near = await talking(number, "10010")
    lines["box"].send(Hangup(near, 16))
    await lines["box"].next(Cleared, leg=near)
    return far


async def alarm_and_clear() -> str:
    box, net = lines["box"], lines["net"]
    _, near = await talking("96102", "10000")
    net.process.kill()
    await net.process.wait()
    dynamic(DESTROY, "1:1")
    began = time.monotonic()
    state = await box.until(up=False, alarm="RED")
    red = time.monotonic() - began
    assert (await box.next(Cleared, leg=near)).cause == 27
    assert {channel.state for channel in state.channels} == {"alarm"}
    assert "span.alarm.red" in codes("box")
    lines["net"] = net = await start(settings("net", ", reserve = 10"), "net", FOLDER / "net")
    await net.until(up=False, alarm="GONE")  # started without its card, it waits for it
    dynamic(CREATE, "1:1")
    configure(system_conf(load(settings("net"), "line", LineSettings).spans, first_channels()))
    await box.until(up=True)
    await net.until(up=True)
    await net.next(Cleared, leg=(await talk_and_end("96103")))
    return f"RED after {red:.1f} s, the call cleared with 27; in service again after the repair"


async def card_vanishes_and_comes_back() -> str:
    box, net = lines["box"], lines["net"]
    _, near = await talking("96104", "10001")
    with discovery.control() as ctl:
        name = discovery.span(ctl, 1).name
    device = next(path.parent for path in Path("/sys/devices").rglob("unassign_span") if name in _device(path.parent))
    (device / "unassign_span").write_text("1")
    began = time.monotonic()
    await box.until(up=False, alarm="GONE")
    gone = time.monotonic() - began
    assert (await box.next(Cleared, leg=near)).cause == 27
    assert "span.absent" in codes("box")
    (device / "auto_assign").write_text("1")
    configure(system_conf(load(settings("box"), "line", LineSettings).spans, first_channels()))
    await box.until(up=True)
    await net.until(up=True)
    await net.next(Cleared, leg=(await talk_and_end("96105")))
    return f"GONE after {gone:.2f} s, the call cleared with 27; opened again by itself"


def _device(folder: Path) -> str:
    return (folder / "hardware_id").read_text()


async def line_processes_end_well() -> str:
    stats = lines["box"].stats
    assert stats is not None
    for line in lines.values():
        await line.close()
    counters = {name: count for name, count in stats.counters.items() if count and name.startswith("box.")}
    return f"counters of the box: {counters}; CPU {stats.cpu_s} s, tick late p99 {stats.run_late_p99_ms} ms"


SCENARIOS: list[Callable[[], Awaitable[str]]] = [
    check_before_configuration, configured_from_our_settings, check_after_configuration, timeslots,
    gains_and_echo_canceller, loop_test, primary_rate_lines_come_up, call_with_exact_audio, causes_both_ways,
    thirty_calls_at_once, blocking, alarm_and_clear, card_vanishes_and_comes_back,
    line_processes_end_well,
]  # fmt: skip


async def main() -> None:
    FOLDER.mkdir()
    for scenario in SCENARIOS:
        began = time.monotonic()
        name = scenario.__name__.replace("_", " ")
        try:
            async with asyncio.timeout(60):
                said = await scenario()
        except Exception as error:  # noqa: BLE001  the others are worth running
            traceback.print_exc()
            print(f"FAIL {name}: {error!r}", flush=True)
        else:
            print(f"PASS {name}: {said} ({time.monotonic() - began:.1f} s)", flush=True)


if __name__ == "__main__":
    asyncio.run(main())
