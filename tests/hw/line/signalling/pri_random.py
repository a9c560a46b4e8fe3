"""Whatever an exchange does on a D channel, a primary rate line ends with every channel idle, or blocked with a reason.

Our trunk and libpri against another libpri, which calls, answers, clears and restarts by chance; on the way between
them messages are altered, and others put in that no exchange should send.

``python -m tests.hw.line.signalling.pri_random [EVENTS] [SEED]`` throws as many events as one likes.
"""

from __future__ import annotations

import asyncio
import logging
import sys
import time
from collections import Counter
from collections.abc import Callable
from random import Random
from unittest import mock

from hw.line.settings import SpanSettings
from hw.line.signalling import libpri, q931, restarts
from hw.line.signalling.libpri import DChannel
from hw.line.signalling.pri import PriTrunk
from hw.line.trunk import NoChannel
from hw.messages import Alerting, Answered, Cleared, Digit, Fault, Incoming, LineEvent, LineState, Proceeding, Progress
from tests.hw.line.signalling.pri_wire import Wire, WireSpan

_CAUSES = (1, 6, 16, 17, 18, 21, 27, 28, 34, 41, 44, 82, 88, 102, 127)
#: libpri's timers in ms, so that who waits for an answer does not wait long; and ours.
_TIMERS = {"T200": 30, "T303": 60, "T305": 60, "T308": 60, "T309": 200, "T313": 60}
_T316_S, _OVERLAP_MS = 0.1, 15
_MESSAGES = (
    0x01, 0x02, 0x03, 0x05, 0x07, 0x0D, 0x0F, 0x20, 0x24, 0x26, 0x28, 0x2D, 0x2E, 0x30, 0x37, 0x45, 0x46, 0x4D, 0x4E,
    0x5A, 0x62, 0x6E, 0x75, 0x79, 0x7B, 0x7D,
)  # fmt: skip
#: Q.931 §4.5: bearer capability, cause, call state, channel identification, progress, display, keypad, calling and
#: called number, sending complete, restart indicator; what is right in them is by chance.
_ELEMENTS = (0x04, 0x08, 0x14, 0x18, 0x18, 0x18, 0x1E, 0x28, 0x2C, 0x6C, 0x70, 0x79, 0x7C, 0x7E, 0x96, 0xA1)


class Rules:
    """What must be true of the events that a trunk tells: each leg once, in order, alone on its channel."""

    def __init__(self) -> None:
        self.state: LineState | None = None
        self.told: Counter[str] = Counter()
        self.causes: Counter[int] = Counter()
        #: The channels that were blocked because a restart failed.
        self.faults: list[str] = []
        self._channels: dict[str, int] = {}
        self._answered: set[str] = set()
        self._over: set[str] = set()

    def dialled(self, leg: str, channel: int) -> None:
        self._has(leg, channel)

    def take(self, event: LineEvent) -> None:
        self.told[type(event).__name__] += 1
        match event:
            case LineState():
                self.state = event
            case Incoming(leg, channel=channel):
                assert leg not in self._channels and leg not in self._over, event
                self._has(leg, channel)
            case Proceeding(leg, channel):
                assert leg in self._channels, event
                self._has(leg, channel)
            case Answered(leg):
                assert leg in self._channels and leg not in self._answered, event
                self._answered.add(leg)
            case Alerting(leg) | Progress(leg) | Digit(leg):
                assert leg in self._channels, event
            case Cleared(leg, cause):
                assert cause in range(1, 128), event
                del self._channels[leg]
                self._over.add(leg)
                self.causes[cause] += 1
            case Fault(reason=reason):
                self.faults.append(reason)

    def at_end(self, blocked: set[int]) -> None:
        """Every leg is over, every channel idle or blocked by somebody."""
        assert self._channels == {}, self._channels
        assert self.state is not None and self.state.up, self.state
        for channel in self.state.channels:
            allowed = channel.state == "idle" or (
                channel.state == "blocked"
                and (channel.channel in blocked or any(f"channel {channel.channel}:" in why for why in self.faults))
            )
            assert allowed and not channel.leg, channel

    def _has(self, leg: str, channel: int) -> None:
        self._channels[leg] = channel
        assert len(set(self._channels.values())) == len(self._channels), (leg, channel, self._channels)


class Storm:
    """One trunk under fire: ``step`` does something by chance, ``settle`` lets all become quiet."""

    def __init__(self, random: Random) -> None:
        self.random = random
        self.channels = random.choice(((1, 2, 3), (1, 2, 3, 4, 5, 6, 7), (*range(1, 16), *range(17, 32))))
        self.rules = Rules()
        self.blocked: set[int] = set()
        self.wire = Wire(random)
        self.wire.span = WireSpan(self.wire, self.channels)
        self.wire.tamper = self._tamper
        role = random.choice(("cpe", "cpe", "network"))
        overlap = random.choice((0, _OVERLAP_MS))
        settings = SpanSettings("e1", "sim", address="-", channels=self.channels, role=role, overlap_ms=overlap)
        self.trunk = PriTrunk(settings, self.wire.span)
        far = "cpe" if role == "network" else "network"
        self.far = DChannel(far, transmit=self.wire.from_far, event=self._on_far)
        self.wire.far = self.far.receive
        self.calls: list[q931.Call] = []
        self._dialled = 0
        for engine in (self.trunk._d, self.far):
            for name, ms in _TIMERS.items():
                engine.set_timer(name, ms)

    async def start(self) -> None:
        await self.trunk.start(self.rules.take)
        await self._mend()
        await self._until(lambda: self.rules.state is not None and self.rules.state.up)
        self.wire.faulty = True

    async def step(self) -> None:
        """Something happens; in half of all cases its frames arrive before the next thing does."""
        random = self.random
        match random.choices("fupkc", (40, 40, 15, 4, 0.05))[0]:
            case "f":
                self._far_acts()
            case "u":
                self._we_act()
            case "p":
                self._put_in()
            case "k":
                await asyncio.sleep(0.0005)
            case "c":
                self._cut()
                await asyncio.sleep(0)
                await self._mend()
        if random.random() < 0.5:
            await asyncio.sleep(0)

    async def settle(self) -> None:
        """No faults any more, both sides hang up, and all timers run out."""
        self.wire.faulty = False
        if not self.wire.whole:
            await self._mend()

        def quiet() -> bool:
            for leg in self.trunk.legs():
                self.trunk.hangup(leg.leg, 16)
            for call in list(self.calls):
                self.far.hangup(call, 16)
            state = self.trunk.state()
            mine = self.blocked | {c for c in self.channels if any(f"channel {c}:" in f for f in self.rules.faults)}
            rest = all(c.state == "idle" or c.channel in mine for c in state.channels)
            return state.up and rest and not self.trunk.legs() and not self.calls

        await self._until(quiet)
        self.trunk._tell()
        self.rules.at_end(self.blocked)
        assert not self.trunk._d._calls, "libpri's calls are gone with ours"
        await self.trunk.close()
        self.far.stop()

    async def _until(self, condition: Callable[[], bool]) -> None:
        """Until it holds; the exchange is patient for 10 s."""
        ends = time.monotonic() + 10
        while not condition():
            assert time.monotonic() < ends, (self.trunk.state(), self.trunk.legs(), self.calls)
            await asyncio.sleep(0.002)

    # -- the cable -----------------------------------------------------------------------------------------------------

    def _cut(self) -> None:
        self.wire.cut()
        self.far.stop()
        self.calls.clear()

    async def _mend(self) -> None:
        self.wire.mend()
        self.far.start()
        await asyncio.sleep(0)

    # -- the exchange --------------------------------------------------------------------------------------------------

    def _on_far(self, event: q931.Event) -> None:
        match event:
            case q931.Ring(call):
                self.calls.append(call)
            case q931.Gone(call) if call in self.calls:
                self.calls.remove(call)

    def _channel(self) -> int:
        """Mostly one of the line's, and sometimes none or a wrong one."""
        return self.random.choice((*self.channels, *self.channels, 0, 16, 31, 255))

    def _digits(self) -> str:
        return "".join(self.random.choices("0123456789*#", k=self.random.randrange(0, 12)))

    def _far_acts(self) -> None:
        random, far = self.random, self.far
        if not self.calls or random.random() < 0.2:
            self.calls.append(far.setup(
                self._digits(), self._digits(), random.choice(("", "Ada", "李雷")), channel=self._channel(),
                exclusive=random.random() < 0.5, complete=random.random() < 0.5,
            ))  # fmt: skip
            return
        call = random.choice(self.calls)
        match random.choice("pprrccghhhsi" + "x" * (random.random() < 0.05)):
            case "p":
                far.proceeding(call, self._channel())
            case "r":
                far.alerting(call, self._channel())
            case "c":
                far.connect(call, self._channel())
            case "g":
                far.progress(call, self._channel())
            case "h":
                far.hangup(call, random.choice(_CAUSES))
            case "s":
                far.setup_ack(call, self._channel())
            case "i":
                far.information(call, random.choice("0123456789*#"))
            case "x":
                far.restart(self._channel())

    def _tamper(self, message: bytes) -> bytes:
        """One message in forty comes otherwise than it went."""
        random = self.random
        match random.randrange(160):
            case 0:
                return self._message()
            case 1:
                return message[: random.randrange(1, len(message) + 1)]
            case 2:
                return message + random.randbytes(random.randrange(1, 60))
            case 3:
                at = random.randrange(len(message))
                return message[:at] + random.randbytes(1) + message[at + 1 :]
        return message

    def _put_in(self) -> None:
        if self.trunk.state().up:
            self.wire.put_in(self._message())

    def _message(self) -> bytes:
        """A message of Q.931, or nearly."""
        random = self.random
        if random.random() < 0.05:
            return random.randbytes(random.randrange(1, 40))
        reference = random.choice((*self.wire.references, bytes((random.choice((0, 0x80)), random.randrange(40)))))
        if random.random() < 0.3:
            reference = bytes((reference[0] ^ 0x80, reference[1]))
        kind = random.choice(_MESSAGES) if random.random() < 0.97 else random.randrange(256)
        elements = b"".join(self._element() for _ in range(random.randrange(5)))
        return b"\x08\x02" + reference + bytes((kind,)) + elements

    def _element(self) -> bytes:
        random = self.random
        kind = random.choice(_ELEMENTS)
        if kind >= 0x80:
            return bytes((kind,))
        right = {
            0x04: b"\x80\x90\xa3", 0x08: bytes((0x80, 0x80 | random.choice(_CAUSES))),
            0x14: bytes((random.randrange(26),)), 0x18: b"\xa9\x83" + bytes((0x80 | self._channel() & 0x7F,)),
            0x1E: b"\x82\x88", 0x6C: b"\x21\x80139", 0x70: b"\x80" + self._digits().encode(),
            0x79: bytes((random.choice((0x80, 0x86, 0x87)),)),
        }  # fmt: skip
        content = right.get(kind, b"")
        if not content or random.random() < 0.15:
            content = random.randbytes(random.randrange(0, 12))
        size = len(content) if random.random() < 0.97 else random.randrange(256)
        return bytes((kind, size)) + content

    # -- the control process -------------------------------------------------------------------------------------------

    def _we_act(self) -> None:
        random, trunk = self.random, self.trunk
        legs = trunk.legs()
        try:
            if not legs or random.random() < 0.2:
                self._dialled += 1
                leg = f"out-{self._dialled}"
                self.rules.dialled(leg, trunk.dial(leg, self._digits(), self._digits(), "OneCall"))
                return
            leg = random.choice(legs).leg
            match random.choice("aaagpphhhh" + "br" * (random.random() < 0.02)):
                case "a":
                    trunk.answer(leg)
                case "g":
                    trunk.alert(leg)
                case "p":
                    random.choice((trunk.progress, trunk.proceed))(leg)
                case "h":
                    trunk.hangup(leg, random.choice(_CAUSES))
                case "b":
                    self._block()
                case "r":
                    trunk.restart(random.choice((None, *self.channels)))
        except (NoChannel, ValueError):
            self.rules.told["refused"] += 1

    def _block(self) -> None:
        channel, on = self.random.choice(self.channels), self.random.random() < 0.3
        self.trunk.block(channel, on)
        (self.blocked.add if on else self.blocked.discard)(channel)


def run(events: int, seed: int = 1) -> tuple[Counter[str], Counter[int]]:
    """So many events, on trunk after trunk; returns what was told how often, and the causes of the ends."""

    async def main() -> tuple[Counter[str], Counter[int]]:
        errors: list[object] = []
        asyncio.get_running_loop().set_exception_handler(lambda _loop, about: errors.append(about.get("exception")))
        random = Random(seed)
        told: Counter[str] = Counter()
        causes: Counter[int] = Counter()
        left = events
        while left > 0:
            storm = Storm(random)
            await storm.start()
            for _ in range(2500):
                await storm.step()
                if errors:
                    raise errors[0]
            left -= 2500
            assert not errors, errors[0]
            await storm.settle()
            assert not errors, errors[0]
            told += storm.rules.told
            causes += storm.rules.causes
        return told, causes

    logging.disable(logging.WARNING)  # of each bad message libpri says so
    try:
        with (
            mock.patch.object(restarts, "T316_S", _T316_S),
            mock.patch.object(libpri, "_LOOK_S", 0.02),
            mock.patch.object(libpri, "_SPARE_MS", 20),
        ):
            return asyncio.run(main())
    finally:
        logging.disable(logging.NOTSET)


if __name__ == "__main__":
    given = [int(argument) for argument in sys.argv[1:]]
    counted, ends = run(*(given + [1_000_000, 1][len(given) :]))
    sys.stdout.write(f"{dict(counted)}, causes {sorted(ends)}\n")
