"""The gate's scenarios on MFC-R2: both spans have signalling bits; our line processes, then openr2 as the far end."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from pathlib import Path

import calls
from bare import BEARERS, codes_of, configure, settings
from calls import files, lines, talk_and_end

from hw.line.dahdi import discovery
from hw.line.dahdi.channel import CasChannel
from hw.messages import Answer, Answered, Block, Cleared, Dial, Hangup, Incoming
from tests.judges import openr2

#: Frames that are sent in advance, and the stall that they bear. Each signal waits for the other side's, so all four
#: ways of one digit are longer by this.
_RESERVE, _PATIENT_S = 4, 0.05
#: The channel on which openr2 is the far end, and DAHDI's number of its end of it.
_ALONE, _ALONE_FAR = 4, 31 + 4


def r2(name: str, more: str = "", channels: tuple[int, ...] = BEARERS) -> Path:
    """The settings file of one line process with R2; ``more`` about R2."""
    return settings(name, f", reserve = {_RESERVE}", channels, "r2", f"r2 = {{ called_digits = 2{more} }}")


async def signalling_bits_from_our_settings() -> str:
    files.update(box=r2("box"), net=r2("net"))
    before = codes_of(files["box"])
    assert before & {"span.bearers", "span.unconfigured"}, before  # as it was for ISDN PRI, or not at all
    configure(calls.conf("box").replace(":1111", ":1101"))
    wrong = codes_of(files["box"])
    assert "span.idlebits" in wrong, wrong
    configure(calls.conf("box"))
    configure(calls.conf("net"))
    after = codes_of(files["box"])
    assert after == {"module.loaded", "span.ok", "span.unused"}, after
    assert "span.bearers" in codes_of(settings("box"))
    files["box"] = r2("box")
    with closing(CasChannel(discovery.DEVICES, 1)) as near, closing(CasChannel(discovery.DEVICES, 32)) as far:
        near.send_bits(0b1011)
        far.send_bits(0b0110)
        await asyncio.sleep(0.1)
        seen = near.bits(), far.bits()
        near.close()
        await asyncio.sleep(0.1)
        closed = far.bits()
        near.fd = os.open("/dev/null", os.O_RDONLY)
    assert (seen, closed) == ((0b0110, 0b1011), 0b1111), (seen, closed)
    return "dahdi_cfg took both files; bits cross over; a channel that nobody serves shows blocked"


async def r2_lines_come_up() -> str:
    took = await calls.begin(_PATIENT_S, net=r2("net"), box=r2("box"))
    return f"bits of all channels known after {took:.1f} s"


async def r2_blocking_is_shown() -> str:
    box, net = lines["box"], lines["net"]
    box.send(Block("box", 1, True))
    while net.channel(1) != "blocked":
        await asyncio.sleep(0.02)
    net.send(Dial("passed over", "net", "60"))
    incoming = await box.next(Incoming, called="60")
    assert incoming.channel == 2, f"the call came on channel {incoming.channel}"
    box.send(Hangup(incoming.leg, 17))
    assert (await net.next(Cleared, leg="passed over")).cause == 17
    box.send(Block("box", None, True))
    while any(channel.state != "blocked" for channel in (await calls.full(net)).channels):
        await asyncio.sleep(0.02)
    net.send(Dial("blocked", "net", "60"))
    refused = (await net.next(Cleared, leg="blocked")).cause
    box.send(Block("box", None, False))
    while net.channel(1) != "idle":
        await asyncio.sleep(0.02)
    await talk_and_end()
    return f"the far end passes a blocked channel over and refuses with {refused} when all are"


@asynccontextmanager
async def peer(*arguments: str) -> AsyncIterator[asyncio.subprocess.Process]:
    """openr2 on the far end of that channel."""
    program = Path(os.environ["OPENR2_PEER"])
    judge = await openr2.start(program, str(discovery.DEVICES), str(_ALONE_FAR), *arguments)
    try:
        yield judge
    finally:
        if judge.returncode is None:  # it did not come to its end: what it told is the trace of why
            judge.kill()
            output, _ = await judge.communicate()
            print(f"openr2: {output.decode().splitlines()}", flush=True)


async def openr2_takes_our_call() -> str:
    for line in lines.values():
        await line.close()
    lines.clear()
    async with peer("answer", "24", "2") as judge:
        await asyncio.sleep(1.0)  # it takes no call but from an end that it has seen become idle
        await calls.begin(_PATIENT_S, box=r2("box", ", caller_wanted = false", (_ALONE,)))
        box = lines["box"]
        while box.channel(_ALONE) != "idle":
            await asyncio.sleep(0.02)
        await asyncio.sleep(1.0)  # it overlooks a seizure in the moment in which it shows idle
        began = time.monotonic()
        box.send(Dial("b1", "box", "38", "95"))
        await box.next(Answered, leg="b1")
        took = time.monotonic() - began
        box.send(Hangup("b1", 16))
        await box.next(Cleared, leg="b1")
        said = await openr2.told(judge)
    assert "offered 38 95 0" in said and said[-1] == "end", said
    return f"both numbers, answered after {took:.1f} s"


async def openr2_calls_us() -> str:
    box = lines["box"]
    async with peer("call", "38", "95") as judge:
        # Behind KA it takes A-1 for "next called digit", its own defect: the caller's number is not asked for.
        incoming = await box.next(Incoming)
        assert incoming.called == "95", incoming
        box.send(Answer(incoming.leg))
        cause = (await box.next(Cleared, leg=incoming.leg)).cause
        said = await openr2.told(judge)
    assert (cause, said[-3:]) == (16, ["accepted", "answered", "end"]), (cause, said)
    while box.channel(_ALONE) != "blocked":  # it has gone: the kernel shows what is configured
        await asyncio.sleep(0.02)
    return "accepted, answered, cleared by it; blocked when it had gone"


async def eight_calls_at_once() -> str:
    return await calls.at_once(8)


SCENARIOS = [
    signalling_bits_from_our_settings, r2_lines_come_up,
    *map(calls.patient, (
        calls.call_with_exact_audio, calls.causes_both_ways, eight_calls_at_once, r2_blocking_is_shown,
        calls.alarm_and_clear, calls.card_vanishes_and_comes_back, openr2_takes_our_call, openr2_calls_us,
    )),
    calls.line_processes_end_well,
]  # fmt: skip
