"""A simulated SIP phone: a user agent of its own, with a socket, a registration, calls, and a voice that is a code.

    phone = Phone("201", "secret", ("127.0.0.1", 5060), audio, code=4711)
    await phone.start(); await phone.registered()
    call = await phone.ringing(); call.answer(); await call.heard(305); call.hangup()
    call = phone.dial("202"); await call.answered(); call.press("12#"); await call.ended()

Waiting for something that cannot come any more, because the call is over, raises ``CallEnded``.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from typing import Literal

from attrs import evolve

from hw.messages import Direction
from hw.phone import sdp
from hw.phone.digest import Credentials
from hw.phone.registration import Outcome, Registration
from hw.phone.stack import Flow, Request, Transport
from hw.phone.text import Address, MalformedError, Uri
from hw.phone.useragent import UserAgent
from hw.sim.rtp import Audio
from hw.sim.session import CallReport, Session

_log = logging.getLogger(__name__)
#: Seconds that a phone being closed waits for its last responses, and until a failed registration is tried again.
_LAST_WORDS = 2.0
_AGAIN = 1.0
#: Failures of a call that a box which was restarted may give.
_FORGOTTEN = (403, 404, 408, 480, 481, 503)
_MAX_REPORTS = 100_000
_REFUSALS = {480: "Temporarily Unavailable", 486: "Busy Here", 603: "Decline"}


class RefusedError(Exception):
    """The far end refused a re-INVITE or a REFER; the call goes on."""


class PhoneCall:
    """One call from the person's side: what can be done, and what can be waited for."""

    def __init__(self, phone: Phone, session: Session) -> None:
        self._phone = phone
        self._session = session

    @property
    def report(self) -> CallReport:
        """What happened so far."""
        return self._session.update() if self._session.report.ended is None else self._session.report

    @property
    def listens(self) -> bool:
        """Whether the far end should be sending."""
        return self._session.direction in ("sendrecv", "recvonly")

    def answer(self) -> None:
        """Pick up an incoming call; ``answered`` tells when the far end knows."""
        self._session.call.answer(self._session.answer())

    def decline(self, status: int = 486) -> None:
        """Refuse an incoming call: 480, 486 or 603."""
        self._session.call.hangup(status, _REFUSALS[status])

    def hangup(self) -> None:
        """End the call in whatever state; once more does nothing."""
        self._session.call.hangup()

    def press(self, keys: str, way: Literal["rfc4733", "info", "agreed"] = "agreed") -> None:
        """Press keys as RTP events, as INFO requests, or (agreed) as events if the far end takes them, else INFO.

        Raises ``ValueError`` for no such keys, or events not agreed on.
        """
        stream = self._session.stream
        if way == "rfc4733" or (way == "agreed" and stream.telephone_event is not None):
            stream.press(keys)
            return
        for key in keys:
            body = f"Signal={key}\r\nDuration=160\r\n".encode()
            self._session.call.request("INFO", [("Content-Type", "application/dtmf-relay")], body)

    async def hold(self) -> None:
        """Put the far end on hold. Raises ``RefusedError``."""
        await self._modify("sendonly")

    async def resume(self) -> None:
        """Take it back. Raises ``RefusedError``."""
        await self._modify("sendrecv")

    async def _modify(self, wanted: Direction) -> None:
        session = self._session
        await self.answered()
        session.modified_status = 0
        session.call.modify(session.offer(wanted))
        await session.until(lambda: session.modified_status > 0)
        if session.modified_status >= 300:
            raise RefusedError(f"re-INVITE: {session.modified_status}")

    async def transfer(self, target: str, replaces: PhoneCall | None = None) -> int:
        """Blind transfer to ``target`` (RFC 3515), attended when it is the far end of the call to replace (RFC 3891).

        Returns the SIP status that the far end reported last. Raises ``RefusedError``.
        """
        session = self._session
        uri = self._phone.uri(target)
        if replaces is not None:
            dialog = replaces._session.call.dialog
            tags = f";to-tag={dialog.remote.params['tag']};from-tag={dialog.local.params['tag']}"
            uri = evolve(uri, headers={"Replaces": dialog.call_id + tags})
        session.transferred = 0
        lines = [("Refer-To", f"<{uri}>"), ("Referred-By", f"<{self._phone.uri(self._phone.account)}>")]
        session.call.request("REFER", lines, b"", session.referred)
        await session.until(lambda: session.transferred >= 200 or session.transferred < 0)
        if session.transferred < 0:
            raise RefusedError(f"REFER: {-session.transferred}")
        return session.transferred

    async def alerting(self) -> None:
        """The far end rings, or picked up at once."""
        await self._session.until(lambda: self._session.report.rang is not None or self._session.call.state == "up")

    async def answered(self) -> None:
        """Both can talk."""
        await self._session.until(lambda: self._session.report.answered is not None)

    async def heard(self, code: int, times: int = 1) -> None:
        """The voice of ``code`` was heard for so many cycles."""
        await self._session.until(lambda: self._session.stream.codes[code] >= times)

    async def pressed(self, keys: str) -> None:
        """These keys were received, as the last ones."""
        await self._session.until(lambda: self._session.stream.keys.endswith(keys))

    async def directed(self, direction: Direction) -> None:
        """This direction, seen from here, was agreed on: recvonly or inactive when the far end put us on hold."""
        await self._session.until(lambda: self._session.direction == direction)

    async def ended(self) -> CallReport:
        """The call is over, whoever ended it."""
        await self._session.over()
        return self._session.report


class Phone:
    """One phone. ``calls`` are those that are not over."""

    def __init__(
        self, account: str, password: str, registrar: tuple[str, int], audio: Audio, *, code: int, display: str = "",
        address: str = "127.0.0.1", transport: Transport = "udp", expires: int = 120,
    ) -> None:  # fmt: skip
        """``registrar``: IP address and port of SIP; ``address``: ours; ``expires``: seconds of a registration."""
        self.account = account
        self.code = code
        self.calls: list[PhoneCall] = []
        self._over: deque[CallReport] = deque(maxlen=_MAX_REPORTS)
        self._audio = audio
        self._address = address
        self._flow = Flow(transport, *registrar)
        self._local = Address(self.uri(account), display)
        self._credentials = Credentials(account, password)
        self._expires = expires
        self._port = 0
        self._agent: UserAgent | None = None
        self._registration: Registration | None = None
        self._registered = asyncio.Event()
        self._ringing: asyncio.Queue[PhoneCall] = asyncio.Queue()
        self._tasks: set[asyncio.Task[None]] = set()

    def uri(self, number: str) -> Uri:
        """The address of a number or account at the registrar."""
        return Uri(number, self._flow.host)

    @property
    def local(self) -> tuple[str, int]:
        """The address and port at which we take SIP, port 0 while the phone is off."""
        return self._address, self._port

    async def start(self) -> None:
        """Open the socket and begin to register. Raises ``OSError``."""
        self._agent = UserAgent(software="OneCall simulated phone", on_request=self._requested)
        self._port = self._agent.listen(self._flow.transport, self._address)
        self._registration = Registration(
            self._agent, self._flow, realm=self._flow.host, credentials=self._credentials, expires_s=self._expires,
            on_change=self._registration_changed,
        )  # fmt: skip
        self._registration.start()

    async def registered(self) -> None:
        """Wait until the registrar knows us."""
        await self._registered.wait()

    def register(self) -> None:
        """Register now, whatever the refresh timer says."""
        if self._registration is not None:
            self._registration.start()

    def _registration_changed(self, outcome: Outcome, status: int) -> None:
        if outcome == "registered":
            self._registered.set()
            return
        self._registered.clear()
        if outcome == "failed":
            _log.warning("%s: not registered: %s", self.account, status or "no response")
            asyncio.get_running_loop().call_later(_AGAIN, self.register)

    async def ringing(self) -> PhoneCall:
        """The next call that comes in (it has been told that we ring)."""
        return await self._ringing.get()

    def dial(self, number: str) -> PhoneCall:
        """Call a number: an extension, a feature code, outside. Raises ``OSError``."""
        if self._agent is None:
            raise OSError(f"{self.account}: the phone is off")
        session = self._session(number, incoming=False)
        try:
            session.call = self._agent.invite(
                session, str(self.uri(number)), self._flow, local=self._local, body=session.offer(),
                credentials=self._credentials,
            )  # fmt: skip
        except OSError:
            session.stream.close()
            raise
        return self._begun(session)

    def vanish(self) -> None:
        """The cable is pulled: sockets closed, nobody told. ``start`` puts it in again."""
        if self._agent is None:
            return
        if self._registration is not None:
            self._registration.abandon()
        self._agent.close()
        self._agent = self._registration = None
        self._port = 0
        self._registered.clear()
        for call in list(self.calls):
            call._session.end("fault")

    async def close(self) -> None:
        """Hang up, unregister, and close the socket."""
        if self._agent is None or self._registration is None:
            return
        for call in self.calls:
            call.hangup()
        self._registration.stop()
        try:
            async with asyncio.timeout(_LAST_WORDS):
                await self._agent.idle()
        except TimeoutError:
            _log.info("%s: the registrar does not answer our farewell", self.account)
        self.vanish()

    def reports(self) -> list[CallReport]:
        """Every call since the start (of very many the last), those that are up too."""
        return [*self._over, *(call.report for call in self.calls)]

    def _requested(self, request: Request) -> None:
        """A request outside of calls."""
        match request.message.method:
            case "INVITE":
                self._invited(request)
            case "OPTIONS" | "NOTIFY":
                request.reply(200, "OK")
            case _:
                request.reply(405, "Method Not Allowed")

    def _invited(self, request: Request) -> None:
        message = request.message
        if self._agent is None or Uri.parse(message.uri).user != self.account:
            request.reply(404, "Not Found")
            return
        try:
            session = self._session(Address.parse(message.headers.get("from")).uri.user, incoming=True)
        except OSError:
            request.reply(486, _REFUSALS[486])
            return
        try:
            session.take_offer(message.body)
            session.call = self._agent.accept(request, session, self.account)
        except MalformedError:
            session.stream.close()
            raise
        except sdp.SdpError:
            session.stream.close()
            request.reply(488, "Not Acceptable Here")
            return
        session.call.ring()
        session.report.rang = session.report.began
        self._ringing.put_nowait(self._begun(session))

    def _session(self, number: str, *, incoming: bool) -> Session:
        stream = self._audio.open(self._address)
        return Session(stream, CallReport(self.account, self.code, number, incoming))

    def _begun(self, session: Session) -> PhoneCall:
        call = PhoneCall(self, session)
        self.calls.append(call)
        task = asyncio.get_running_loop().create_task(self._follow(call))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return call

    async def _follow(self, call: PhoneCall) -> None:
        """When the call is over, remember its report; register anew when the box may have forgotten us."""
        report = await call.ended()
        self.calls.remove(call)
        self._over.append(report)
        if report.by == "fault" or report.status in _FORGOTTEN:
            self.register()
