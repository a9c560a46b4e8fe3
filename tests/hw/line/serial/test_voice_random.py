"""Whatever a modem, its line, its callers and the control process do in whatever order: no call is left behind."""

from __future__ import annotations

import asyncio
import contextlib
from random import Random

import pytest

from hw.line.serial import at, voice_line, voice_modem
from hw.line.trunk import NoChannel
from hw.messages import Cleared, Incoming
from hw.sim.exchange import Blocked, NumberSettings
from tests.hw.line.serial.conftest import ModemPair, OpenModem

NUMBERS = tuple(
    NumberSettings(f"1000{n}", answers, answer_ms=20) for n, answers in enumerate(("answer", "never", "busy", "reject"))
)  # type: ignore[arg-type]

#: What a modem says, where nobody expects it.
GARBAGE = (b"OK\r\n", b"\x10b", b"\x10\x03", b"RING\r\n", b"BUSY\r\n", b"NMBR = 1\r\n", b"CONNECT\r\n")


def act(p: ModemPair, random: Random, step: int) -> None:
    """One thing happens."""
    legs, subscribers = [leg.leg for leg in p.trunk.legs()], p.exchange.subscribers
    kinds = ("call", "answer", "dial", "hangup", "gone", "fault", "block", "restart", "garbage")
    match random.choices(kinds, (6, 6, 6, 3, 3, 2, 1, 1, 2))[0]:
        case "call":
            with contextlib.suppress(Blocked):
                p.exchange.call("95001", random.choice(["", "13800138000"]), restricted=random.random() < 0.1)
        case "answer" if legs and p.trunk.legs()[0].incoming:
            p.trunk.answer(legs[0])
        case "dial":
            with contextlib.suppress(NoChannel):
                p.trunk.dial(f"out{step}", random.choice([*(n.number for n in NUMBERS), "404"]), "", "")
        case "hangup" if legs:
            p.trunk.hangup(legs[0], random.choice([16, 17, 21]))
        case "gone" if subscribers:
            subscribers[0].hangup()
        case "block":
            p.trunk.block(1, random.random() < 0.3)
        case "restart" if random.random() < 0.3:
            p.trunk.restart(None)
        case "garbage":
            p.modem.garbage(random.choice([random.randbytes(40), *GARBAGE]))
        case "fault":
            fault(p, random)


def fault(p: ModemPair, random: Random) -> None:
    """Something breaks, or is repaired."""
    match random.choice(["unplug", "cut", "mend", "mend", "hang", "cycle", "cycle", "cycle"]):
        case "unplug":
            p.modem.unplug()
        case "cut":
            p.modem.cut()
        case "mend":
            p.modem.mend()
        case "hang":
            p.modem.hangs = True
        case "cycle":
            p.modem.power_cycle()


def check(p: ModemPair) -> None:
    """Every leg had one end, and nothing after it."""
    begun = {event.leg for event in p.history if isinstance(event, Incoming)}
    begun |= {event.leg for event in p.history if getattr(event, "leg", "").startswith("out")}
    ended = [event.leg for event in p.history if isinstance(event, Cleared)]
    assert sorted(ended) == sorted(begun)
    for place, event in enumerate(p.history):
        if isinstance(event, Cleared):
            assert not [e for e in p.history[place + 1 :] if getattr(e, "leg", "") == event.leg]


@pytest.mark.parametrize("seed", range(2))
def test_after_any_order_of_events_the_line_is_idle_and_every_leg_was_cleared_once(
    modem_pair: OpenModem, monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    for module, name in ((voice_line, "WATCH_S"), (voice_modem, "_END_S"), (voice_modem, "_ATTENTION_S")):
        monkeypatch.setattr(module, name, 0.1)
    monkeypatch.setattr(voice_modem, "_BEGIN_S", 0.2)
    monkeypatch.setattr(at, "TIMEOUT_S", 0.2)
    monkeypatch.setattr(at, "ATTENTION_S", 0.1)

    async def main() -> None:
        random = Random(seed)
        sim = {"duplex": seed % 2 == 0, "ring_ms": 50}
        async with modem_pair(sim=sim, numbers=NUMBERS, ring_gap_ms=1000) as p:
            for step in range(100):
                act(p, random, step)
                await asyncio.sleep(random.choice([0, 0, 0.002, 0.02, 0.06]))
            p.modem.power_cycle()
            p.modem.mend()
            p.trunk.block(1, False)
            while not p.all_idle():
                for leg in p.trunk.legs():
                    p.trunk.hangup(leg.leg, 16)
                for subscriber in p.exchange.subscribers:
                    subscriber.hangup()
                await asyncio.sleep(0.02)
            p.events.clear()
            caller = p.exchange.call("95001", "13800138000")  # and it works
            p.trunk.answer((await p.incoming()).leg)
            await caller.answered()
            caller.hangup()
            await p.until_idle()
            check(p)

    asyncio.run(main())
