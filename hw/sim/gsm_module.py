"""A simulated GSM/4G module: strict AT on one pseudo-terminal (3GPP TS 27.007, 27.005), PCM on another.

To the simulated exchange it is a line with one channel: subscribers call the box over it and are called. A second call
is a waiting call; it is on no channel until the first is gone. Faults are methods and public attributes; see
``GsmModule``, and ``hw.sim.gsm_messages`` for those of short messages.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
from attrs import define

from hw.g711 import alaw_decode, alaw_encode
from hw.line.serial.jitter import JitterBuffer
from hw.line.trunk import FRAME, NoChannel
from hw.sim.at_interpreter import (
    NO_NETWORK,
    NOT_ALLOWED,
    NOT_SUPPORTED,
    WRONG_PARAMETER,
    CmeError,
    Command,
    Handler,
    Interpreter,
)
from hw.sim.exchange_line import ExchangeLine
from hw.sim.gsm_messages import Messages
from hw.sim.gsm_radio import GsmSettings, Radio, kind
from hw.sim.subscriber import Subscriber
from hw.sim.terminal import Terminal

_PCM_BYTES = 2 * FRAME
_TICK_S = 0.02
_RING_S = 3.0
#: States of a call (27.007 §7.18): +CLCC.
_ACTIVE, _DIALLING, _ALERTING, _INCOMING, _WAITING = 0, 2, 3, 4, 5
#: How the network's causes (3GPP TS 24.008 §10.5.4.11, Q.850) end a call of ours.
_RESULTS = {17: "BUSY", 18: "NO ANSWER", 19: "NO ANSWER"}
_OUT_OF_ORDER = 27
#: A voice call (27.007 §6.2): number, and CLIR for it: ``I`` the number is not shown, ``i`` it is.
_DIALLED = re.compile(r"(\+?[0-9*#]+)([Ii]?);")


@define(eq=False)
class _Call:
    """A call as +CLCC shows it."""

    number: int
    state: int
    subscriber: Subscriber


class GsmModule(ExchangeLine):
    """``address`` is where its terminals' names begin: ``<address>.at`` and ``<address>.pcm``. Faults:

    - ``unplug`` and ``plug``: the device is gone, and back; ``power_cycle``: it starts anew;
    - ``interpreter.hangs``: it answers nothing; ``garbage``: bytes that are no answer;
    - ``radio``: see ``hw.sim.gsm_radio.Radio``;
    - ``messages``: see ``hw.sim.gsm_messages.Messages``.
    """

    def __init__(self, address: str, settings: GsmSettings, incoming: Callable[[Subscriber], None]) -> None:
        super().__init__(address, (1,), incoming)
        self.settings = settings
        #: Keys that the box has pressed, on all calls.
        self.digits = ""
        self._at = Terminal(Path(f"{address}.at"), lambda data: self.interpreter.feed(data))
        self._pcm = Terminal(Path(f"{address}.pcm"), lambda data: self._spoken.put(data))
        self.interpreter = Interpreter(self._at.write)
        self.radio = Radio(settings, self.interpreter.say, self._see)
        self.messages = Messages(self.interpreter, settings.storage, reachable=lambda: self.up)
        self.interpreter.handlers = self._handlers()
        self._spoken = JitterBuffer(_PCM_BYTES)
        self._calls: list[_Call] = []
        self._cause = 0
        self._clip = False
        self._audio_on = False
        self._tasks: set[asyncio.Task[None]] = set()
        self._ringing: asyncio.Task[None] | None = None
        self._heard = np.empty((1, FRAME), np.uint8)
        self._said = np.empty((1, FRAME), np.uint8)

    # -- life and faults -----------------------------------------------------------------------------------------------

    def start(self) -> None:
        """See ``ExchangeLine``."""
        self.plug()
        task = asyncio.create_task(self._run_audio(), name=f"module {self.address}")
        self._tasks.add(task)

    async def close(self) -> None:
        """See ``ExchangeLine``."""
        self.unplug()
        self.messages.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def plug(self) -> None:
        """The device appears, just switched on."""
        self._reset()
        self._at.plug()
        self._pcm.plug()
        self._see()

    def unplug(self) -> None:
        """The device is gone; calls are lost."""
        self._at.unplug()
        self._pcm.unplug()
        self._see()

    def power_cycle(self) -> None:
        """Switched off and on: calls are lost, the PIN is wanted again, nothing hangs any more."""
        self.unplug()
        self.interpreter.hangs = False
        self.plug()

    def garbage(self, data: bytes) -> None:
        """Bytes on the terminal that are no answer."""
        self._at.write(data)

    def _see(self) -> None:
        """Registration may have changed: calls without network are lost, messages that waited for it come."""
        registered = self._at.plugged and self.radio.registered
        if not registered:
            self._lose_calls()
        elif not self.up:
            asyncio.get_running_loop().call_soon(self.messages.go_on)
        self._set_up(registered)

    def _reset(self) -> None:
        self.interpreter.reset()
        self.messages.reset()
        self.radio.reset()
        self._clip, self._audio_on = False, False
        self._spoken.clear()

    def _lose_calls(self) -> None:
        for call in list(self._calls):
            self._gone(call, _OUT_OF_ORDER, "fault")

    # -- what subscribers do -------------------------------------------------------------------------------------------

    def any_idle(self) -> bool:
        """See ``ExchangeLine``."""
        return self.up and not self._calls

    def offer(
        self, called: str, caller: str, name: str, *, channel: int | None, restricted: bool, complete: bool
    ) -> Subscriber:
        """Call the module; with ``channel`` while it is busy the call waits. Raises ``NoChannel``."""
        if not self.up or (self._calls and channel is None):
            raise NoChannel(f"{self.address}: busy or not registered")
        subscriber = Subscriber(self, None, called, "" if restricted else caller, 0, True, self._now())
        self._subscribers[subscriber] = None
        waits = bool(self._calls)
        call = self._new_call(_WAITING if waits else _INCOMING, subscriber)
        subscriber.reached("alerting")
        if waits:
            self.interpreter.say(f'+CCWA: "{caller}",129,1')
        else:
            self._on_channel(subscriber, 1)
            self._ringing = asyncio.create_task(self._ring(call), name=f"module {self.address} rings")
            self._tasks.add(self._ringing)
        return subscriber

    def alert(self, subscriber: Subscriber) -> None:
        """See ``ExchangeLine``."""
        self._to(subscriber, _ALERTING)
        subscriber.reached("alerting")

    def answer(self, subscriber: Subscriber) -> None:
        """See ``ExchangeLine``."""
        if self._to(subscriber, _ACTIVE):
            self._begin(subscriber)

    def dial(self, subscriber: Subscriber, digit: str) -> None:
        """Nothing: a number is sent as a whole."""

    def hangup(self, subscriber: Subscriber, cause: int) -> None:
        """See ``ExchangeLine``."""
        call = self._call_of(subscriber)
        if call is None:
            return
        subscriber.by, subscriber.cause = "us", cause
        self._cause = cause
        ours = call.state in (_DIALLING, _ALERTING)
        self._gone(call, cause, "us")
        if self.settings.pcm == "simcom":
            self.interpreter.say("VOICE CALL: END: 000000")
        self.interpreter.say(_RESULTS.get(cause, "NO CARRIER") if ours else "NO CARRIER")

    async def _ring(self, call: _Call) -> None:
        while call.state == _INCOMING:
            self.interpreter.say("RING")
            if self._clip:
                caller = call.subscriber.caller
                self.interpreter.say(f'+CLIP: "{caller}",{kind(caller)},,,,{0 if caller else 1}')
            await asyncio.sleep(_RING_S)

    def _new_call(self, state: int, subscriber: Subscriber) -> _Call:
        number = min(set(range(1, 8)) - {call.number for call in self._calls})
        call = _Call(number, state, subscriber)
        self._calls.append(call)
        return call

    def _call_of(self, subscriber: Subscriber) -> _Call | None:
        return next((call for call in self._calls if call.subscriber is subscriber), None)

    def _to(self, subscriber: Subscriber, state: int) -> bool:
        call = self._call_of(subscriber)
        if call is not None:
            call.state = state
        return call is not None

    def _begin(self, subscriber: Subscriber) -> None:
        self._connected(subscriber)
        if self.settings.pcm == "simcom":
            self.interpreter.say("VOICE CALL: BEGIN")

    def _gone(self, call: _Call, cause: int, by: str) -> None:
        call.state = -1
        self._calls.remove(call)
        if self._ringing is not None:
            self._ringing.cancel()
            self._tasks.discard(self._ringing)
            self._ringing = None
        if not self._calls:
            self._audio_on = False
            self._spoken.clear()
        self._end(call.subscriber, cause, by)

    def _now(self) -> float:
        return asyncio.get_running_loop().time()

    # -- audio ---------------------------------------------------------------------------------------------------------

    async def _run_audio(self) -> None:
        """While there is a call with the audio port on: 20 ms both ways, by the module's own clock."""
        due = self._now()
        while True:
            if self._audio_on and self._calls:
                self._exchange_frame()
            due = max(due + _TICK_S, self._now() - 5 * _TICK_S)
            await asyncio.sleep(due - self._now())

    def _exchange_frame(self) -> None:
        spoken = self._spoken.take()
        samples = np.zeros(FRAME, np.int16) if spoken is None else np.frombuffer(spoken, "<i2").astype(np.int16)
        self._heard[0] = alaw_encode(samples)
        for _ in self.bearers.tick(self._heard, self._said):
            if (there := self._there(1)) is not None:
                there.notify()
        self._pcm.write(alaw_decode(self._said[0]).astype("<i2").tobytes())

    # -- commands ------------------------------------------------------------------------------------------------------

    def _handlers(self) -> dict[str, Handler]:
        own: dict[str, Handler] = {
            "E": self._echo, "+CMEE": self._cmee, "+CLIP": self._clip_, "+CLCC": self._clcc, "D": self._dial,
            "A": self._accept, "H": self._chup, "+CHUP": self._chup, "+CHLD": self._chld, "+VTS": self._vts,
            "+CEER": self._ceer, "+CPCMREG" if self.settings.pcm == "simcom" else "+QPCMV": self._audio,
        }  # fmt: skip
        messages = {name: self._needs_sim(handler) for name, handler in self.messages.handlers().items()}
        return {**self.radio.handlers(), **own, **messages}

    def _needs_sim(self, handler: Handler) -> Handler:
        def guarded(command: Command) -> list[str] | None:
            self.radio.check_sim()
            return handler(command)

        return guarded

    def _echo(self, command: Command) -> list[str]:
        self.interpreter.echo = command.text != "0"
        return []

    def _cmee(self, command: Command) -> list[str]:
        if command.kind == "set":
            [self.interpreter.numeric] = command.numbers(range(3))
        return [f"+CMEE: {self.interpreter.numeric}"] if command.kind == "read" else []

    def _clip_(self, command: Command) -> list[str]:
        if command.kind == "set":
            self._clip = command.numbers(range(2)) == [1]
        return [f"+CLIP: {int(self._clip)},1"] if command.kind == "read" else []

    def _clcc(self, _command: Command) -> list[str]:
        return [
            f"+CLCC: {call.number},{int(call.subscriber.calls)},{call.state},0,0,"
            f'"{call.subscriber.caller if call.subscriber.calls else call.subscriber.called}",129'
            for call in self._calls
        ]

    def _dial(self, command: Command) -> list[str]:
        dialled = _DIALLED.fullmatch(command.text)
        if dialled is None:
            raise CmeError(WRONG_PARAMETER)
        number, clir = dialled.groups()
        self.radio.check_sim()
        if not self.up:
            raise CmeError(NO_NETWORK)
        if self._calls:
            raise CmeError(NOT_ALLOWED)
        subscriber = Subscriber(self, None, number, self.settings.number, 0, False, self._now())
        subscriber.restricted = clir == "I"
        self._new_call(_DIALLING, subscriber)
        self._add(subscriber, 1)
        subscriber.reached("proceeding")
        asyncio.get_running_loop().call_soon(self._incoming, subscriber)
        return []

    def _accept(self, _command: Command) -> list[str]:
        call = next((call for call in self._calls if call.state == _INCOMING), None)
        if call is None:
            raise CmeError(NOT_ALLOWED)
        call.state = _ACTIVE
        asyncio.get_running_loop().call_soon(self._begin, call.subscriber)
        return []

    def _chup(self, _command: Command) -> list[str]:
        """All but waiting calls (27.007 §6.5); one that waits becomes an incoming one."""
        for call in list(self._calls):
            if call.state != _WAITING:
                self._gone(call, 21 if call.state == _INCOMING else 16, "far")
        for call in self._calls:
            call.state = _INCOMING
            self._on_channel(call.subscriber, 1)
            self._ringing = asyncio.create_task(self._ring(call), name=f"module {self.address} rings")
            self._tasks.add(self._ringing)
        return []

    def _chld(self, command: Command) -> list[str]:
        """0 refuses the waiting call as busy (3GPP TS 22.030 §6.5.5.1)."""
        command.numbers(range(1))
        for call in [call for call in self._calls if call.state == _WAITING]:
            call.state = -1
            self._calls.remove(call)
            self._end(call.subscriber, 17)
        return []

    def _vts(self, command: Command) -> list[str]:
        call = next((call for call in self._calls if call.state == _ACTIVE), None)
        digits = command.text.strip('"')
        if call is None:
            raise CmeError(NOT_ALLOWED)
        if len(digits) != 1 or digits not in "0123456789*#ABCD":
            raise CmeError(WRONG_PARAMETER)
        self.digits += digits
        call.subscriber.notify()
        return []

    def _ceer(self, _command: Command) -> list[str]:
        """Why the last call has ended (27.007 §6.10): SIMCom tells it in words, Quectel by number."""
        return [f"+CEER: 0,{self._cause}" if self.settings.pcm == "quectel" else "+CEER: Network ended call"]

    def _audio(self, command: Command) -> list[str]:
        """The port on, in a call, or off: SIMCom +CPCMREG=1, Quectel +QPCMV=1,0."""
        if command.kind != "set":
            return {"test": [f"{command.name}: (0,1)"]}.get(command.kind, [f"{command.name}: {int(self._audio_on)}"])
        on = command.numbers(range(2), range(3))[0] == 1
        if on and not self._calls and self.settings.pcm == "simcom":
            raise CmeError(NOT_SUPPORTED)
        self._audio_on = on
        self._spoken.clear()
        return []
