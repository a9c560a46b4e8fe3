"""One call of a simulated phone as it goes on: what SIP tells, the SDP that is agreed on, and the report that grows."""

from __future__ import annotations

import asyncio
import logging
import re
import secrets
import time
from collections.abc import Callable

from attrs import define, evolve, field

from hw.messages import Codec, Direction, Media
from hw.phone import sdp
from hw.phone.call import By, Call, CallHandler
from hw.phone.causes import stated_cause
from hw.phone.stack import Message, Request
from hw.sim.pattern import voice
from hw.sim.rtp import Figures, Stream

_log = logging.getLogger(__name__)
_CODECS = (Codec("PCMA", 8), Codec("PCMU", 0))
_EVENT = 101


class CallEnded(Exception):
    """The call was over before what was waited for: ``report`` tells how."""

    def __init__(self, report: CallReport) -> None:
        how = f"{report.status} {report.reason}" if report.status else f"ended by {report.by}"
        super().__init__(f"call with {report.number} is over: {how}")
        self.report = report


@define
class CallReport:
    """One call of a phone. Times in seconds since 1970, None for what did not happen; ``code`` is the phone's voice.

    ``number`` is the one dialled, or the caller's; ``status`` and ``reason`` are the far end's failure response,
    ``cause`` the Q.850 value of its Reason header (RFC 3326), 0 when there was none; ``codes`` count the cycles of each
    voice heard, ``keys`` are the key presses received.
    """

    account: str
    code: int
    number: str
    incoming: bool
    began: float = field(factory=time.time)
    rang: float | None = None
    answered: float | None = None
    ended: float | None = None
    by: By | None = None
    status: int = 0
    reason: str = ""
    cause: int = 0
    codes: dict[int, int] = field(factory=dict)
    keys: str = ""
    packets: Figures = field(factory=Figures)


class Session(CallHandler):
    """The state of one call; ``call`` is set by who makes it. ``until`` waits for changes."""

    def __init__(self, stream: Stream, report: CallReport) -> None:
        self.call: Call
        self.stream = stream
        self.report = report
        #: What we do with audio, as agreed on, and the last word about a transfer and a re-INVITE (SIP status).
        self.direction: Direction = "sendrecv"
        self.transferred = 0
        self.modified_status = 0
        self._local = Media(*stream.address, codecs=_CODECS, telephone_event=_EVENT)
        self._offered: sdp.Description | None = None
        self._id, self._version = secrets.randbits(31), 0
        self._changed = asyncio.Event()
        stream.on_code = stream.on_key = self._change

    async def until(self, met: Callable[[], bool]) -> None:
        """Wait until ``met``. Raises ``CallEnded`` when the call is over before."""
        while not met():
            if self.report.ended is not None:
                raise CallEnded(self.report)
            await self._changed.wait()

    async def over(self) -> None:
        """Wait until the call is over."""
        while self.report.ended is None:
            await self._changed.wait()

    def _change(self, _: object = None) -> None:
        changed, self._changed = self._changed, asyncio.Event()
        changed.set()

    # -- media ---------------------------------------------------------------------------------------------------------

    def offer(self, wanted: Direction = "sendrecv") -> bytes:
        """Our SDP offer; ``wanted`` is sendonly for hold."""
        self._local = evolve(self._local, direction=wanted)
        self._version += 1
        return sdp.offer(self._local, self._id, self._version)

    def take_offer(self, body: bytes) -> None:
        """Take the far end's offer; without one (empty body) we shall make it. Raises ``sdp.SdpError``."""
        self._offered = sdp.parse(body) if body else None
        if self._offered is not None:
            self._agree(self._offered.media)

    def answer(self) -> bytes:
        """Our SDP answer to the offer taken, or our offer."""
        if self._offered is None:
            return self.offer(self._local.direction)
        self._version += 1
        return sdp.answer(self._offered, self._local, self._id, self._version)

    def _take_answer(self, body: bytes) -> None:
        """The far end's answer, if there is one; with one that is of no use the call is ended."""
        if not body:
            return
        try:
            self._agree(sdp.parse(body).media)
        except sdp.SdpError as error:
            _log.warning("%s: SDP of %s is of no use: %s", self.report.account, self.report.number, error)
            self.call.hangup()

    def _agree(self, far: Media) -> None:
        """Talk to ``far`` in its first codec that we have too. Raises ``sdp.UnacceptableSdpError``."""
        agreed = sdp.common(far, self._local)
        codec = next((codec for codec in agreed.codecs if codec in _CODECS), None)
        if codec is None:
            raise sdp.UnacceptableSdpError("PCMA and PCMU only with their static payload types")
        stream = self.stream
        if stream.remote is None or stream.payload_type != codec.payload:
            stream.payload_type = codec.payload
            stream.say(voice(self.report.code))
        stream.telephone_event = agreed.telephone_event
        stream.remote = (far.address, far.port)
        self.direction = agreed.direction
        stream.sending = self.direction == "sendrecv"  # who has put somebody on hold is not heard
        self._change()

    # -- what the user agent tells -------------------------------------------------------------------------------------

    def progress(self, call: Call, message: Message) -> None:
        """The far end rings, or sends audio before the answer."""
        self.report.rang = self.report.rang or time.time()
        self._take_answer(message.body)
        self._change()

    def answered(self, call: Call, message: Message) -> None:
        """The far end picked up."""
        self.report.answered = time.time()
        self._take_answer(message.body)
        self._change()

    def confirmed(self, call: Call, body: bytes) -> None:
        """The far end knows that we picked up, or has our answer to its re-INVITE."""
        self.report.answered = self.report.answered or time.time()
        self._take_answer(body)
        self._change()

    def offered(self, call: Call, body: bytes) -> None:
        """The far end offers other media: hold, resume, another address."""
        try:
            self.take_offer(body)
        except sdp.SdpError:
            call.refuse(488, "Not Acceptable Here")
        else:
            call.accept(self.answer())

    def modified(self, call: Call, message: Message | None) -> None:
        """The answer to our re-INVITE."""
        self.modified_status = 408 if message is None else message.status
        if message is not None and message.status < 300:
            self._take_answer(message.body)
        self._change()

    def referred(self, message: Message | None) -> None:
        """The response to our REFER: when it is a refusal nothing more comes."""
        if message is None or message.status >= 300:
            self.transferred = -(408 if message is None else message.status)
            self._change()

    def requested(self, call: Call, request: Request) -> None:
        """NOTIFY about a transfer (RFC 3515 §2.4.5), INFO with a key."""
        message = request.message
        if message.method == "NOTIFY" and message.headers.get("event").startswith("refer"):
            status = re.match(rb"SIP/2\.0 (\d{3})", message.body)
            self.transferred = int(status[1]) if status else self.transferred
        elif message.method == "INFO":
            signal = re.search(rb"Signal\s*=\s*([0-9A-D*#])", message.body)
            self.stream.keys += signal[1].decode() if signal else ""
        elif message.method != "OPTIONS":
            request.reply(405, "Method Not Allowed")
            return
        request.reply(200, "OK")
        self._change()

    def ended(self, call: Call, by: By, message: Message | None) -> None:
        """The call is over."""
        self.end(by)
        if message is not None:
            self.report.status, self.report.reason = message.status, message.reason
            self.report.cause = stated_cause(message.headers) or 0
        self._change()

    def end(self, by: By) -> None:
        """Finish the report and the stream; once more does nothing."""
        if self.report.ended is not None:
            return
        self.update()
        self.report.ended, self.report.by = time.time(), by
        self.stream.close()
        self._change()

    def update(self) -> CallReport:
        """The report as it is by now."""
        report, stream = self.report, self.stream
        report.codes, report.keys, report.packets = dict(stream.codes), stream.keys, stream.figures
        return report
