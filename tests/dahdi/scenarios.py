"""The scenarios of the DAHDI gate, run as root inside its machine: one line each, PASS or FAIL.

The machine has two spans of 31 channels, looped to each other. ``box`` is a line process of ours on span 1 as the user
side, ``net`` another on span 2 as the network side.
"""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import time
import traceback
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from struct import Struct
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))

import numpy as np
from lines import Line, noise, start, wrong

from hw.line.dahdi import abi, discovery
from hw.line.dahdi.channel import BearerChannel, gain_table
from hw.line.dahdi.check import examine
from hw.line.dahdi.loop import compare, pattern
from hw.line.dahdi.systemconf import first_channels, system_conf
from hw.line.dahdi.timer import CardClock
from hw.line.dahdi.timeslots import DahdiTimeslots
from hw.line.settings import LineSettings
from hw.line.trunk import FRAME
from hw.messages import Answer, Answered, Block, Cleared, Dial, Hangup, Incoming, LineState
from hw.settings import load

BEARERS = (*range(1, 16), *range(17, 32))
FOLDER = Path("/run/gate")  # the machine's own, in memory
#: struct dahdi_dynamic_span: driver, address, channels, timing, span (user.h).
_DYNAMIC = Struct("=20s40s3i")
_CREATE = abi.Request(3 << 30 | _DYNAMIC.size << 16 | 0xDA << 8 | 80, _DYNAMIC)
_DESTROY = abi.Request(1 << 30 | _DYNAMIC.size << 16 | 0xDA << 8 | 81, _DYNAMIC)
SETTINGS = """
[line]
socket = "{folder}/line.sock"
rtp_ports = [{port}, {last}]
recordings = "{folder}"
realtime_priority = 0

[[line.spans]]
name = "{name}"
driver = "dahdi"
role = "{role}"
channels = {channels}
dahdi = {{ span = {span}, timing = {timing}{more} }}
"""


def settings(name: str, more: str = "", channels: tuple[int, ...] = BEARERS) -> Path:
    """The settings file of one line process."""
    folder = FOLDER / name
    folder.mkdir(parents=True, exist_ok=True)
    box = name == "box"
    path = folder / "onecall.toml"
    path.write_text(SETTINGS.format(
        folder=folder, port=30000 + 4 * box, last=30003 + 4 * box, name=name, role="cpe" if box else "network",
        channels=list(channels), span=1 if box else 2, timing=int(box), more=more,
    ))  # fmt: skip
    return path


def tool(module: str, *arguments: object) -> tuple[int, str]:
    """Run one of ours as an installer does; its exit status and what it printed."""
    words = [sys.executable, "-m", f"hw.line.dahdi.{module}", *map(str, arguments)]
    done = subprocess.run(words, stdout=subprocess.PIPE, text=True, check=False)
    return done.returncode, done.stdout


def codes(name: str, more: str = "") -> set[str]:
    """The codes of what the check finds with these settings."""
    return {fact.code for fact in examine(load(settings(name, more), "line", LineSettings))}


def dynamic(request: abi.Request, address: str) -> None:
    """Plug a span in, or pull it out."""
    with discovery.control() as ctl:
        abi.call(ctl, request, b"loc", address.encode(), 31, 0)


def configure(text: str) -> None:
    """Apply a system.conf by DAHDI's own tool."""
    path = FOLDER / "system.conf"
    path.write_text(text)
    tools = Path(os.environ["DAHDI_TOOLS"])
    environment = {"LD_LIBRARY_PATH": str(tools / "usr/lib/x86_64-linux-gnu")}
    subprocess.run([tools / "usr/sbin/dahdi_cfg", "-c", path], env=environment, check=True, timeout=30)


@contextmanager
def bearers(numbers: Sequence[int], **settings: Any) -> Iterator[list[BearerChannel]]:
    """Bearer channels, open."""
    with ExitStack() as opened:
        channels = (BearerChannel(discovery.DEVICES, number, **settings) for number in numbers)
        yield [opened.enter_context(closing(channel)) for channel in channels]


# -- without a line process --------------------------------------------------------------------------------------------


async def check_before_configuration() -> str:
    status, said = tool("check", "--config", settings("box"))
    assert status == 1 and [fact["code"] for fact in json.loads(said)] == ["module.loaded", "card.none"], said
    for address in ("1:0", "1:1"):
        dynamic(_CREATE, address)
    found = codes("box")
    assert {"span.unconfigured", "span.unused"} <= found, found
    return "no card, then a card that nobody has configured"


async def configured_from_our_settings() -> str:
    configure(tool("systemconf", "--config", settings("box", ', echo_canceller = "mg2"'))[1])
    configure(system_conf(load(settings("net"), "line", LineSettings).spans, first_channels()))
    with discovery.control() as ctl:
        spans, channels = discovery.spans(ctl), discovery.channels(ctl)
    assert [(span.number, span.channels, span.alarm) for span in spans] == [(1, 31, ""), (2, 31, "")], spans
    assert [channel.position for channel in channels if channel.data] == [16, 16]
    assert sum(channel.bearer for channel in channels) == 60
    return f"dahdi_cfg took both files; {len(channels)} channels"


async def check_after_configuration() -> str:
    assert codes("box") == {"module.loaded", "span.ok", "span.unused"}, codes("box")
    assert "span.dchannel" in codes("box", ", d_channel = 31")
    return "in order; a wrong D channel is found"


async def timeslots() -> str:
    with discovery.control() as ctl:
        numbers = [channel.number for channel in discovery.channels(ctl) if channel.bearer]
    with bearers(numbers) as opened:
        return await both_ways([opened[:30], opened[30:]])


async def both_ways(spans: list[list[BearerChannel]]) -> str:
    """Three seconds of different octets on all channels of both spans."""
    sides = []
    for opened in spans:
        slots = DahdiTimeslots(BEARERS, reserve=10)
        slots.attach(opened, _raise)
        sides.append(slots)
    ticks = 150
    sent = [pattern(30, ticks), pattern(30, ticks)[:, ::-1].copy()]
    heard = [np.empty_like(each) for each in sent]
    clock = CardClock()
    tick, began = 0, time.monotonic()
    while tick < ticks:
        await asyncio.sleep(0.001)
        for _ in range(min(clock.due(), ticks - tick)):
            for slots, says, hears in zip(sides, sent, heard, strict=True):
                slots.read(hears[tick])
                slots.write(says[tick])
            tick += 1
    took = time.monotonic() - began
    counters = [slots.counters() for slots in sides]
    clock.close()
    results = [
        compare(slot, sent[1 - side][:, row].ravel(), heard[side][:, row].ravel())
        for side in (0, 1) for row, slot in enumerate(BEARERS)
    ]  # fmt: skip
    bad = [result for result in results if not result.good]
    assert not bad, f"{len(bad)} of 60: {bad[:3]}, {counters}"
    delay = max(result.delay_ms for result in results)
    assert abs(took - ticks * 0.02) < 0.5, f"{ticks} ticks took {took:.2f} s"
    octets = sum(result.compared for result in results)
    return f"60 directions, {octets} octets exact, delay at most {delay:.1f} ms, {ticks} ticks in {took:.2f} s"


def _raise(error: OSError) -> None:
    raise error


async def gains_and_echo_canceller() -> str:
    octets = np.arange(FRAME, dtype=np.uint8)
    heard = np.empty(FRAME, np.uint8)
    everything = b""
    with bearers([1], echo_taps=128) as (near,), bearers([32], rx_gain_db=6.0) as (far,):
        attached = [path.read_text().strip() for path in Path("/sys/devices").rglob("ec_factory")]
        assert sum("MG2" in text for text in attached) == 30, attached
        for _ in range(20):
            near.write(octets)
            await asyncio.sleep(0.02)
            while far.read(heard):
                everything += heard.tobytes()
    louder = bytes(gain_table(6.0)[octet] for octet in range(FRAME))
    assert louder in everything and octets.tobytes() not in everything
    return f"6 dB by table, exact; canceller {attached[0]} at the 30 channels whose settings have it"


async def loop_test() -> str:
    with bearers([31 + slot for slot in BEARERS]) as far:
        silent, said = tool("loop", "--config", settings("box"), "--seconds", "1", "box")
        results = [json.loads(line) for line in said.splitlines()]
        assert silent == 1 and all(result["delay_ms"] < 0 for result in results), results[:2]
        for channel in far:
            channel.loop_back(True)
        good, said = tool("loop", "--config", settings("box", ", reserve = 10"), "--seconds", "1", "box")
        for channel in far:
            channel.loop_back(False)
    results = [json.loads(line) for line in said.splitlines()]
    assert good == 0 and len(results) == 30, results[:2]
    return f"nothing without a loop; 30 channels exact with one, {results[0]['delay_ms']} ms there and back"


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
    box, net = lines["box"], lines["net"]
    far, near = await talking("96100", "13800138000")
    said = {"box": noise(1, 3.0), "net": noise(2, 3.0)}
    net.record(far)
    box.record(near)
    await asyncio.gather(net.play(far, said["net"]), box.play(near, said["box"]))
    await asyncio.sleep(1.0)  # what is under way
    net.send(Hangup(far, 16))
    assert (await box.next(Cleared, leg=near)).cause == 16
    await net.next(Cleared, leg=far)
    errors = wrong(said["net"], await box.recorded(near)), wrong(said["box"], await net.recorded(far))
    assert errors == (0, 0), f"{errors} of {len(said['box'])} samples wrong"
    return f"{len(said['box'])} samples each way, none wrong"


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
    dynamic(_DESTROY, "1:1")
    began = time.monotonic()
    state = await box.until(up=False, alarm="RED")
    red = time.monotonic() - began
    assert (await box.next(Cleared, leg=near)).cause == 27
    assert {channel.state for channel in state.channels} == {"alarm"}
    assert "span.alarm.red" in codes("box")
    dynamic(_CREATE, "1:1")
    configure(system_conf(load(settings("net"), "line", LineSettings).spans, first_channels()))
    lines["net"] = await start(settings("net", ", reserve = 10"), "net", FOLDER / "net")
    await box.until(up=True)
    await lines["net"].until(up=True)
    await lines["net"].next(Cleared, leg=(await talk_and_end("96103")))
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
