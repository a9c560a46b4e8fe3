"""Short messages through a GSM module (3GPP TS 27.005, PDU mode).

What comes in stays stored in the module until the control process has it on disk (``taken``): so nothing is lost while
that is away, nor when this process dies. What goes out goes one at a time; each part that the network has taken is told
at once, and the last message's end is told again to every new control process.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable

from hw.line.serial import gsm_codes, sms_parts
from hw.line.serial.at import AtEngine, AtError, AtLost, AtTimeout
from hw.line.serial.sms_pdu import Body, PduError, Report, Submit, decode, encode, validity
from hw.line.serial.sms_storage import Assembler, Stored, Whole, listed
from hw.messages import Fault, LineEvent, SendSms, SmsFailed, SmsReceived, SmsReport, SmsSent

log = logging.getLogger(__name__)

#: The network may take so long to take a message (27.005 does not say; modules give up after a minute).
SEND_S = 70.0
#: What is stored is looked at so often at least: a word about it may be lost, and parts that wait are given up.
RELIST_S = 300.0
#: A SIM is slow to read and to write.
STORAGE_S = 10.0


class GsmMessages:
    """Messages of one module. ``ready``: whether the module may be kept busy for seconds now, no call being in motion.

    ``emit`` takes the events.
    """

    def __init__(self, line: str, emit: Callable[[LineEvent], None], ready: Callable[[], bool]) -> None:
        self._line = line
        self._emit = emit
        self._ready = ready
        self._at: AtEngine
        self._assembler = Assembler()
        self._pending: dict[str, Whole] = {}
        self._told: set[str] = set()
        self._handed_over: list[Stored] = []
        self._remove: list[int] = []
        self._to_send: SendSms | None = None
        self._results: list[SmsSent | SmsFailed] = []
        self._list_wanted = False
        self._listed_at = 0.0
        self._some = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._up = False
        self._full = False
        self._counts = {"sms_sent": 0, "sms_received": 0, "sms_failed": 0, "sms_malformed": 0}

    def start(self, at: AtEngine) -> None:
        """Begin to work."""
        self._at = at
        self._task = asyncio.create_task(self._run(), name=f"messages {self._line}")

    async def stop(self) -> None:
        """End; a message that is being sent has an unknown end."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def set_up(self, at: AtEngine) -> None:
        """PDU mode; store what comes and say so; hand over reports. Raises ``AtError``."""
        await at.command("AT+CMGF=0")
        await at.command("AT+CNMI=2,1,0,1,0")

    def up(self, up: bool) -> None:
        """The module can be used, or not; said again every few seconds."""
        came, self._up = up and not self._up, up
        late = asyncio.get_running_loop().time() - self._listed_at > RELIST_S
        self._list_wanted = self._list_wanted or came or (up and late)
        if not up and self._to_send is not None and self._ready():
            # Nothing of it is on its way: whoever wants to send it may look for another line.
            self._end("again", "the line is down")
        self._some.set()

    def wake(self) -> None:
        """``ready`` may have changed."""
        self._some.set()

    # -- what the control process wants --------------------------------------------------------------------------------

    def send(self, message: SendSms) -> None:
        """Send a message. Raises ``ValueError`` while another one is being sent."""
        if self._to_send is not None:
            raise ValueError(f"message {self._to_send.id} is being sent")
        self._results.clear()
        self._to_send = message
        if not self._up:
            self._end("again", "the line is down")
        self._some.set()

    def taken(self, message: str) -> None:
        """The control process has it: the module may forget it. One that is not there has been taken before."""
        whole = self._pending.pop(message, None)
        self._told.discard(message)
        if whole is None:
            return
        self._remove += [source.index for source in whole.sources if source.index is not None]
        self._handed_over = [each for each in self._handed_over if each not in whole.sources]
        self._some.set()

    def tell(self) -> None:
        """Everything that a new control process must know."""
        for result in self._results:
            self._emit(result)
        self._told.clear()
        self._tell_pending()

    def in_hand(self) -> tuple[str, ...]:
        """The message that is being sent, or whose end ``tell`` tells."""
        if self._to_send is not None:
            return (self._to_send.id,)
        return (self._results[-1].id,) if self._results else ()

    def counters(self) -> dict[str, int]:
        """Parts sent and messages received, failed or ``malformed``."""
        return dict(self._counts)

    # -- what the module says ------------------------------------------------------------------------------------------

    def on_line(self, line: str, body: str) -> bool:
        """A line that the module said by itself, with its PDU; whether it was about messages."""
        if line.startswith("+CMTI:"):
            self._list_wanted = True
        elif line.startswith("+CMT:"):
            self._handed_over.append(Stored(None, body))
            self._list_wanted = True
        elif line.startswith("+CDS:"):
            self._report(body)
        elif line.startswith("+CDSI:"):
            pass  # a report that is stored: asked for to be handed over, so nobody waits for it
        else:
            return False
        self._some.set()
        return True

    def _report(self, pdu: str) -> None:
        try:
            report = decode(pdu)
        except PduError as error:
            self._counts["sms_malformed"] += 1
            log.warning("%s: a report that is none: %s", self._line, error)
            return
        if isinstance(report, Report):
            at = report.done_at or report.at
            self._emit(
                SmsReport(self._line, report.number, report.reference, report.outcome, report.status, at)
            )

    # -- work ----------------------------------------------------------------------------------------------------------

    async def _run(self) -> None:
        while True:
            self._some.clear()
            if self._up and self._ready():
                try:
                    await self._work()
                except AtError as error:
                    log.warning("%s: %s", self._line, error)
                except Exception:  # a fault of ours, which must not be the end of all messages
                    log.exception("%s: messages", self._line)
            await self._some.wait()

    async def _work(self) -> None:
        while self._up and self._ready() and (self._remove or self._list_wanted or self._to_send is not None):
            if self._remove:
                index = self._remove.pop()
                try:
                    await self._at.command(f"AT+CMGD={index}", timeout_s=STORAGE_S)
                except AtTimeout:
                    self._list_wanted = True  # still there perhaps: then it is told again, and taken again
                    raise
            elif self._list_wanted:
                self._list_wanted = False
                await self._list()
            elif self._to_send is not None:
                await self._send(self._to_send)

    async def _list(self) -> None:
        answer = await self._at.command("AT+CMGL=4", timeout_s=STORAGE_S)
        room = gsm_codes.numbers(next(iter((await self._at.command("AT+CPMS?")).lines), ""))
        full = len(room) > 2 and room[1] >= room[2] > 0
        if full and not self._full:
            self._emit(Fault(self._line, "the module's storage of messages is full, further ones wait in the network"))
        self._full = full
        waiting = set(self._remove)
        stored = [each for each in listed(answer.lines) if each.index not in waiting]
        now = self._listed_at = asyncio.get_running_loop().time()
        whole = self._assembler.whole([*stored, *self._handed_over], now, full=full)
        self._pending = {each.id: each for each in whole}
        self._told &= set(self._pending)
        self._tell_pending()

    def _tell_pending(self) -> None:
        for message in list(self._pending.values()):
            if message.id not in self._told:
                self._told.add(message.id)
                self._counts["sms_received"] += 1
                self._counts["sms_malformed"] += bool(message.pdu)
                self._emit(
                    SmsReceived(
                        message.id, self._line, message.number, message.text, message.parts, message.missing,
                        message.at, message.pdu,
                    )
                )  # fmt: skip

    # -- sending -------------------------------------------------------------------------------------------------------

    async def _send(self, message: SendSms) -> None:
        try:
            bodies = sms_parts.split(message.text, message.reference)
            pdus = [self._pdu(message, body) for body in bodies]
        except PduError as error:
            self._end("refused", str(error))
            return
        for part, (pdu, length) in enumerate(pdus, 1):
            if part < message.start:
                continue
            try:
                answer = await self._at.command(f"AT+CMGS={length}", body=pdu, timeout_s=SEND_S)
            except AtError as error:
                self._end(_outcome(error), str(error))
                return
            self._counts["sms_sent"] += 1
            references = [gsm_codes.numbers(line)[0] for line in answer.lines if line.startswith("+CMGS:")]
            self._result(SmsSent(message.id, self._line, part, len(pdus), references[0] if references else -1))
        self._to_send = None

    def _pdu(self, message: SendSms, body: Body) -> tuple[str, int]:
        return encode(Submit(message.number, body, message.report, validity(message.validity_min)))

    def _end(self, outcome: gsm_codes.Outcome, reason: str) -> None:
        assert self._to_send is not None
        message, self._to_send = self._to_send, None
        self._counts["sms_failed"] += 1
        self._result(SmsFailed(message.id, self._line, outcome, reason))

    def _result(self, result: SmsSent | SmsFailed) -> None:
        self._results.append(result)
        self._emit(result)


def _outcome(error: AtError) -> gsm_codes.Outcome:
    """Without the module's word nobody knows; unless it was not even given the text."""
    if isinstance(error, AtTimeout | AtLost):
        return "unknown" if error.prompted else "again"
    return gsm_codes.outcome(error.result)
