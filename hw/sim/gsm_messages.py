"""The simulated module's short messages (3GPP TS 27.005, PDU mode): its storage, and the centre behind the network."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable, Mapping

from attrs import field, frozen

from hw.line.serial import sms_parts
from hw.line.serial.sms_pdu import Deliver, PduError, Report, Submit, decode, encode
from hw.sim.at_interpreter import LATER, CmsError, Command, Handler, Hangs, Interpreter

#: +CMS ERROR (27.005 §3.2.5): invalid PDU parameter, memory failure, invalid index, no network.
_BAD_PDU, _NO_SUCH_INDEX = 304, 321
_STORES = ("SM",)
_UNREAD, _READ, _ALL = 0, 1, 4
_REPORT_OK, _REPORT_FAILED = 0x00, 0x46


@frozen
class Received:
    """A message of the box that the centre has taken, its parts together; ``at`` in seconds since the epoch."""

    number: str
    text: str
    parts: int
    report: bool
    at: float = field(factory=time.time)


class Messages:
    """Storage and centre. Faults are public attributes:

    - ``refuse``: the next messages of the box are refused with these numbers of +CMS ERROR;
    - ``lose_answers``: so many next messages are taken, and the box is never told;
    - ``send_s``: how long the network takes for one; ``report_s``: how much later the report comes;
    - ``reports``: whether messages reach their receiver; None: no report comes at all.
    """

    def __init__(self, interpreter: Interpreter, size: int, *, reachable: Callable[[], bool]) -> None:
        """``size`` messages can be stored; ``reachable``: the module has network."""
        self.refuse: list[int] = []
        self.lose_answers = 0
        self.send_s, self.report_s = 0.0, 0.02
        self.reports: bool | None = True
        #: What the centre has taken from the box, each part, and whole messages; ``on_message`` takes those.
        self.submitted: list[Submit] = []
        self.received: list[Received] = []
        self.on_message: Callable[[Received], None] = lambda _message: None
        self._interpreter = interpreter
        self._say = interpreter.say
        self._reachable = reachable
        self._size = size
        self._stored: dict[int, tuple[int, str, int]] = {}
        self._outside: deque[tuple[str, int]] = deque()
        self._parts: dict[tuple[str, int], dict[int, str]] = {}
        self._cnmi = [0, 0, 0, 0, 0]
        self._store = "SM"
        self._centre = "+8613800100500"
        self._reference = 0
        self._later: set[asyncio.TimerHandle] = set()

    def reset(self) -> None:
        """The module starts anew: settings are the first ones, what is stored stays."""
        self._cnmi = [0, 0, 0, 0, 0]

    def close(self) -> None:
        """Nothing happens any more."""
        for handle in self._later:
            handle.cancel()

    @property
    def stored(self) -> int:
        """Messages in the storage."""
        return len(self._stored)

    # -- the network's side --------------------------------------------------------------------------------------------

    def text(self, number: str, text: str, *, reference: int = 1, only: Mapping[int, bool] | None = None) -> None:
        """Somebody sends the box a message; ``only``: some of its parts do not come, by number from 1."""
        for place, body in enumerate(sms_parts.split(text, reference), 1):
            if only is None or only.get(place, False):
                self.deliver(*encode(Deliver(number, body, int(time.time()))))

    def deliver(self, pdu: str, length: int) -> None:
        """A message from the centre; one that finds no room waits outside."""
        if not self._reachable():
            self._outside.append((pdu, length))
        elif self._cnmi[1] == 2:
            self._say(f"+CMT: ,{length}", pdu)
        elif len(self._stored) >= self._size:
            self._outside.append((pdu, length))
        else:
            index = next(index for index in range(1, self._size + 1) if index not in self._stored)
            self._stored[index] = (_UNREAD, pdu, length)
            if self._cnmi[1] == 1:
                self._say(f'+CMTI: "{self._store}",{index}')

    def go_on(self) -> None:
        """There is network, or room, again: what waits outside comes."""
        waiting, self._outside = self._outside, deque()
        while waiting:
            self.deliver(*waiting.popleft())

    def _take(self, message: Submit) -> None:
        self.submitted.append(message)
        part = message.body.part
        key = (message.number, part.reference if part is not None else -1)
        parts = self._parts.setdefault(key, {})
        parts[part.number if part is not None else 1] = message.body.text
        if len(parts) == (part.total if part is not None else 1):
            del self._parts[key]
            whole = sms_parts.join([parts[number] for number in sorted(parts)])
            self.received.append(Received(message.number, whole, len(parts), message.report))
            self.on_message(self.received[-1])
        if message.report and self.reports is not None:
            self._after(self.report_s, self._report, message)

    def _report(self, message: Submit) -> None:
        now, status = int(time.time()), _REPORT_OK if self.reports else _REPORT_FAILED
        pdu, length = encode(Report(message.number, message.reference, status, now, now))
        if self._cnmi[3] == 1:
            self._say(f"+CDS: {length}", pdu)

    # -- commands ------------------------------------------------------------------------------------------------------

    def handlers(self) -> dict[str, Handler]:
        """The commands of 27.005 that the module has."""
        return {
            "+CSMS": self._csms, "+CMGF": self._cmgf, "+CNMI": self._cnmi_, "+CPMS": self._cpms, "+CSCA": self._csca,
            "+CMGS": self._cmgs, "+CMGL": self._cmgl, "+CMGR": self._cmgr, "+CMGD": self._cmgd,
        }  # fmt: skip

    def _csms(self, command: Command) -> list[str]:
        match command.kind:
            case "read":
                return ["+CSMS: 0,1,1,1"]
            case "test":
                return ["+CSMS: (0)"]
            case _:
                command.numbers(range(1))
                return ["+CSMS: 1,1,1"]

    def _cmgf(self, command: Command) -> list[str]:
        match command.kind:
            case "read":
                return ["+CMGF: 0"]
            case "test":
                return ["+CMGF: (0)"]
            case _:
                command.numbers(range(1))
                return []

    def _cnmi_(self, command: Command) -> list[str]:
        match command.kind:
            case "read":
                return ["+CNMI: " + ",".join(map(str, self._cnmi))]
            case "test":
                return ["+CNMI: (0-2),(0-2),(0),(0,1),(0,1)"]
            case _:
                given = command.numbers(range(3), range(3), range(1), range(2), range(2))
                self._cnmi[: len(given)] = given
                return []

    def _cpms(self, command: Command) -> list[str]:
        used = f"{len(self._stored)},{self._size}"
        match command.kind:
            case "read":
                return ["+CPMS: " + ",".join([f'"{self._store}",{used}'] * 3)]
            case "test":
                return ["+CPMS: " + ",".join(['("SM")'] * 3)]
            case _:
                names = command.parameters()
                if not 1 <= len(names) <= 3 or any(name not in _STORES for name in names):
                    raise CmsError(302)
                self._store = names[0]
                return ["+CPMS: " + ",".join([used] * 3)]

    def _csca(self, command: Command) -> list[str]:
        if command.kind == "read":
            return [f'+CSCA: "{self._centre}",145']
        if command.kind == "set":
            self._centre = command.parameters()[0]
        return []

    def _cmgl(self, command: Command) -> list[str]:
        if command.kind == "test":
            return ["+CMGL: (0-4)"]
        wanted = (command.numbers(range(5)) or [_UNREAD])[0] if command.kind == "set" else _UNREAD
        lines: list[str] = []
        for index, (state, pdu, length) in sorted(self._stored.items()):
            if wanted in (state, _ALL):
                lines += [f"+CMGL: {index},{state},,{length}", pdu]
                self._stored[index] = (_READ, pdu, length)
        return lines

    def _cmgr(self, command: Command) -> list[str]:
        [index] = command.numbers(range(1, 256))
        if index not in self._stored:
            raise CmsError(_NO_SUCH_INDEX)
        state, pdu, length = self._stored[index]
        self._stored[index] = (_READ, pdu, length)
        return [f"+CMGR: {state},,{length}", pdu]

    def _cmgd(self, command: Command) -> list[str]:
        if command.kind == "test":
            return [f"+CMGD: ({','.join(map(str, sorted(self._stored)))}),(0-4)"]
        index, flag = (*command.numbers(range(1, 256), range(5)), 0)[:2]
        if flag:
            self._stored.clear()
        elif self._stored.pop(index, None) is None:
            raise CmsError(_NO_SUCH_INDEX)
        self._after(0, self.go_on)
        return []

    def _cmgs(self, command: Command) -> None:
        [length] = command.numbers(range(8, 165))
        self._interpreter.prompt(lambda pdu: self._on_pdu(pdu, length))
        return LATER

    def _on_pdu(self, pdu: str | None, length: int) -> None:
        if pdu is None:
            self._interpreter.done()
            return
        try:
            message = decode(pdu, sent=True)
            if not isinstance(message, Submit) or len(pdu) // 2 - 1 - int(pdu[:2], 16) != length:
                raise PduError("not what was announced")
        except PduError:
            self._interpreter.done(CmsError(_BAD_PDU))
            return
        self._after(self.send_s, self._to_centre, message)

    def _to_centre(self, message: Submit) -> None:
        if self.refuse:
            self._interpreter.done(CmsError(self.refuse.pop(0)))
            return
        if not self._reachable():
            self._interpreter.done(CmsError(331))
            return
        self._reference = (self._reference + 1) % 256
        self._take(Submit(message.number, message.body, message.report, message.validity, self._reference))
        if self.lose_answers:
            self.lose_answers -= 1
            self._interpreter.done(Hangs())
            return
        self._say(f"+CMGS: {self._reference}")
        self._interpreter.done()

    def _after(self, seconds: float, action: Callable[..., None], *arguments: object) -> None:
        handle: asyncio.TimerHandle

        def act() -> None:
            self._later.discard(handle)
            action(*arguments)

        handle = asyncio.get_running_loop().call_later(seconds, act)
        self._later.add(handle)
