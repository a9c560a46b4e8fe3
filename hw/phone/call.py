"""INVITE sessions (RFC 3261 §13, §14, §15), both roles: from the first INVITE to the BYE.

A call is incoming or outgoing; it is ``trying``, then ``early`` (something was said about it), ``up`` and ``ended``.
What happens is told to its ``CallHandler``. SDP bodies pass through as they are: their meaning is the owner's business.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable
from typing import TYPE_CHECKING, Literal

from hw.phone.dialog import Dialog, Lines, sequence
from hw.phone.stack import ClientTransaction, Message, Request
from hw.phone.text import MalformedError

if TYPE_CHECKING:
    from hw.phone.useragent import UserAgent

#: RFC 3261 §17.1.1.1, in seconds.
T1, T2 = 0.5, 4.0
State = Literal["trying", "early", "up", "ended"]
By = Literal["far", "us", "fault"]
Response = Callable[[Message | None], None]
SDP = ("Content-Type", "application/sdp")


class CallHandler:
    """What a call tells its owner. Everything comes in the asyncio loop."""

    def progress(self, call: Call, message: Message) -> None:
        """A provisional response above 100 to our INVITE; a body is early media."""

    def answered(self, call: Call, message: Message) -> None:
        """The far end answered our INVITE; the ACK is sent."""

    def confirmed(self, call: Call, body: bytes) -> None:
        """The ACK to our answer came; ``body`` is the SDP answer where we had to make the offer."""

    def offered(self, call: Call, body: bytes) -> None:
        """A re-INVITE: to be answered with ``call.accept`` or ``call.refuse``; an empty body asks us for an offer."""
        call.refuse(488, "Not Acceptable Here")

    def modified(self, call: Call, message: Message | None) -> None:
        """The final response to our re-INVITE, None when none came."""

    def requested(self, call: Call, request: Request) -> None:
        """Any other request in the dialog (INFO, REFER, NOTIFY…): to be replied to."""
        request.reply(405, "Method Not Allowed")

    def ended(self, call: Call, by: By, message: Message | None) -> None:
        """The last that is told. ``message``: the far end's BYE or failure response, None when there is none."""


class Call:
    """One INVITE session. Made by ``UserAgent.invite`` and ``UserAgent.accept``."""

    def __init__(self, agent: UserAgent, dialog: Dialog, handler: CallHandler, invite: Request | None) -> None:
        self.dialog = dialog
        self.handler = handler
        self.state: State = "trying"
        self.incoming = invite is not None
        self._agent = agent
        self._invite = invite
        self._transaction: ClientTransaction | None = None
        self._ack: tuple[int, Lines] | None = None
        self._modifying = False
        self._answer: Request | None = None
        self._repeat: asyncio.TimerHandle | None = None
        self._bye_after_ack: Lines | None = None
        if invite is not None:
            invite.on_cancel = self._cancelled

    # -- incoming ------------------------------------------------------------------------------------------------------

    def ring(self, status: int = 180, reason: str = "Ringing", body: bytes = b"") -> None:
        """A provisional response above 100; with an SDP ``body`` (183) early media."""
        if self.state in ("trying", "early") and self._invite is not None:
            self.state = "early"
            self._invite.reply(status, reason, self._lines(body), body)

    def answer(self, body: bytes, headers: Lines | None = None) -> None:
        """200 OK with our SDP; repeated until the ACK comes."""
        if self.state in ("trying", "early") and self._invite is not None:
            self.state = "up"
            self._answer_with(self._invite, body, headers or [])

    # -- outgoing ------------------------------------------------------------------------------------------------------

    def start(self, body: bytes, headers: Lines) -> None:
        """Send the INVITE; called by the user agent. Raises ``OSError``."""
        self._send_invite(body, headers, self._responded)

    def _responded(self, message: Message | None) -> None:
        if message is None:
            self._end("fault", None)
            self._agent.forget(self)
        elif message.status < 200:
            if self.state != "ended" and message.status > 100:
                self.state = "early"
                self.handler.progress(self, message)
        elif message.status < 300:
            self._confirmed(message)
        else:
            self._end("far", message)
            self._agent.forget(self)

    def _confirmed(self, message: Message) -> None:
        try:
            self.dialog.confirm(message)
        except MalformedError:
            self._agent.count("malformed")
            self._end("fault", message)
            self._agent.forget(self)
            return
        self._acknowledge(message)
        if self.state == "ended":  # the answer crossed our CANCEL
            self._bye([])
            return
        self.state = "up"
        self.handler.answered(self, message)

    def answered_again(self, message: Message) -> None:
        """A repeated 2xx: our ACK was lost. Called by the user agent."""
        if self._ack is not None and self._ack[0] == sequence(message):
            self._agent.send_once("ACK", self.dialog, self._ack[1])

    # -- both ----------------------------------------------------------------------------------------------------------

    def hangup(self, status: int = 480, reason: str = "Temporarily Unavailable", headers: Lines | None = None) -> None:
        """End the call in whatever state: ``status`` refuses an incoming one, else CANCEL or BYE with ``headers``.

        ``ended`` is told at once; what is still to be sent is sent without further word.
        """
        lines = headers or []
        was = self.state
        if was == "ended":
            return
        self._end("us", None)
        if was == "up":
            self._bye(lines)
        elif self._invite is not None:
            self._invite.reply(status, reason, lines)
            self._agent.forget(self)
        elif self._transaction is not None:
            self._transaction.cancel()

    def modify(self, body: bytes) -> None:
        """Offer new media (re-INVITE, §14.1); ``modified`` tells. Raises ``RuntimeError`` when one is under way."""
        if self.state != "up" or self._modifying:
            raise RuntimeError("a re-INVITE is under way" if self._modifying else f"the call is {self.state}")
        self._modifying = True
        self._send_invite(body, [], lambda message: self._modified(body, message))

    def _modified(self, body: bytes, message: Message | None) -> None:
        if message is not None and message.status < 200:
            return
        self._modifying = False
        if message is not None and message.status < 300:
            self.dialog.refresh(message)
            self._acknowledge(message)
        if self.state == "ended":
            return
        if message is not None and message.status == 491:  # both at once: later again (§14.1)
            delay = random.uniform(0, 2) if self.incoming else random.uniform(2.1, 4)
            asyncio.get_running_loop().call_later(delay, self._modify_again, body)
            return
        self.handler.modified(self, message)
        if message is None or message.status in (408, 481):  # the dialog is gone (§12.2.1.2)
            self._end("fault", message)
            self._bye([])

    def _modify_again(self, body: bytes) -> None:
        if self.state == "up" and not self._modifying:
            self.modify(body)

    def accept(self, body: bytes) -> None:
        """Answer the far end's re-INVITE; nothing when it is no longer open."""
        if self._answer is not None and not self._answer.answered:
            self._answer_with(self._answer, body, [])

    def refuse(self, status: int, reason: str) -> None:
        """Refuse the far end's re-INVITE: everything stays as it was."""
        if self._answer is not None:
            self._answer.reply(status, reason)

    def request(
        self, method: str, headers: Lines, body: bytes = b"", on_response: Response = lambda message: None
    ) -> None:
        """Send another request in the dialog (INFO, REFER, NOTIFY…). Raises ``OSError``."""
        self._agent.send_in(self.dialog, method, headers, body, on_response)

    def take(self, request: Request) -> None:
        """A request of the far end in this dialog; called by the user agent."""
        message = request.message
        number = sequence(message)
        if message.method == "ACK":
            self._acknowledged(number, message.body)
            return
        if number < self.dialog.remote_seq:
            request.reply(500, "Server Internal Error")  # out of order (§12.2.2)
            return
        self.dialog.remote_seq = number
        if message.method == "BYE":
            request.reply(200, "OK")
            if self._invite is not None and self.state in ("trying", "early"):
                self._invite.reply(487, "Request Terminated")
            self._stop_repeating()
            self._end("far", message)
            self._agent.forget(self)
        elif message.method == "INVITE":
            self._reinvited(request)
        else:
            self.handler.requested(self, request)

    def _reinvited(self, request: Request) -> None:
        if self._answer is not None and not self._answer.answered:
            request.reply(500, "Server Internal Error", [("Retry-After", str(random.randint(0, 10)))])  # §14.2
        elif self._modifying or self.state != "up":
            request.reply(491, "Request Pending")
        else:
            self._stop_repeating()  # who offers anew has our answer
            self.dialog.refresh(request.message)
            self._answer = request
            request.on_cancel = lambda: request.reply(487, "Request Terminated")
            self.handler.offered(self, request.message.body)

    def _answer_with(self, request: Request, body: bytes, headers: Lines) -> None:
        self._answer = request
        request.reply(200, "OK", self._lines(body) + headers, body)
        loop = asyncio.get_running_loop()
        self._repeat = loop.call_later(T1, self._repeat_answer, T1, loop.time())

    def _repeat_answer(self, interval: float, started: float) -> None:
        loop = asyncio.get_running_loop()
        if self._answer is None:
            return
        if loop.time() - started >= 64 * T1:  # the ACK never came (§13.3.1.4)
            self._agent.count("ack_missing")
            self._stop_repeating()
            self._end("fault", None)
            self._bye(self._bye_after_ack or [])
            return
        self._answer.repeat()
        interval = min(2 * interval, T2)
        self._repeat = loop.call_later(interval, self._repeat_answer, interval, started)

    def _acknowledged(self, number: int, body: bytes) -> None:
        if self._repeat is None or self._answer is None or sequence(self._answer.message) != number:
            return
        self._stop_repeating()
        if self._bye_after_ack is not None:
            self._bye(self._bye_after_ack)
        elif self.state == "up":
            self.handler.confirmed(self, body)

    def _stop_repeating(self) -> None:
        if self._repeat is not None:
            self._repeat.cancel()
            self._repeat = None
        if self._answer is not None and self._answer.answered:
            self._answer.release()

    def _cancelled(self) -> None:
        if self._invite is not None and not self._invite.answered:
            self._invite.reply(487, "Request Terminated")
            self._end("far", None)
            self._agent.forget(self)

    def _send_invite(self, body: bytes, headers: Lines, on_response: Response) -> None:
        def sent(transaction: ClientTransaction) -> None:
            self._transaction = transaction
            if self.state == "ended":
                transaction.cancel()

        lines = self._agent.capabilities() + headers + ([SDP] if body else [])
        sent(self._agent.send_in(self.dialog, "INVITE", lines, body, on_response, sent))

    def _acknowledge(self, message: Message) -> None:
        number = sequence(message)
        lines = self.dialog.headers("ACK", number)
        self._ack = (number, lines)
        self._agent.send_once("ACK", self.dialog, lines)

    def _bye(self, headers: Lines) -> None:
        if self._repeat is not None:  # a callee says BYE only after the ACK (§15)
            self._bye_after_ack = headers
            return
        try:
            self._agent.send_in(self.dialog, "BYE", headers, b"", lambda message: None)
        except OSError:
            self._agent.count("bye_not_sent")
        self._agent.forget(self)

    def _end(self, by: By, message: Message | None) -> None:
        was, self.state = self.state, "ended"
        if was == "up" and self._answer is not None and not self._answer.answered:
            self._answer.reply(487, "Request Terminated")
        if was != "ended":
            self.handler.ended(self, by, message)

    def _lines(self, body: bytes) -> Lines:
        lines = [("Contact", self.dialog.contact), *self._agent.capabilities()]
        return [*lines, SDP] if body else lines
