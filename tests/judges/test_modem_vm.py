"""vm, an independent client of voice modems, works with the simulated one: what our driver is tested on is one."""

from __future__ import annotations

import asyncio
from pathlib import Path

import numpy as np
import pytest

from hw.g711 import alaw_decode, alaw_encode
from hw.sim.exchange import Exchange, ExchangeSettings, ExchangeSpanSettings
from hw.sim.modem import ModemLine
from hw.sim.pattern import Ears, voice

CALLER = 4321
#: vm's number for V.253's A-law, and the header of its files: modem, method, rate and bits.
ALAW = "11"
HEADER = b"RMD1" + b"V253modem".ljust(16, b"\0") + bytes.fromhex("000b 1f40 08").ljust(12, b"\0")


async def vm(modem: Path, *arguments: str) -> str:
    """What vm says when it works on the line (-t)."""
    device = str(modem.resolve()).removeprefix("/dev/")
    action, *rest = arguments
    process = await asyncio.create_subprocess_exec(
        "vm", action, "-t", "-c", ALAW, "-l", device, *rest, stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )  # fmt: skip
    return (await process.communicate())[0].decode()


def codes(octets: bytes) -> dict[int, int]:
    """The voices in A-law octets."""
    ears = Ears(1)
    for frame in np.frombuffer(octets[: len(octets) // 160 * 160], np.uint8).reshape(-1, 1, 160):
        ears.feed(alaw_decode(frame))
    return dict(ears.codes[0])


async def records(exchange: Exchange, folder: Path) -> None:
    """vm answers a caller and records him."""
    caller = exchange.call("95001", "13800138000", span=0)
    recording = asyncio.create_task(vm(folder / "m0.tty", "record", "-L", "2", str(folder / "record.rmd")))
    await caller.answered()
    caller.say(CALLER)
    await recording
    assert await caller.cleared() == 16
    recorded = (folder / "record.rmd").read_bytes()
    assert recorded[: len(HEADER)] == HEADER
    assert codes(recorded[len(HEADER) :])[CALLER] >= 1


async def plays(exchange: Exchange, folder: Path) -> None:
    """vm plays every octet that there is, DLE among them."""
    octets = bytes(range(256)) * 20 + b"\x10\x10\x10"
    (folder / "play.rmd").write_bytes(HEADER + octets)
    await vm(folder / "m1.tty", "play", str(folder / "play.rmd"))
    modem = exchange.spans[1]
    assert isinstance(modem, ModemLine) and modem.streams.taken == octets


async def does_both(exchange: Exchange, folder: Path) -> None:
    """vm plays to a caller and records him at once."""
    speech = alaw_encode(np.tile(voice(CALLER + 1), 3)).tobytes()
    (folder / "said.raw").write_bytes(speech)  # here vm wants no header
    caller = exchange.call("95001", "13800138000", span=2)
    talking = asyncio.create_task(vm(folder / "m2.tty", "duplex", str(folder / "said.raw"), str(folder / "both.rmd")))
    await caller.answered()
    caller.say(CALLER)
    await caller.hears(CALLER + 1)
    await talking
    assert codes((folder / "both.rmd").read_bytes()[len(HEADER) :])[CALLER] >= 1
    modem = exchange.spans[2]
    assert isinstance(modem, ModemLine) and modem.streams.taken == speech


@pytest.mark.judge("vm")
@pytest.mark.requirement("A1.14")
def test_vm_detects_the_modem_answers_records_plays_and_does_both_at_once(tmp_path: Path) -> None:
    async def main() -> None:
        spans = tuple(ExchangeSpanSettings(str(tmp_path / f"m{n}"), signalling="voicemodem") for n in range(3))
        exchange = Exchange(ExchangeSettings(spans))
        async with asyncio.timeout(40):
            await exchange.start()
            try:  # side by side: vm takes seven seconds for anything
                await asyncio.gather(*(does(exchange, tmp_path) for does in (records, plays, does_both)))
            finally:
                await exchange.close()

    asyncio.run(main())
