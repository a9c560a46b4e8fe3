"""A simulated voice modem (ITU-T V.253, class 8) with its analog line, on a pseudo-terminal.

To the simulated exchange it is a line with one channel: subscribers call the box over it and are called. Who hangs up
leaves the line with busy tone until the box lets go of it, as real exchanges do. Faults are methods and attributes.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

import numpy as np
from attrs import Attribute, field, frozen, validators

from hw.g711 import alaw_decode
from hw.line.dsp import dtmf
from hw.line.trunk import FRAME, NoChannel
from hw.sim.at_interpreter import (
    LATER,
    NOT_ALLOWED,
    NOT_SUPPORTED,
    WRONG_PARAMETER,
    CmeError,
    Command,
    Handler,
    Interpreter,
)
from hw.sim.exchange_line import ExchangeLine
from hw.sim.modem_streams import Mode, Streams
from hw.sim.subscriber import Subscriber
from hw.sim.terminal import Terminal

_TICK_S = 0.02
_ROW = np.zeros(1, np.intp)
#: Busy tone is recognised after this, and again and again.
_BUSY_S = 0.3
_CLEARED, _BUSY, _OUT_OF_ORDER = 16, 17, 27
#: Commands that take a value and change nothing that could be seen.
_SETTINGS = (
    "+VSD", "+VGT", "+VGR", "+VIT", "+VNH", "+VRA", "+VRN", "+VCID", "+VDR", "+VTD", "+IFC", "+ICF", "+IPR", "+GCI",
    "Z", "&F", "&C", "&D", "&K", "V", "Q", "X", "L", "M", "S0", "+FLO", "+VTS", "+VPR",
)  # fmt: skip


def _known(_: Any, attribute: Attribute[tuple[str, ...]], value: tuple[str, ...]) -> None:
    for name in value:
        if name not in ("alaw", "ulaw", "unsigned", "signed", "adpcm"):
            raise ValueError(f"{attribute.name}: {name!r} must be alaw, ulaw, unsigned, signed or adpcm")


@frozen
class ModemSettings:
    """What the simulated modem can, and how its line rings."""

    #: Both ways at once (+VTR); whether it says so when it is asked with +VTR=?; whether streams work on hook too.
    duplex: bool = True
    tells_duplex: bool = True
    streams_on_hook: bool = True
    formats: tuple[str, ...] = field(default=("signed", "unsigned", "adpcm", "ulaw", "alaw"), validator=_known)
    #: Caller ID: behind the first ring, before it, or none.
    caller_id: Literal["fsk", "dtmf", "none"] = "fsk"
    #: From the beginning of a ring to that of the next: China's cadence is one second of five.
    ring_ms: int = field(default=5000, validator=validators.ge(50))
    #: How it is told that the far end has cleared: by busy tone, or by the loop's current.
    clears_by: Literal["tone", "loop"] = "tone"


class ModemLine(ExchangeLine):
    """``address`` is where its terminal's name begins: ``<address>.tty``. Faults:

    - ``unplug`` and ``plug``: the device is gone, and back; ``power_cycle``: it starts anew;
    - ``hangs``: it says nothing any more, and plays and hears nothing; ``garbage``: bytes that are no answer;
    - ``cut``: the line is cut: the call is lost, there is no dial tone; ``mend`` repairs it;
    - ``no_dial_tone``: the exchange does not take calls.
    """

    def __init__(self, address: str, settings: ModemSettings, incoming: Callable[[Subscriber], None]) -> None:
        super().__init__(address, (1,), incoming)
        self.settings = settings
        self.no_dial_tone = False
        self.off_hook = False
        self._terminal = Terminal(Path(f"{address}.tty"), self._on_data)
        self.interpreter = Interpreter(self._terminal.write)
        self.streams = Streams(settings.formats, self._terminal.write, self.interpreter.done)
        self.interpreter.handlers = self._handlers()
        self._cut = False
        self._class = 0
        self._dialling = False
        self._clock: asyncio.Task[None] | None = None
        self._sounding: asyncio.Task[None] | None = None
        self._keys = dtmf.Detector(1)
        self._heard = np.empty((1, FRAME), np.uint8)
        self._said = np.empty((1, FRAME), np.uint8)

    # -- life and faults -----------------------------------------------------------------------------------------------

    def start(self) -> None:
        """See ``ExchangeLine``."""
        self.plug()
        self._clock = asyncio.create_task(self._run(), name=f"modem {self.address}")

    async def close(self) -> None:
        """See ``ExchangeLine``."""
        self.unplug()
        if self._clock is not None:
            self._clock.cancel()
            await asyncio.gather(self._clock, return_exceptions=True)

    def plug(self) -> None:
        """The device appears, just switched on."""
        self.interpreter.reset()
        self.streams.stop()
        self._class, self.off_hook, self._dialling = 0, False, False
        self._terminal.plug()
        self._set_up(not self._cut)

    def unplug(self) -> None:
        """The device is gone, and the line on hook."""
        self._lose()
        self._terminal.unplug()
        self._set_up(False)

    def power_cycle(self) -> None:
        """Switched off and on: nothing hangs any more."""
        self.unplug()
        self.hangs = False
        self.plug()

    @property
    def hangs(self) -> bool:
        """See the class."""
        return self.interpreter.hangs

    @hangs.setter
    def hangs(self, hangs: bool) -> None:
        self.interpreter.hangs = self.streams.muted = hangs

    def garbage(self, data: bytes) -> None:
        """Bytes on the terminal that are no answer."""
        self._terminal.write(data)

    def cut(self) -> None:
        """Cut the line."""
        self._cut = True
        self._lose()
        if self.off_hook:
            self.streams.code("l")
        self._set_up(False)

    def mend(self) -> None:
        """Repair it."""
        self._cut = False
        self._set_up(self._terminal.plugged)

    def _lose(self) -> None:
        for subscriber in self.subscribers:
            self._gone(subscriber, _OUT_OF_ORDER, "fault")
        self._silence()

    # -- what subscribers do -------------------------------------------------------------------------------------------

    def any_idle(self) -> bool:
        """See ``ExchangeLine``."""
        return self.up and not self.off_hook and not self._subscribers and not self._dialling

    def offer(
        self, called: str, caller: str, name: str, *, channel: int | None, restricted: bool, complete: bool
    ) -> Subscriber:
        """Ring. Raises ``NoChannel``."""
        if not self.any_idle():
            raise NoChannel(f"{self.address}: busy or out of order")
        subscriber = Subscriber(self, None, called, caller, 0, True, asyncio.get_running_loop().time())
        self._add(subscriber, 1)
        subscriber.reached("alerting")
        self._sound(self._ring("P" if restricted else caller or "O", name))
        return subscriber

    def alert(self, subscriber: Subscriber) -> None:
        """See ``ExchangeLine``."""
        if self._dialling:
            self.streams.code("r")
        subscriber.reached("alerting")

    def answer(self, subscriber: Subscriber) -> None:
        """See ``ExchangeLine``."""
        if self._dialling and subscriber in self._subscribers:
            self._dialling = False
            self._connected(subscriber)
            self.interpreter.done()

    def dial(self, subscriber: Subscriber, digit: str) -> None:
        """Nothing: a number is sent as a whole."""

    def hangup(self, subscriber: Subscriber, cause: int) -> None:
        """See ``ExchangeLine``."""
        if subscriber not in self._subscribers:
            return
        subscriber.by, subscriber.cause = "us", cause
        self._gone(subscriber, cause)
        self._silence()
        if self._dialling:
            self._dial_ends("BUSY" if cause == _BUSY else "NO CARRIER")
        elif self.off_hook:
            self._sound(self._tell_cleared())

    def _gone(self, subscriber: Subscriber, cause: int, by: str = "") -> None:
        self._end(subscriber, cause, by)

    # -- the line ------------------------------------------------------------------------------------------------------

    def _sound(self, what: Any) -> None:
        self._silence()
        self._sounding = asyncio.create_task(what, name=f"modem {self.address} sounds")

    def _silence(self) -> None:
        if self._sounding is not None:
            self._sounding.cancel()
            self._sounding = None

    async def _ring(self, number: str, name: str) -> None:
        told = ["DATE = 1122", "TIME = 0845", f"NMBR = {number}", *([f"NAME = {name}"] if name else [])]
        if self.settings.caller_id == "dtmf":
            self.interpreter.say(*told[2:3])
        while True:
            self.interpreter.say("RING")
            if self.settings.caller_id == "fsk" and told:
                await asyncio.sleep(self.settings.ring_ms / 2000)
                self.interpreter.say(*told)
                told = []
                await asyncio.sleep(self.settings.ring_ms / 2000)
            else:
                await asyncio.sleep(self.settings.ring_ms / 1000)

    async def _tell_cleared(self) -> None:
        while True:
            await asyncio.sleep(_BUSY_S)
            self.streams.code("b" if self.settings.clears_by == "tone" else "l")

    async def _run(self) -> None:
        """20 ms of the line both ways, by the modem's own clock."""
        loop = asyncio.get_running_loop()
        due = loop.time()
        while True:
            self.streams.spoken(self._heard)
            for _ in self.bearers.tick(self._heard, self._said):
                if (there := self._there(1)) is not None:
                    there.notify()
            self.streams.heard(self._said)
            if self.off_hook:
                self._tell_keys()
            due = max(due + _TICK_S, loop.time() - 5 * _TICK_S)
            await asyncio.sleep(due - loop.time())

    def _tell_keys(self) -> None:
        """Keys of the caller are told between the samples (V.253, table 14), begin and end around them."""
        for _, (kind, key, _) in self._keys.tick(_ROW, alaw_decode(self._said)):
            for code in ("/", key) if kind == "down" else ("~",):
                self.streams.code(code)

    # -- commands ------------------------------------------------------------------------------------------------------

    def _on_data(self, data: bytes) -> None:
        if self.hangs:
            return
        if self._dialling:  # any octet breaks a call off (V.250 §5.6.1)
            for subscriber in self.subscribers:
                self._gone(subscriber, _CLEARED)
            self._dial_ends("NO CARRIER")
        elif self.streams.mode != "off":
            self.streams.feed(data)
        else:
            self.interpreter.feed(data)

    def _handlers(self) -> dict[str, Handler]:
        return dict.fromkeys(_SETTINGS, self._setting) | {
            "E": self._echo, "I": self._identify, "+GMI": self._identify, "+GMM": self._identify,
            "+FMI": self._identify, "+FMM": self._identify, "+FCLASS": self._fclass, "+VSM": self._vsm,
            "+VLS": self._vls, "+VTX": self._stream("transmit"), "+VRX": self._stream("receive"),
            "+VTR": self._stream("duplex"), "D": self._dial, "A": self._accept, "H": self._hook,
        }  # fmt: skip

    def _setting(self, _command: Command) -> list[str]:
        return []

    def _echo(self, command: Command) -> list[str]:
        self.interpreter.echo = command.text != "0"
        return []

    def _identify(self, command: Command) -> list[str]:
        return ["OneCall simulated modem" if command.name in ("+GMI", "+FMI") else "V.253 voice modem"]

    def _fclass(self, command: Command) -> list[str]:
        if command.kind == "set":
            if command.text not in ("0", "8"):
                raise CmeError(WRONG_PARAMETER)
            self._class = int(command.text)
            return []
        return ["0,8" if command.kind == "test" else str(self._class)]

    def _vsm(self, command: Command) -> list[str]:
        if command.kind == "test":
            return self.streams.methods
        if command.kind == "set":
            method, _, rest = command.text.partition(",")
            right = method.isdecimal() and rest.partition(",")[0] in ("", "8000")
            if not right or not self.streams.choose(int(method)):
                raise CmeError(WRONG_PARAMETER)
        return []

    def _vls(self, command: Command) -> list[str]:
        if command.kind == "test":
            return ['0,"",B0000000,B0000000,B0000000', '1,"T",0B01800000,0B01C00000,0B00000000']
        if command.text not in ("0", "1"):
            raise CmeError(WRONG_PARAMETER)
        if command.text == "0":
            self._hang_up()
        else:
            self._pick_up()
        return []

    def _hook(self, _command: Command) -> list[str]:
        self._hang_up()
        return []

    def _accept(self, _command: Command) -> list[str]:
        if not self._subscribers:
            raise CmeError(NOT_ALLOWED)
        self._pick_up()
        return []

    def _pick_up(self) -> None:
        if self.off_hook:
            return
        self.off_hook = True
        self._silence()
        there = self._there(1)
        if there is not None and there.calls:
            self._connected(there)
        elif there is None and self.up:  # nobody rings (any more): the exchange wants a number
            self.streams.code("d")

    def _hang_up(self) -> None:
        self.off_hook = False
        there = self._there(1)
        if there is not None and there.phase != "alerting":
            self._gone(there, _CLEARED)
        if there is None or there.phase == "cleared":
            self._silence()

    def _stream(self, mode: Mode) -> Handler:
        def begin(command: Command) -> list[str] | None:
            known = mode != "duplex" or self.settings.duplex
            if not known or (command.kind == "test" and mode == "duplex" and not self.settings.tells_duplex):
                raise CmeError(NOT_SUPPORTED)
            if command.kind == "test":
                return []
            if self._class != 8 or not (self.off_hook or self.settings.streams_on_hook):
                raise CmeError(NOT_ALLOWED)
            self.interpreter.say("CONNECT")
            self.streams.begin(mode)
            return LATER

        return begin

    def _dial(self, command: Command) -> list[str] | None:
        number = command.text.upper().lstrip("TP").replace(" ", "")
        if not number or set(number) - set("0123456789*#ABCD,"):
            raise CmeError(WRONG_PARAMETER)
        if self._cut or self.no_dial_tone or self._subscribers:
            asyncio.get_running_loop().call_soon(self._dial_ends, "NO DIALTONE")
            return LATER
        self.off_hook, self._dialling = True, True
        subscriber = Subscriber(self, None, number.replace(",", ""), "", 0, False, asyncio.get_running_loop().time())
        self._add(subscriber, 1)
        subscriber.reached("proceeding")
        asyncio.get_running_loop().call_soon(self._incoming, subscriber)
        return LATER

    def _dial_ends(self, result: str) -> None:
        self._dialling, self.off_hook, self.interpreter.busy = False, False, False
        self.interpreter.say(result)
