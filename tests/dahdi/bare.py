"""The gate's scenarios without a line process: cards found, configured and checked; timeslots, gains, the loop test."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from struct import Struct
from typing import Any

import numpy as np

from hw.line.dahdi import abi, discovery
from hw.line.dahdi.channel import BearerChannel, gain_table
from hw.line.dahdi.check import examine
from hw.line.dahdi.loop import compare, pattern
from hw.line.dahdi.systemconf import first_channels, system_conf
from hw.line.dahdi.timer import CardClock
from hw.line.dahdi.timeslots import DahdiTimeslots
from hw.line.settings import LineSettings
from hw.line.trunk import FRAME
from hw.settings import load

BEARERS = (*range(1, 16), *range(17, 32))
#: A machine in software emulation stands still now and then, on a busy host; that is no fault of ours. What is to be
#: exact is tried again then, and only then: a span's reserve is 200 ms here, so any stall below must do no harm.
TRIES, STALL_S = 6, 0.15
FOLDER = Path("/run/gate")  # the machine's own, in memory
#: struct dahdi_dynamic_span: driver, address, channels, timing, span (user.h).
_DYNAMIC = Struct("=20s40s3i")
CREATE = abi.Request(3 << 30 | _DYNAMIC.size << 16 | 0xDA << 8 | 80, _DYNAMIC)
DESTROY = abi.Request(1 << 30 | _DYNAMIC.size << 16 | 0xDA << 8 | 81, _DYNAMIC)
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
signalling = "{signalling}"
{of_signalling}
channels = {channels}
dahdi = {{ span = {span}, timing = {timing}{more} }}
"""


def settings(
    name: str, more: str = "", channels: tuple[int, ...] = BEARERS, signalling: str = "pri", of_signalling: str = ""
) -> Path:
    """The settings file of one line process; ``more`` about its card, ``of_signalling`` about its signalling."""
    folder = FOLDER / name
    folder.mkdir(parents=True, exist_ok=True)
    box = name == "box"
    path = folder / "onecall.toml"
    path.write_text(SETTINGS.format(
        folder=folder, port=30000 + 4 * box, last=30003 + 4 * box, name=name, role="cpe" if box else "network",
        channels=list(channels), span=1 if box else 2, timing=int(box), more=more,
        signalling=signalling, of_signalling=of_signalling,
    ))  # fmt: skip
    return path


def tool(module: str, *arguments: object) -> tuple[int, str]:
    """Run one of ours as an installer does; its exit status and what it printed."""
    words = [sys.executable, "-m", f"hw.line.dahdi.{module}", *map(str, arguments)]
    done = subprocess.run(words, stdout=subprocess.PIPE, text=True, check=False)
    return done.returncode, done.stdout


def codes(name: str, more: str = "") -> set[str]:
    """The codes of what the check finds with these settings."""
    return codes_of(settings(name, more))


def codes_of(file: Path) -> set[str]:
    """The same with the settings of a file."""
    return {fact.code for fact in examine(load(file, "line", LineSettings))}


def dynamic(request: abi.Request, address: str) -> None:
    """Plug a span in, or pull it out."""
    with discovery.control() as ctl:
        abi.call(ctl, request, b"loc", address.encode(), 31, 0)


def plug_in() -> None:
    """Both spans, looped to each other."""
    for address in ("1:0", "1:1"):
        dynamic(CREATE, address)


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
    plug_in()
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
    for times in range(1, TRIES + 1):
        with bearers(numbers) as opened:
            bad, stall_s, lost, said = await both_ways([opened[:30], opened[30:]])
        if not bad:
            return f"{said}, {times}. time"
        assert stall_s > STALL_S or lost, f"{bad} of 60 wrong, the machine never stood still, nothing counted: {said}"
    raise AssertionError(f"the machine stood still {TRIES} times, at last for {stall_s:.2f} s: {said}")


async def both_ways(spans: list[list[BearerChannel]]) -> tuple[int, float, int, str]:
    """Three seconds of different octets on all channels of both spans: directions that were wrong, the longest stall,
    frames counted as lost.
    """
    sides = []
    for opened in spans:
        slots = DahdiTimeslots(BEARERS, reserve=10)
        slots.attach(opened, _raise)
        sides.append(slots)
    ticks = 150
    sent = [pattern(30, ticks), pattern(30, ticks)[:, ::-1].copy()]
    heard = [np.empty_like(each) for each in sent]
    clock = CardClock()
    tick, stall = 0, 0.0
    began = before = time.monotonic()
    while tick < ticks:
        await asyncio.sleep(0.001)
        stall, before = max(stall, time.monotonic() - before), time.monotonic()
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
    bad = sum(not result.good for result in results)
    octets = sum(result.compared for result in results)
    delay = max(result.delay_ms for result in results)
    said = f"60 directions, {octets} octets exact, delay at most {delay:.1f} ms, {ticks} ticks in {took:.2f} s"
    lost = sum(sum(each.values()) for each in counters)
    return bad, stall, lost, said if not bad else f"{bad} directions wrong, {counters}"


async def late_ticks_leave_no_delay() -> str:
    with discovery.control() as ctl:
        numbers = [channel.number for channel in discovery.channels(ctl) if channel.bearer]
    for _ in range(TRIES):
        with bearers([*numbers[:4], *numbers[30:34]]) as opened:
            before, after, slips = await delays(opened[:4], opened[4:])
        if after <= before + 3:
            return f"10 ticks came late and at once: {before} frames of delay before, {after} after, {slips} left out"
    raise AssertionError(f"{before} frames of delay before ten late ticks, {after} after")


async def delays(near: list[BearerChannel], far: list[BearerChannel]) -> tuple[int, int, int]:
    """Frames of delay between the ends before ten ticks were late, and some seconds later; frames left out.

    Each is the shortest of some, for the machine stands still at other times too.
    """
    ends = [DahdiTimeslots((1, 2, 3, 4)), DahdiTimeslots((1, 2, 3, 4))]
    for slots, opened in zip(ends, (near, far), strict=True):
        slots.attach(opened, _raise)
    frames = np.full((4, FRAME), 0xD5, np.uint8)
    heard, found = np.empty_like(frames), dict[int, int]()
    before, after = (40, 60, 80), (210, 230, 250, 270, 290)
    clock, tick = CardClock(), 0
    while tick < 330:
        await asyncio.sleep(0.2 if tick == 100 else 0.001)
        for _ in range(clock.due()):
            for slots, say in zip(ends, (7 if tick in before + after else 0xD5, 0xD5), strict=True):
                slots.read(heard)
                slots.write(np.full_like(frames, say))
            if heard[0, 0] == 7:  # the far end's, read last
                mark = max(mark for mark in before + after if mark <= tick)
                found.setdefault(mark, tick - mark)
            tick += 1
    clock.close()
    shortest = [min(found.get(mark, 99) for mark in marks) for marks in (before, after)]
    return shortest[0], shortest[1], ends[0].counters()["slips"]


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
        for _ in range(TRIES):
            good, said = tool("loop", "--config", settings("box", ", reserve = 10"), "--seconds", "1", "box")
            if good == 0:
                break
        for channel in far:
            channel.loop_back(False)
    results = [json.loads(line) for line in said.splitlines()]
    assert good == 0 and len(results) == 30, results[:2]
    return f"nothing without a loop; 30 channels exact with one, {results[0]['delay_ms']} ms there and back"
