"""A SIP user agent: calls in and out, requests outside calls, digest. Phone process and simulated phones stand on it.

    agent = UserAgent(software="Simulated phone", on_request=incoming)
    port = agent.listen("udp", "127.0.0.1")          # asyncio loop running; port 0 takes a free one

In: ``on_request`` gets every request that belongs to no dialog. An INVITE becomes a call by ``agent.accept(request,
handler)``; then ``call.ring()``, ``call.answer(sdp)``, ``call.hangup(486, "Busy Here")``. Anything else is answered
with ``request.reply(200, "OK", headers, body)``.

Out: ``agent.invite(handler, uri, flow, local=…, credentials=…, body=sdp)`` gives a call; ``call.hangup()`` cancels it
or says BYE, ``call.modify(sdp)`` holds and resumes, ``call.request("REFER", [("Refer-To", "<sip:202@…>")])`` transfers,
``call.request("INFO", [("Content-Type", "application/dtmf-relay")], b"Signal=5\\r\\nDuration=160\\r\\n")`` is a key.
What happens comes to the ``CallHandler`` (see ``call``). A registration that refreshes itself is ``registration``.

``Flow("udp", "127.0.0.1", 5060)`` is where a request really goes, whatever its URI says. Several user agents can live
in one process, each with ports of its own; all run in the asyncio loop in which they were made; ``close`` ends them.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from hw.phone import digest
from hw.phone.call import Call, CallHandler
from hw.phone.dialog import Dialog, Lines, tag_of
from hw.phone.digest import Credentials
from hw.phone.stack import ClientTransaction, Flow, Message, Request, Stack, Transport
from hw.phone.text import Address, MalformedError, Uri

ALLOW = "INVITE, ACK, CANCEL, BYE, OPTIONS, INFO, REFER, NOTIFY"
#: Challenge status → the header that asks, the header that answers (RFC 3261 §22.2, §22.3).
_CHALLENGES = {401: ("www-authenticate", "Authorization"), 407: ("proxy-authenticate", "Proxy-Authorization")}
Response = Callable[[Message | None], None]


class UserAgent:
    """One endpoint: its transports, its calls. ``counters`` tell what was dropped and why."""

    def __init__(self, *, software: str, on_request: Callable[[Request], None], address: str = "") -> None:
        """``address`` is the host put into Contact instead of the one listened on."""
        self._on_request = on_request
        self._software = software
        self._address = address
        self._calls: dict[tuple[str, str], Call] = {}
        self._credentials: dict[str, Credentials] = {}
        self._pending = 0
        self._idle = asyncio.Event()
        self._idle.set()
        self._stack = Stack(software=software, on_request=self._requested, on_stray=self._stray)
        self.counters = self._stack.counters
        self.count = self._stack.count
        self.trace = self._stack.trace

    def listen(self, transport: Transport, host: str, port: int = 0) -> int:
        """See ``Stack.listen``."""
        return self._stack.listen(transport, host, port)

    def contact(self, user: str, transport: Transport) -> str:
        """Our Contact for messages over ``transport``. Raises ``OSError`` when we do not listen on it."""
        if transport not in self._stack.local:
            raise OSError(f"not listening on {transport}")
        host, port = self._stack.local[transport]
        params = {"transport": "tcp"} if transport == "tcp" else {}
        return str(Address(Uri(user, self._address or host, port, params)))

    def capabilities(self) -> Lines:
        """The header fields that say what we can do (RFC 3261 §20.5, §20.37)."""
        return [("Allow", ALLOW), ("Supported", "replaces")]

    @property
    def calls(self) -> int:
        """Dialogs that are known, those still saying BYE included."""
        return len(self._calls)

    def find(self, call_id: str, local_tag: str) -> Call | None:
        """The call with this Call-ID and our tag: what a Replaces header names (RFC 3891 §3)."""
        return self._calls.get((call_id, local_tag))

    def accept(self, request: Request, handler: CallHandler, user: str = "") -> Call:
        """Make a call of an INVITE; ``user`` is ours in the Contact. Raises ``MalformedError`` (reply 400 then)."""
        dialog = Dialog.incoming(request.message, self.contact(user, request.message.flow.transport))
        call = Call(self, dialog, handler, request)
        self._calls[dialog.key] = call
        self._settle()
        return call

    def invite(
        self, handler: CallHandler, uri: str, flow: Flow, *, local: Address, remote: Address | None = None,
        body: bytes = b"", headers: Lines | None = None, credentials: Credentials | None = None,
    ) -> Call:  # fmt: skip
        """Call ``uri`` over ``flow``; ``local`` goes into From, ``remote`` into To. Raises ``OSError``."""
        to = remote or Address(Uri.parse(uri).bare())
        dialog = Dialog.outgoing(local, to, uri, flow, self.contact(local.uri.user, flow.transport))
        call = Call(self, dialog, handler, None)
        self._calls[dialog.key] = call
        if credentials is not None:
            self._credentials[dialog.call_id] = credentials
        try:
            call.start(body, headers or [])
        except OSError:
            self.forget(call)
            raise
        return call

    def send(
        self, method: str, uri: str, flow: Flow, *, local: Address, remote: Address, on_response: Response,
        headers: Lines | None = None, body: bytes = b"", credentials: Credentials | None = None,
        call_id: str = "", seq: int = 0,
    ) -> int:  # fmt: skip
        """Send a request outside of calls (REGISTER, OPTIONS, MESSAGE); a digest challenge is answered once.

        ``call_id`` and ``seq`` carry on an earlier one's; with a challenge two numbers are used. Raises ``OSError``.
        """
        dialog = Dialog.outgoing(local, remote, uri, flow, self.contact(local.uri.user, flow.transport))
        if call_id:
            dialog.call_id, dialog.local_seq = call_id, seq

        def responded(message: Message | None) -> None:
            if message is None or message.status >= 200:
                self._credentials.pop(dialog.call_id, None)
            on_response(message)

        if credentials is not None:
            self._credentials[dialog.call_id] = credentials
        self.send_in(dialog, method, headers or [], body, responded)
        return dialog.local_seq

    def send_in(
        self, dialog: Dialog, method: str, headers: Lines, body: bytes, on_response: Response,
        on_again: Callable[[ClientTransaction], None] = lambda again: None,
    ) -> ClientTransaction:  # fmt: skip
        """Send a request with a dialog's header fields; a digest challenge is answered once, ``on_again`` tells.

        Raises ``OSError``.
        """
        challenged = False

        def responded(message: Message | None) -> None:
            nonlocal challenged
            if message is None or message.status >= 200:
                self._done()
            if message is not None and message.status in _CHALLENGES and not challenged:
                challenged = True
                proof = self._proof(dialog, method, message)
                if proof is not None:
                    try:
                        on_again(send([proof]))
                    except OSError:
                        on_response(None)
                    return
            on_response(message)

        def send(proof: Lines) -> ClientTransaction:
            lines = dialog.headers(method, dialog.next_seq()) + proof + headers + [("User-Agent", self._software)]
            transaction = self._stack.request(method, dialog.target, dialog.flow, lines, body, responded)
            self._pending += 1
            self._settle()
            return transaction

        return send([])

    def send_once(self, method: str, dialog: Dialog, lines: Lines) -> None:
        """Send the ACK to a 2xx; a way that is broken is counted (the far end repeats its 2xx)."""
        try:
            self._stack.send_once(method, dialog.target, dialog.flow, lines)
        except OSError:
            self.count("ack_not_sent")

    def forget(self, call: Call) -> None:
        """The dialog has ended; what still comes for it is answered with 481."""
        self._calls.pop(call.dialog.key, None)
        self._credentials.pop(call.dialog.call_id, None)
        self._settle()

    async def idle(self) -> None:
        """Wait until every call has ended and no request of ours waits for its response."""
        await self._idle.wait()

    def close(self) -> None:
        """Close the sockets at once."""
        self._stack.close()

    def _done(self) -> None:
        self._pending -= 1
        self._settle()

    def _settle(self) -> None:
        if self._pending or self._calls:
            self._idle.clear()
        else:
            self._idle.set()

    def _proof(self, dialog: Dialog, method: str, message: Message) -> tuple[str, str] | None:
        credentials = self._credentials.get(dialog.call_id)
        asked, answered = _CHALLENGES[message.status]
        for value in message.headers.fields(asked):
            challenge = digest.Challenge.parse(value)
            if challenge is not None and credentials is not None:
                return answered, digest.respond(challenge, credentials, method, dialog.target)
        return None

    def _requested(self, request: Request) -> None:
        message = request.message
        try:
            tag = tag_of(message, "to")
            call = self._calls.get((message.headers.get("call-id"), tag)) if tag else None
            if call is not None:
                call.take(request)
            elif message.method == "ACK":
                self.count("stray_ack")  # of a dialog that is gone, or to a challenge (sent without state)
            elif tag:
                request.reply(481, "Call/Transaction Does Not Exist")
            else:
                self._on_request(request)
        except MalformedError:
            self.count("malformed")
            request.reply(400, "Bad Request")

    def _stray(self, message: Message) -> None:
        try:
            call = self._calls.get((message.headers.get("call-id"), tag_of(message, "from")))
            if call is not None and message.headers.get("cseq").endswith("INVITE") and 200 <= message.status < 300:
                call.answered_again(message)
            else:
                self.count("stray_response")
        except MalformedError:
            self.count("malformed")
