"""The gate's calls between two line processes, whatever the signalling: audio, causes, alarms, a card that vanishes."""

from __future__ import annotations

import asyncio
import functools
import itertools
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path

from bare import CREATE, DESTROY, FOLDER, TRIES, codes_of, configure, dynamic
from lines import Line, noise, start, wrong

from hw.g711 import Samples
from hw.line.dahdi import discovery
from hw.line.dahdi.systemconf import first_channels, system_conf
from hw.line.settings import LineSettings
from hw.messages import Answer, Answered, Cleared, Dial, Hangup, Incoming, LineState
from hw.settings import load

Scenario = Callable[[], Awaitable[str]]
lines: dict[str, Line] = {}
#: Their settings' files.
files: dict[str, Path] = {}
#: They lose nothing while the machine stands still for less than this: what they send in advance, and some reserve.
patience_s = {"now": 0.0}
_LOST = (".slips", ".missing", ".dropped", ".underruns")
_numbers = itertools.cycle(f"{number}" for number in range(10, 100))


async def begin(patient_s: float, **settings: Path) -> float:
    """Start line processes with these settings; seconds until all their lines were up."""
    files.update(settings)
    patience_s["now"] = patient_s
    for name in settings:
        lines[name] = await start(files[name], name, FOLDER / name)
    began = time.monotonic()
    for name in settings:
        await lines[name].until(up=True)
    return time.monotonic() - began


async def line_processes_end_well() -> str:
    """End all line processes; what they counted."""
    stats, counted = lines["box"].stats, lines["box"].counted()
    assert stats is not None
    for line in lines.values():
        await line.close()
    lines.clear()
    return f"counters of the box: {counted}; CPU {stats.cpu_s} s, tick late p99 {stats.run_late_p99_ms} ms"


def patient(scenario: Scenario) -> Scenario:
    """The scenario, done anew with new line processes when it fails and the machine has stood still for too long, or
    frames were lost and counted for it: what is lost uncounted fails.
    """

    @functools.wraps(scenario)
    async def tried() -> str:
        for times in range(1, TRIES + 1):
            for line in lines.values():
                line.late_ms = 0.0
            lost_before = lost()
            try:
                async with asyncio.timeout(40):
                    return await scenario()
            except Exception as error:
                await asyncio.sleep(1.1)  # the figures of the last second
                stall_s = max((line.late_ms / 1000 for line in lines.values()), default=0.0)
                frames = lost() - lost_before
                if times == TRIES or (stall_s <= patience_s["now"] and frames <= 0):
                    raise
                said = f"a tick was {stall_s:.2f} s late, {frames} frames were lost and counted"
                print(f"{said}, once more: {error!r}", flush=True)
                await begin_anew()
        raise AssertionError("never tried")

    return tried


def lost() -> int:
    """Frames that the lines count as lost, all channels together."""
    return sum(count for line in lines.values() for name, count in line.counted().items() if name.endswith(_LOST))


async def begin_anew() -> None:
    """Other line processes with the settings that the last had, on both spans as they are to be."""
    for line in lines.values():
        with suppress(ProcessLookupError):
            line.process.kill()
        await line.process.wait()
    with suppress(OSError):  # it is there
        dynamic(CREATE, "1:1")
    for name in lines:
        configure(conf(name))
    await begin(patience_s["now"], **{name: files[name] for name in lines})


def conf(name: str) -> str:
    """The system.conf of one line process's settings."""
    return system_conf(load(files[name], "line", LineSettings).spans, first_channels())


def new_number() -> str:
    """A number that no call of the last time had. Two digits: where each takes its time on the line."""
    return next(_numbers)


async def talking() -> tuple[str, str]:
    """A call from the network to the box, answered; the legs at the network and at the box."""
    number, caller = new_number(), "86"
    far = f"n{number}"
    lines["net"].send(Dial(far, "net", number, caller))
    incoming = await lines["box"].next(Incoming, called=number)
    assert incoming.caller == caller, incoming
    lines["box"].send(Answer(incoming.leg))
    await lines["net"].next(Answered, leg=far)
    return far, incoming.leg


async def call_with_exact_audio() -> str:
    errors = await audio_errors()
    assert errors == (0, 0), f"{errors} of 24000 samples wrong"
    return "24000 samples each way, none wrong"


async def audio_errors() -> tuple[int, int]:
    """A call with noise each way: how many samples came wrong to the box, and to the network."""
    return await exchanged(*(await talking()))


async def exchanged(far: str, near: str, across: Callable[[Samples], Samples] = lambda said: said) -> tuple[int, int]:
    """Three seconds of noise each way on a call, which then ends: how many samples came wrong to the box, and to the
    network. ``across``: what is to be heard of what is said.
    """
    box, net = lines["box"], lines["net"]
    said = {"box": noise(1, 3.0), "net": noise(2, 3.0)}
    net.record(far)
    box.record(near)
    await asyncio.gather(net.play(far, said["net"]), box.play(near, said["box"]))
    await asyncio.sleep(1.0)  # what is under way
    net.send(Hangup(far, 16))
    assert (await box.next(Cleared, leg=near)).cause == 16
    await net.next(Cleared, leg=far)
    await asyncio.sleep(1.1)  # the figures of the last second
    return wrong(across(said["net"]), await box.recorded(near)), wrong(across(said["box"]), await net.recorded(far))


async def causes_both_ways() -> str:
    box, net = lines["box"], lines["net"]
    box.send(Dial("b1", "box", "17", "96"))
    incoming = await net.next(Incoming, called="17")
    net.send(Hangup(incoming.leg, 17))
    busy = (await box.next(Cleared, leg="b1")).cause
    net.send(Dial("refused", "net", "01"))
    box.send(Hangup((await box.next(Incoming, called="01")).leg, 1))
    unknown = (await net.next(Cleared, leg="refused")).cause
    assert (busy, unknown) == (17, 1), (busy, unknown)
    return "17 from the network, 1 from the box"


async def thirty_calls_at_once() -> str:
    said = await at_once(30, _one_too_many)
    return f"{said}, the 31st refused with 34"


async def _one_too_many() -> None:
    lines["net"].send(Dial("one too many", "net", "79"))
    assert (await lines["net"].next(Cleared, leg="one too many")).cause == 34


async def at_once(count: int, meanwhile: Callable[[], Awaitable[None]] | None = None) -> str:
    """So many calls begun together; ``meanwhile`` is done while all are up."""
    box, net = lines["box"], lines["net"]
    began = time.monotonic()
    legs = await asyncio.gather(*(talking() for _ in range(count)))
    took = time.monotonic() - began
    assert [channel.state for channel in (await full(box)).channels].count("busy") == count
    if meanwhile is not None:
        await meanwhile()
    for far, _ in legs:
        net.send(Hangup(far, 16))
    for far, near in legs:
        await net.next(Cleared, leg=far)
        await box.next(Cleared, leg=near)
    return f"up within {took:.1f} s"


async def full(line: Line) -> LineState:
    """The line's state once all changes are told."""
    await asyncio.sleep(0.5)
    assert line.state is not None
    return line.state


async def talk_and_end() -> None:
    """A call that the box ends."""
    far, near = await talking()
    lines["box"].send(Hangup(near, 16))
    await lines["box"].next(Cleared, leg=near)
    await lines["net"].next(Cleared, leg=far)


async def alarm_and_clear() -> str:
    box, net = lines["box"], lines["net"]
    _, near = await talking()
    net.process.kill()
    await net.process.wait()
    dynamic(DESTROY, "1:1")
    began = time.monotonic()
    state = await box.until(up=False, alarm="RED")
    red = time.monotonic() - began
    assert (await box.next(Cleared, leg=near)).cause == 27
    assert {channel.state for channel in state.channels} == {"alarm"}
    assert "span.alarm.red" in codes_of(files["box"])
    lines["net"] = net = await start(files["net"], "net", FOLDER / "net")
    await net.until(up=False, alarm="GONE")  # started without its card, it waits for it
    dynamic(CREATE, "1:1")
    configure(conf("net"))
    await box.until(up=True)
    await net.until(up=True)
    await asyncio.sleep(2.0)  # ticks that were late while the machine made the span are caught up: frames are lost then
    await talk_and_end()
    return f"RED after {red:.1f} s, the call cleared with 27; in service again after the repair"


async def card_vanishes_and_comes_back() -> str:
    box, net = lines["box"], lines["net"]
    _, near = await talking()
    with discovery.control() as ctl:
        name = discovery.span(ctl, 1).name
    device = next(path.parent for path in Path("/sys/devices").rglob("unassign_span") if name in _device(path.parent))
    (device / "unassign_span").write_text("1")
    began = time.monotonic()
    await box.until(up=False, alarm="GONE")
    gone = time.monotonic() - began
    assert (await box.next(Cleared, leg=near)).cause == 27
    assert "span.absent" in codes_of(files["box"])
    (device / "auto_assign").write_text("1")
    configure(conf("box"))
    await box.until(up=True)
    await net.until(up=True)
    await talk_and_end()
    return f"GONE after {gone:.2f} s, the call cleared with 27; opened again by itself"


def _device(folder: Path) -> str:
    return (folder / "hardware_id").read_text()
