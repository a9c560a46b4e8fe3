"""A leg: one party's call as the control process knows it, over one SIP call or (dialled) a fork of several."""

from __future__ import annotations

import asyncio
import re
import secrets
from collections.abc import Callable
from typing import Protocol

from attrs import evolve

from hw.messages import (
    Alerting,
    Answered,
    Cleared,
    Digit,
    Fault,
    LegPhase,
    LegState,
    Media,
    MediaOffer,
    PhoneEvent,
    Proceeding,
    Progress,
    Refer,
)
from hw.phone import causes, sdp
from hw.phone.call import By, Call, CallHandler
from hw.phone.dialog import sequence
from hw.phone.stack import Message, Request
from hw.phone.text import MalformedError
from hw.phone.transfer import Replaced, Transfer, target_of
from hw.phone.useragent import ALLOW

#: When the control process does not accept a re-INVITE in this time, the media that we have answer it; in s.
ACCEPT_S = 4.0
_SIGNAL = re.compile(r"^\s*Signal\s*=\s*([0-9A-D*#]|1[0-5])\s*$", re.IGNORECASE | re.MULTILINE)
_DURATION = re.compile(r"^\s*Duration\s*=\s*([0-9]{1,5})\s*$", re.IGNORECASE | re.MULTILINE)
_ELSEWHERE = ("Reason", 'SIP;cause=200;text="Call completed elsewhere"')
#: Which failure of a fork is told: somebody said no, then busy, then the rest (RFC 3261 §16.7 step 6 in spirit).
_PREFERRED = (causes.REJECTED, causes.BUSY, causes.INCOMPATIBLE)


class Owner(Protocol):
    """What a leg needs of the process."""

    def emit(self, event: PhoneEvent) -> None:
        """Send an event up."""

    def count(self, name: str) -> None:
        """Count something dropped or wrong."""

    def gone(self, leg: Leg) -> None:
        """The leg has said ``Cleared``."""

    def leg_of(self, replaced: Replaced) -> Leg | None:
        """The leg whose call a Replaces names."""

    @property
    def decided(self) -> bool:
        """Whether a control process is there to decide."""


class Leg(CallHandler):
    """``phase`` as the link has it; ``far`` is the far end's media as last told."""

    def __init__(
        self, owner: Owner, name: str, line: str, *, called: str, caller: str, incoming: bool,
        local: Media | None = None,
    ) -> None:  # fmt: skip
        self.name = name
        self.line = line
        self.called = called
        self.caller = caller
        self.incoming = incoming
        self.phase: LegPhase = "offered" if incoming else "dialling"
        self.far: Media | None = None
        self.cleared = False
        self._owner = owner
        self._call: Call | None = None
        self._branches: list[Call] = []
        self._failures: list[int] = []
        self._local = local
        self._offer: sdp.Description | None = None
        self._session = secrets.randbelow(1 << 31)
        self._version = 0
        self._described: tuple[sdp.Description | None, Media, bytes] | None = None
        self._transfer: Transfer | None = None
        self._accept_timer: asyncio.TimerHandle | None = None

    @property
    def call(self) -> Call | None:
        """The one SIP call of the leg, once it is clear which."""
        return self._call

    def state(self) -> LegState:
        """The leg as a snapshot has it."""
        return LegState(self.name, self.line, self.phase, self.incoming, self.called, self.caller, None, self.far)

    # -- beginning -----------------------------------------------------------------------------------------------------

    def begin(self, call: Call, offer: sdp.Description | None) -> None:
        """An incoming call; without ``offer`` our answer will make one."""
        self._call = call
        self._offer = offer
        self.far = offer.media if offer else None

    def fork(self, invitations: list[Callable[[bytes], Call]]) -> None:
        """Dial: send every invitation with our offer; the first that is answered wins."""
        body = self._describe(self._local) if self._local is not None else b""
        unreachable = causes.ABSENT if self.line == "phones" else causes.NETWORK
        for invite in invitations:
            try:
                self._branches.append(invite(body))
            except OSError:
                self._owner.count("branch_unreachable")
                self._failures.append(unreachable)
        if not self._branches:
            self._clear(unreachable, "far")

    # -- commands ------------------------------------------------------------------------------------------------------

    def alert(self) -> None:
        """180 Ringing."""
        if self.incoming and self.phase in ("offered", "alerting") and self._call is not None:
            self.phase = "alerting"
            self._call.ring()

    def early_media(self, local: Media | None) -> None:
        """183 Session Progress with our media."""
        if self.incoming and self.phase in ("offered", "alerting") and self._call is not None:
            self._call.ring(183, "Session Progress", self._describe(local) if local and self._offer else b"")

    def answer(self, local: Media | None) -> None:
        """200 OK. Raises ``ValueError`` without media to answer with, or when there is no codec in common."""
        if not self.incoming or self._call is None:
            raise ValueError("only an incoming leg is answered")
        if self.phase == "up":
            return
        if local is None:
            raise ValueError("an answer needs media")
        try:
            body = self._describe(local)
        except sdp.UnacceptableSdpError as error:
            self.hangup(causes.INCOMPATIBLE)
            raise ValueError(str(error)) from None
        self.phase = "up"
        self._offer = None
        self._call.answer(body)

    def hangup(self, cause: int) -> None:
        """Clear the leg in whatever phase, with the cause in a Reason header."""
        status, phrase = causes.status_of(cause)
        calls = [self._call] if self._call is not None else self._branches
        self._clear(cause, "us")
        for call in calls:
            call.hangup(status, phrase, [causes.reason(cause)])

    def modify(self, local: Media) -> None:
        """Re-INVITE with an offer of ``local``. Raises ``ValueError`` when the leg is not up or another is open."""
        if self._call is None or self.phase != "up":
            raise ValueError(f"the leg is {self.phase}")
        if self._offer is not None:
            raise ValueError("the far end's own offer is to be accepted first")
        try:
            self._call.modify(self._describe(local))
        except RuntimeError as error:
            raise ValueError(str(error)) from None

    def accept(self, local: Media) -> None:
        """Answer a re-INVITE; nothing when none is open (a MediaOffer that told an answer wants none)."""
        self._stop_waiting()
        if self._call is None or self._offer is None or self.phase != "up":
            return
        try:
            self._call.accept(self._describe(local))
        except sdp.UnacceptableSdpError:
            self._call.refuse(488, "Not Acceptable Here")
        self._offer = None

    def refer_result(self, status: int) -> None:
        """Tell the phone how its transfer goes. Raises ``ValueError`` when it asked for none."""
        if self._transfer is None or not self._transfer.open:
            raise ValueError("no transfer is open on this leg")
        if not 100 <= status <= 699:
            raise ValueError(f"status {status} is not in 100..699")
        self._transfer.notify(status)

    # -- what the SIP calls tell ---------------------------------------------------------------------------------------

    def progress(self, call: Call, message: Message) -> None:
        """180: it rings; 183 with SDP: early media; the rest: it is being handled."""
        far = self._early(message)
        if message.status == 180:
            self.phase = "alerting"
            self._owner.emit(Alerting(self.name, far))
        elif far is not None:
            self._owner.emit(Progress(self.name, far))
        else:
            self._owner.emit(Proceeding(self.name))

    def answered(self, call: Call, message: Message) -> None:
        """The first answer with a codec of ours wins; the other branches are cancelled."""
        try:
            self.far = sdp.parse(message.body, message.flow.host).media
        except sdp.SdpError:
            self._owner.count("sdp_refused")
            call.hangup(headers=[causes.reason(causes.INCOMPATIBLE)])
            return
        self._call = call
        self.phase = "up"
        for other in self._branches:
            if other is not call:
                other.hangup(headers=[_ELSEWHERE])
        self._owner.emit(Answered(self.name, self.far))

    def confirmed(self, call: Call, body: bytes) -> None:
        """The ACK carries the answer to the offer that we had to make."""
        if body:
            self._learn(call, body)

    def offered(self, call: Call, body: bytes) -> None:
        """A re-INVITE: the control process answers; a mere refresh, or nobody there to ask, is answered from here."""
        if not body and self._local is not None:  # all that we can do, or a phone could not resume so (RFC 6337 §5.3)
            call.accept(self._describe(evolve(self._local, direction="sendrecv")))
            return
        try:
            offer = sdp.parse(body, call.dialog.flow.host)
        except sdp.SdpError as error:
            self._owner.count("sdp_refused")
            malformed = isinstance(error, sdp.MalformedSdpError)
            call.refuse(*((400, "Bad Request") if malformed else (488, "Not Acceptable Here")))
            return
        same = offer.media == self.far
        self._offer = offer
        self.far = offer.media
        if same or not self._owner.decided:
            self._accept_alone()
            return
        self._accept_timer = asyncio.get_running_loop().call_later(ACCEPT_S, self._accept_alone)
        self._owner.emit(MediaOffer(self.name, offer.media))

    def modified(self, call: Call, message: Message | None) -> None:
        """The answer to our re-INVITE is told like an offer: the media is what it says from now on."""
        if message is not None and message.status < 300:
            self._learn(call, message.body)
        else:
            reason = f"refused with {message.status} {message.reason}" if message else "not answered"
            self._owner.emit(Fault(self.name, f"re-INVITE {reason}", "Modify"))

    def requested(self, call: Call, request: Request) -> None:
        """INFO: keys. REFER: a transfer. Nothing else is ours."""
        match request.message.method:
            case "INFO":
                self._informed(request)
            case "REFER":
                self._referred(call, request)
            case "OPTIONS":
                request.reply(200, "OK", [("Allow", ALLOW)])
            case "NOTIFY" | "SUBSCRIBE":
                request.reply(489, "Bad Event")
            case _:
                request.reply(405, "Method Not Allowed", [("Allow", ALLOW)])

    def ended(self, call: Call, by: By, message: Message | None) -> None:
        """One SIP call has ended: the leg too when it was the one, or the last branch of the fork."""
        if self.cleared:
            return
        if call is self._call:
            self._clear(self._cause(by, message), by)
            return
        if call in self._branches:
            self._branches.remove(call)
        self._failures.append(causes.INCOMPATIBLE if by == "us" else self._cause(by, message))
        if not self._branches and self._call is None:
            self._clear(next((c for c in _PREFERRED if c in self._failures), self._failures[-1]), "far")

    # -- inside --------------------------------------------------------------------------------------------------------

    def _cause(self, by: By, message: Message | None) -> int:
        if message is None:
            return causes.NORMAL if by == "far" else causes.RECOVERY
        return causes.cause_of(message.status, message.headers)

    def _clear(self, cause: int, by: By) -> None:
        if not self.cleared:
            self.cleared = True
            self._stop_waiting()
            self._owner.emit(Cleared(self.name, cause, by))
            self._owner.gone(self)

    def _describe(self, local: Media) -> bytes:
        """Our side as SDP: an answer while an offer is open; the same again keeps its version (RFC 3264 §8)."""
        self._local = local
        if self._described is not None and self._described[:2] == (self._offer, local):
            return self._described[2]
        self._version += 1
        if self._offer is not None:
            body = sdp.answer(self._offer, local, self._session, self._version)
        else:
            body = sdp.offer(local, self._session, self._version)
        self._described = (self._offer, local, body)
        return body

    def _early(self, message: Message) -> Media | None:
        if not message.body:
            return None
        try:
            return sdp.parse(message.body, message.flow.host).media
        except sdp.SdpError:
            self._owner.count("sdp_refused")
            return None

    def _learn(self, call: Call, body: bytes) -> None:
        try:
            self.far = sdp.parse(body, call.dialog.flow.host).media
        except sdp.SdpError as error:
            self._owner.count("sdp_refused")
            self._owner.emit(Fault(self.name, f"the far end's answer cannot be used: {error}", "Modify"))
            return
        self._owner.emit(MediaOffer(self.name, self.far))

    def _accept_alone(self) -> None:
        if self._offer is not None and self._local is not None:
            self._owner.count("offers_accepted_alone")
            self.accept(self._local)

    def _stop_waiting(self) -> None:
        if self._accept_timer is not None:
            self._accept_timer.cancel()
            self._accept_timer = None

    def _informed(self, request: Request) -> None:
        message = request.message
        kind = message.headers.get("content-type").partition(";")[0].strip().lower()
        if not message.body:
            request.reply(200, "OK")  # RFC 6086 §4.2.2: a keep-alive
            return
        key = key_of(kind, message.body)
        if key is None:
            request.reply(415, "Unsupported Media Type", [("Accept", "application/dtmf-relay, application/dtmf")])
            return
        request.reply(200, "OK")
        self._owner.emit(Digit(self.name, *key, "info"))

    def _referred(self, call: Call, request: Request) -> None:
        try:
            target = target_of(request.message)
        except MalformedError:
            self._owner.count("malformed")
            request.reply(400, "Bad Request")
            return
        if self.phase != "up" or (self._transfer is not None and self._transfer.open):
            request.reply(491, "Request Pending")
            return
        request.reply(202, "Accepted", [("Contact", call.dialog.contact)])
        self._transfer = Transfer(call, sequence(request.message))
        other = self._owner.leg_of(target.replaces) if target.replaces is not None else None
        if target.replaces is not None and other is None:
            self._transfer.notify(481)
            return
        self._transfer.notify(100)
        self._owner.emit(Refer(self.name, target.to, other.name if other else ""))


def key_of(kind: str, body: bytes) -> tuple[str, int] | None:
    """The key and its length in ms from an INFO body of media type ``kind``; None when it is none."""
    text = body.decode("ascii", errors="replace")
    if kind == "application/dtmf-relay":
        signal, duration = _SIGNAL.search(text), _DURATION.search(text)
        if signal is None:
            return None
        key = signal[1].upper()
        return ("0123456789*#ABCD"[int(key)] if len(key) == 2 else key), int(duration[1]) if duration else 0
    key = text.strip().upper()
    return (key, 0) if kind == "application/dtmf" and re.fullmatch("[0-9A-D*#]", key) else None
