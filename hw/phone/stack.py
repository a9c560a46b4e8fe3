"""libre in the asyncio loop: sockets, the SIP parser and transactions (RFC 3261 §7, §17, §18); nothing above them.

libre has one event loop for a process. It is not run in a thread: its epoll descriptor is a reader of the asyncio loop
and its next timer a ``call_later``, so that every callback comes in the asyncio loop, at once, and nothing polls.

libre does what transactions do: retransmissions both ways, absorbing repeated requests, CANCEL matching, ACK to
failures, timers B, F, H. Left to ``call``: dialogs, ACK to 2xx and repeating a 2xx until its ACK.
"""

from __future__ import annotations

import asyncio
import errno
import itertools
import logging
import os
from collections.abc import Callable
from typing import Any, Literal

from attrs import frozen

from hw.phone._re import ffi, lib
from hw.phone.text import Headers

Transport = Literal["udp", "tcp"]
#: Descriptors libre may use: one for each TCP phone and the listeners.
MAX_FDS = 4096
#: libre takes UDP packets up to 8 kB and TCP messages up to 64 kB.
_TEXT_SIZE = 1 << 18
_TRANSPORTS: dict[str, int] = {"udp": 0, "tcp": 1}
_log = logging.getLogger(__name__)
_ids = itertools.count(1)
_text = ffi.new("char[]", _TEXT_SIZE)
_size = ffi.new("size_t *")


@frozen
class Flow:
    """The way to a peer: transport and IP address. Over TCP libre uses the connection to that address that is open."""

    transport: Transport
    host: str
    port: int

    def __str__(self) -> str:
        return f"{self.host}:{self.port}"


@frozen
class Message:
    """A parsed message from ``flow``. ``method`` and ``uri`` of a request; ``status`` and ``reason`` of a response."""

    flow: Flow
    method: str
    uri: str
    status: int
    reason: str
    tag: str
    headers: Headers
    body: bytes


class Request:
    """A request that came in, with its server transaction: answered once, before that by provisional replies."""

    def __init__(self, stack: Stack, key: int, pointer: Any, message: Message) -> None:
        self.message = message
        self.on_cancel: Callable[[], None] = lambda: None
        self.answered = False
        self._stack = stack
        self._key = key
        self._pointer = pointer

    def reply(self, status: int, reason: str, headers: list[tuple[str, str]] | None = None, body: bytes = b"") -> None:
        """Send a response; a final one ends the transaction, except that a 2xx to INVITE lives until ``release``.

        Via, To (with ``message.tag``), From, Call-ID, CSeq and Record-Route are libre's. Ignored after a final one.
        """
        if self.answered or self._pointer is None:
            return
        self.answered = status >= 200
        content = _content(headers or [], body)
        err = lib.hw_server_reply(self._pointer, status, reason.encode(), content, len(content))
        if err:
            self._stack.count("reply_not_sent")
        if self.answered and (err or status >= 300 or self.message.method != "INVITE"):
            self.release()
        self._stack.reactor.rearm()

    def reply_once(self, status: int, reason: str, headers: list[tuple[str, str]]) -> None:
        """Send a final failure without state: it is not repeated, the request if repeated is judged anew.

        For challenges and refusals of strangers, who may have lied about their address (RFC 3261 §26.3.2.4).
        """
        if self.answered or self._pointer is None:
            return
        self.answered = True
        content = _content(headers, b"")
        if lib.hw_server_reply_once(self._pointer, status, reason.encode(), content, len(content)):
            self._stack.count("reply_not_sent")
        self.release()

    def repeat(self) -> None:
        """Send the 2xx to INVITE again (RFC 3261 §13.3.1.4)."""
        if self._pointer is not None and lib.hw_server_repeat(self._pointer):
            self._stack.count("reply_not_sent")

    def release(self) -> None:
        """Let go of the transaction; done by itself after every final reply but a 2xx to INVITE."""
        if self._pointer is not None:
            _requests.pop(self._key, None)
            self._stack.requests.pop(self._key, None)
            lib.hw_server_free(self._pointer)
            self._pointer = None


class ClientTransaction:
    """A request of ours on its way; ``on_response`` gets each response, or None when none can come any more."""

    def __init__(self, pointer: Any, on_response: Callable[[Message | None], None]) -> None:
        self.done = False
        self._pointer = pointer
        self._on_response = on_response

    def cancel(self) -> None:
        """CANCEL the INVITE (RFC 3261 §9.1): now, or as soon as its first provisional response is there."""
        if not self.done:
            lib.hw_cancel(self._pointer)
            _reactor().rearm()

    def take(self, message: Message | None) -> None:
        """Called by the stack."""
        self.done = message is None or message.status >= 200
        self._on_response(message)


class Stack:
    """Transports of one endpoint. All callbacks come in the asyncio loop in which it was made.

    ``on_request`` gets every new request (ACK has no transaction: do not reply to it); ``on_stray`` every response
    without a transaction: a repeated or forked 2xx to INVITE.
    """

    def __init__(
        self,
        *,
        software: str,
        on_request: Callable[[Request], None],
        on_stray: Callable[[Message], None] = lambda message: None,
    ) -> None:
        self.reactor = _reactor()
        self.counters: dict[str, int] = {}
        self.requests: dict[int, Request] = {}
        self.on_request = on_request
        self.on_stray = on_stray
        self.tracer: Callable[[Flow, Flow, bytes], None] = lambda source, target, message: None
        self.local: dict[Transport, tuple[str, int]] = {}
        self._key = next(_ids)
        self.reactor.attach(self)
        pointer = ffi.new("struct hw_stack **")
        _check(lib.hw_stack_open(pointer, self._key, software.encode()), "open a SIP stack")
        self._pointer = pointer[0]
        _stacks[self._key] = self

    def count(self, name: str) -> None:
        """Count something that was dropped or went wrong."""
        self.counters[name] = self.counters.get(name, 0) + 1

    def trace(self, write: Callable[[Flow, Flow, bytes], None]) -> None:
        """Give every message, both ways, to ``write(source, target, message)``."""
        self.tracer = write
        lib.hw_stack_trace(self._pointer)

    def listen(self, transport: Transport, host: str, port: int = 0) -> int:
        """Listen on an IP address of this machine (not a wildcard: it is written into Via and Contact).

        One listener a transport. Returns the port taken. Raises ``OSError``, ``ValueError`` for a second one.
        """
        if transport in self.local:
            raise ValueError(f"a second {transport} address: {host}")
        bound = ffi.new("uint16_t *")
        err = lib.hw_stack_listen(self._pointer, _TRANSPORTS[transport], host.encode(), port, bound)
        _check(err, f"listen on {transport}:{host}:{port}")
        self.local[transport] = (host, bound[0])
        self.reactor.rearm()
        return int(bound[0])

    def request(
        self, method: str, uri: str, flow: Flow, headers: list[tuple[str, str]], body: bytes,
        on_response: Callable[[Message | None], None],
    ) -> ClientTransaction:  # fmt: skip
        """Send a request; Via is libre's, all else is in ``headers``. Raises ``OSError`` if it cannot be sent."""
        key = next(_ids)
        pointer = ffi.new("struct hw_client **")
        self._send(pointer, key, method, uri, flow, headers, body)
        transaction = ClientTransaction(pointer[0], on_response)
        _clients[key] = transaction
        return transaction

    def send_once(self, method: str, uri: str, flow: Flow, headers: list[tuple[str, str]], body: bytes = b"") -> None:
        """Send without a transaction: the ACK to a 2xx (RFC 3261 §13.2.2.4). Raises ``OSError``."""
        self._send(ffi.NULL, 0, method, uri, flow, headers, body)

    def _send(
        self, pointer: Any, key: int, method: str, uri: str, flow: Flow, headers: list[tuple[str, str]], body: bytes
    ) -> None:
        if self._key not in _stacks:
            raise OSError(errno.ENOTCONN, f"cannot send {method} to {flow.transport}:{flow}: closed")
        content = _content(headers, body)
        err = lib.hw_request(
            pointer, self._pointer, key, flow.transport.encode(), flow.host.encode(), flow.port, method.encode(),
            uri.encode(), content, len(content),
        )  # fmt: skip
        _check(err, f"send {method} to {flow.transport}:{flow}")
        self.reactor.rearm()

    def close(self) -> None:
        """Close all sockets; requests on their way get None as their response."""
        if _stacks.pop(self._key, None) is None:
            return
        for request in list(self.requests.values()):
            request.release()
        lib.hw_stack_close(self._pointer)
        self.reactor.detach(self)


class Reactor:
    """libre's loop inside the asyncio loop: made anew for each asyncio loop, active while it has stacks."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.loop = loop
        self._fd = lib.hw_start(MAX_FDS)
        if self._fd < 0:
            raise OSError(-self._fd, f"libre cannot start: {os.strerror(-self._fd)}")
        self._stacks: set[Stack] = set()
        self._timer: asyncio.TimerHandle | None = None
        self._arming = False

    def attach(self, stack: Stack) -> None:
        """Called by a new stack."""
        if not self._stacks:
            self.loop.add_reader(self._fd, self._turn)
        self._stacks.add(stack)
        self.rearm()

    def detach(self, stack: Stack) -> None:
        """Called by a closed stack."""
        self._stacks.discard(stack)
        if not self._stacks:
            self.loop.remove_reader(self._fd)
            if self._timer is not None:
                self._timer.cancel()
                self._timer = None

    def rearm(self) -> None:
        """Something may have started one of libre's timers: look at the next one before the loop sleeps."""
        if not self._arming:
            self._arming = True
            self.loop.call_soon(self._arm)

    def _turn(self) -> None:
        lib.hw_step()
        self.rearm()

    def _due(self) -> None:
        self._timer = None
        self._turn()

    def _arm(self) -> None:
        self._arming = False
        if not self._stacks:
            return
        due = self.loop.time() + lib.hw_next_ms() / 1000
        if self._timer is not None and self._timer.when() > due + 0.0005:
            self._timer.cancel()
            self._timer = None
        if self._timer is None:
            self._timer = self.loop.call_at(due, self._due)


def undecodable() -> int:
    """Packets of this process that were no SIP messages; libre drops them."""
    return int(lib.hw_undecodable())


_stacks: dict[int, Stack] = {}
_requests: dict[int, Request] = {}
_clients: dict[int, ClientTransaction] = {}
_current: Reactor | None = None


def _reactor() -> Reactor:
    global _current  # libre's loop is one for the process; so is this
    loop = asyncio.get_running_loop()
    if _current is None or _current.loop is not loop:
        _current = Reactor(loop)
    return _current


def _check(err: int, what: str) -> None:
    if err:
        raise OSError(err, f"cannot {what}: {os.strerror(err)}")


def _content(headers: list[tuple[str, str]], body: bytes) -> bytes:
    lines = [f"{name}: {value}\r\n" for name, value in headers]
    return "".join(lines).encode(errors="replace") + b"Content-Length: %d\r\n\r\n" % len(body) + body


def _decode(text: bytes) -> str:
    """SIP is UTF-8 (RFC 3261 §7); what is not is taken for the GB 18030 that older PBXs here write names in."""
    try:
        return text.decode()
    except UnicodeDecodeError:
        return text.decode("gb18030", errors="replace")


def _message(pointer: Any) -> Message:
    size = lib.hw_msg_text(pointer, _text, _TEXT_SIZE)
    transport, host, port, method, subject, status, tag, *lines = (
        _decode(ffi.buffer(_text, size)[:]).split("\n")
    )
    start = lib.hw_msg_body(pointer, _size)
    body = ffi.buffer(start, _size[0])[:] if _size[0] else b""
    pairs = [(name.strip(), value.strip()) for name, _, value in (line.partition(":") for line in lines)]
    flow = Flow("tcp" if transport == "TCP" else "udp", host, int(port))
    code = int(status)
    return Message(flow, method, "" if code else subject, code, subject if code else "", tag, Headers(pairs), body)


def _failed(kind: Any, error: Any, traceback: Any) -> None:
    _log.error("failure in a SIP callback", exc_info=(kind, error, traceback))


@ffi.def_extern(onerror=_failed)  # type: ignore[untyped-decorator]
def hw_on_request(key: int, pointer: Any) -> None:
    """A request that no transaction knows."""
    stack = _stacks[key]
    message = _message(pointer)
    number = next(_ids)
    if message.method == "ACK":
        stack.on_request(Request(stack, number, None, message))
        return
    server = ffi.new("struct hw_server **")
    _check(lib.hw_server_open(server, stack._pointer, pointer, number), "open a server transaction")
    request = Request(stack, number, server[0], message)
    _requests[number] = stack.requests[number] = request
    try:
        stack.on_request(request)
    except Exception:
        stack.count("internal_error")
        request.reply(500, "Server Internal Error")
        raise


@ffi.def_extern(onerror=_failed)  # type: ignore[untyped-decorator]
def hw_on_stray(key: int, pointer: Any) -> None:
    """A response that no transaction knows."""
    stack = _stacks[key]
    stack.on_stray(_message(pointer))


@ffi.def_extern(onerror=_failed)  # type: ignore[untyped-decorator]
def hw_on_cancel(number: int) -> None:
    """A CANCEL that matches a server transaction without a final response."""
    request = _requests.get(number)
    if request is not None:
        request.on_cancel()


@ffi.def_extern(onerror=_failed)  # type: ignore[untyped-decorator]
def hw_on_response(number: int, err: int, pointer: Any) -> None:
    """A response to a request of ours, or its failure."""
    transaction = _clients[number]
    message = None if err or pointer == ffi.NULL else _message(pointer)
    if message is None or message.status >= 200:
        del _clients[number]
    transaction.take(message)



@ffi.def_extern(onerror=_failed)  # type: ignore[untyped-decorator]
def hw_on_trace(
    key: int, transport: int, source: Any, source_port: int, target: Any, target_port: int, data: Any, size: int
) -> None:
    """A message sent or received."""
    kind: Transport = "udp" if transport == _TRANSPORTS["udp"] else "tcp"
    ends = [Flow(kind, ffi.string(h).decode(), p) for h, p in ((source, source_port), (target, target_port))]
    _stacks[key].tracer(ends[0], ends[1], ffi.buffer(data, size)[:])
