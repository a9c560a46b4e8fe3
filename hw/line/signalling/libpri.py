"""The D channel engine: libpri behind one class, for our side of a span and for the simulated exchange alike.

Q.921 frames go in and out, calls are handled by ``Call``, and everything that happens comes as one of the events of
``q931``, copied out of libpri at once (it reuses an event's memory). libpri's traps are closed here, so that for each
call there is exactly one ``Gone``, and it is the last:

- it sends nothing for most causes while nothing was sent for an incoming call: CALL PROCEEDING goes first;
- a second hang-up would break its state: it is dropped;
- some ends of a call have no event: calls that were given up are looked for, the others once a second;
- some messages stop its timers for good (CONNECT ACKNOWLEDGE behind DISCONNECT does), or have it do nothing when told
  to hang up: a call that is being cleared has a last time limit of our own.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections import deque
from collections.abc import Callable
from typing import Any

from hw.line.signalling import libpri_events, libpri_setup
from hw.line.signalling._libpri import ffi, lib
from hw.line.signalling.libpri_events import UNKNOWN_CAUSE
from hw.line.signalling.numbering import CHINA, Prefixes
from hw.line.signalling.q931 import Call, Clearing, Event, Gone, Role
from hw.line.signalling.trace import Trace

log = logging.getLogger(__name__)

#: No Q.921 frame is longer: N201 (260 octets of information, Q.921 §5.9.3) with address and control.
MAX_FRAME = 264
#: Calls are looked at so often.
_LOOK_S = 1.0
#: T305 and T308 of libpri (Q.931 table 9-2), and what a call that is being cleared has on top of T305 and T308 twice.
_T305_MS, _T308_MS, _SPARE_MS = 30_000, 4_000, 2_000
#: Causes that refuse an incoming call by RELEASE COMPLETE as the first answer (Q.931 §5.3.2 a).
_REFUSALS = frozenset({1, 34, 44, 82, 88})


class DChannel:
    """One D channel in the running asyncio loop: ``transmit`` takes frames to send, ``event`` takes events.

    Between ``start`` and ``stop`` the layers live; ``stop`` forgets every call without an event. Frames are without
    flags and FCS. ``errors`` counts what libpri complained about, ``dropped`` frames that were no Q.921.
    """

    def __init__(
        self,
        role: Role,
        *,
        transmit: Callable[[bytes], None],
        event: Callable[[Event], None],
        prefixes: Prefixes = CHINA,
    ) -> None:
        self._role: Role = role
        self._prefixes = prefixes
        self._transmit = transmit
        self._event = event
        #: Where frames are written to, if anywhere.
        self.trace: Trace | None = None
        self._timers: dict[str, int] = {}
        self._pri: Any = None
        self._userdata: Any = None
        self._calls: dict[int, Call] = {}
        self._inbox = b""
        self._events: deque[Event] = deque()
        self._draining = False
        self._timing = False
        self._timer: asyncio.TimerHandle | None = None
        self.errors = 0
        self.dropped = 0

    # -- life ----------------------------------------------------------------------------------------------------------

    @property
    def running(self) -> bool:
        """Whether it is started; calls can only be made then."""
        return self._pri is not None

    def start(self) -> None:
        """Begin to establish the data link with a new controller.

        libpri cannot free a controller: some kilobytes of the old one stay behind at each start.
        """
        self._userdata = ffi.new_handle(self)
        node = lib.PRI_NETWORK if self._role == "network" else lib.PRI_CPE
        self._pri = lib.pri_new_cb(
            -1, node, lib.PRI_SWITCH_EUROISDN_E1, lib.on_read, lib.on_write, self._userdata
        )
        if not self._pri:
            raise MemoryError("libpri has no controller")
        lib.pri_set_overlapdial(self._pri, 1)
        lib.pri_hangup_fix_enable(self._pri, 1)
        for name, ms in self._timers.items():
            lib.pri_set_timer(self._pri, getattr(lib, f"PRI_TIMER_{name}"), ms)
        self._settle()

    def stop(self) -> None:
        """Forget all calls and the link; nothing more is sent, no event comes."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        for call in self._calls.values():
            call.gone = True
            lib.pri_destroycall(self._pri, call.handle)
        self._calls.clear()
        self._events.clear()
        self._pri = None

    def set_timer(self, name: str, ms: int) -> None:
        """Have one of libpri's timers differ from Q.921's and Q.931's, from its next start on.

        Names: T200, T203, T303, T305, T308, T309, T313.
        """
        self._timers[name] = ms
        if self._pri is not None:
            lib.pri_set_timer(self._pri, getattr(lib, f"PRI_TIMER_{name}"), ms)

    def counters(self) -> dict[str, int]:
        """What was wrong since the beginning."""
        return {"q931_errors": self.errors, "q921_dropped": self.dropped}

    def receive(self, frame: bytes) -> None:
        """Take one frame from the line."""
        if self._pri is None or not 3 <= len(frame) <= MAX_FRAME:
            self.dropped += 1
            return
        if self.trace is not None:
            self.trace.write(frame, sent=False)
        self._inbox = frame
        self._take(lib.pri_check_event(self._pri))
        # libpri may have had more to tell than the one event that it returned.
        self._run_due()
        self._settle()

    # -- calls ---------------------------------------------------------------------------------------------------------

    def setup(
        self,
        called: str,
        caller: str = "",
        name: str = "",
        *,
        channel: int,
        exclusive: bool = True,
        restricted: bool = False,
        complete: bool = True,
    ) -> Call:
        """Send SETUP (3.1 kHz audio, A-law). ``name`` is delivered by the network only (Q.931 §4.5.16).

        Numbers are as one dials them (``numbering``). ``complete`` False leaves out Sending complete: more digits
        follow by ``information``. Raises ``ValueError`` for a number that is not sendable.
        """
        request = libpri_setup.request(
            self._role, self._prefixes, called, caller, name, restricted=restricted, complete=complete
        )
        lib.pri_sr_set_channel(request, channel, exclusive, 0)
        handle = lib.pri_new_call(self._pri)
        call = self._adopt(handle, incoming=False)
        if lib.pri_setup(self._pri, handle, request):
            raise RuntimeError("libpri refuses to send SETUP")
        self._settle()
        return call

    def information(self, call: Call, digit: str) -> None:
        """Send one more digit of the called number (overlap sending, Q.931 §5.1.3)."""
        self._send(call, lib.pri_information, digit.encode("ascii"))

    def setup_ack(self, call: Call, channel: int) -> None:
        """Ask for more digits on ``channel`` (overlap receiving, Q.931 §5.2.4)."""
        self._send(call, lib.pri_setup_ack, channel, 0, 0)

    def proceeding(self, call: Call, channel: int) -> None:
        """Send CALL PROCEEDING on ``channel``; only the first is sent."""
        self._send(call, lib.pri_proceeding, channel, 0)

    def alerting(self, call: Call, channel: int) -> None:
        """Send ALERTING."""
        self._send(call, lib.pri_acknowledge, channel, 0)

    def progress(self, call: Call, channel: int) -> None:
        """Send PROGRESS with progress indicator 8, in-band information."""
        self._send(call, lib.pri_progress, channel, 1)

    def connect(self, call: Call, channel: int) -> None:
        """Send CONNECT."""
        self._send(call, lib.pri_answer, channel, 0)

    def hangup(self, call: Call, cause: int) -> None:
        """Clear the call with the message that its state asks for (Q.931 §5.3); ``Gone`` follows."""
        if call.gone or call.clearing:
            return
        if call.incoming and not call.answered_setup and cause not in _REFUSALS:
            lib.pri_proceeding(self._pri, call.handle, 0, 0)
        self._clears(call)
        lib.pri_hangup(self._pri, call.handle, cause)
        self._find_gone(call, cause)
        self._settle()

    def destroy(self, call: Call) -> None:
        """Forget a call without a message and without ``Gone`` (RESTART has cleared it, Q.931 §5.5)."""
        if not call.gone:
            call.gone = True
            self._calls.pop(_key(call.handle), None)
            lib.pri_destroycall(self._pri, call.handle)

    def restart(self, channel: int) -> None:
        """Send RESTART for one channel; one at a time: the next after ``RestartAcked``."""
        lib.pri_reset(self._pri, channel)
        self._settle()

    # -- inside --------------------------------------------------------------------------------------------------------

    def _send(self, call: Call, message: Callable[..., int], *values: object) -> None:
        if call.gone or call.clearing:
            return
        call.answered_setup = True
        message(self._pri, call.handle, *values)
        self._settle()

    def _adopt(self, handle: Any, *, incoming: bool) -> Call:
        stale = self._calls.get(_key(handle))
        if stale is not None:  # libpri has freed it without a word and used its memory again
            self._gone(stale, UNKNOWN_CAUSE)
        call = self._calls[_key(handle)] = Call(handle, incoming)
        return call

    def _gone(self, call: Call, cause: int, *, timed_out: bool = False) -> None:
        del self._calls[_key(call.handle)]
        call.gone = True
        self._events.append(Gone(call, libpri_events.known(cause), timed_out or self._timing))

    def _clears(self, call: Call) -> None:
        call.clearing = True
        limit = self._timers.get("T305", _T305_MS) + 2 * self._timers.get("T308", _T308_MS) + _SPARE_MS
        call.patience = asyncio.get_running_loop().time() + limit / 1000

    def _give_up(self, call: Call) -> None:
        """Forget a call as if T308 had run out twice (§5.3.4.1)."""
        lib.pri_destroycall(self._pri, call.handle)
        self._gone(call, UNKNOWN_CAUSE, timed_out=True)

    def _find_gone(self, call: Call, cause: int) -> None:
        if not call.gone and lib.pri_get_crv(self._pri, call.handle, ffi.NULL) < 0:
            self._gone(call, cause)

    def _run_due(self) -> None:
        """Run libpri's timers that are due, until they have nothing more to tell."""
        self._timing = True
        while (event := lib.pri_schedule_run(self._pri)) != ffi.NULL:
            self._take(event)
        self._timing = False

    def _on_timer(self) -> None:
        self._timer = None
        self._run_due()
        now = asyncio.get_running_loop().time()
        for call in list(self._calls.values()):
            self._find_gone(call, UNKNOWN_CAUSE)
            if not call.gone and call.patience <= now:
                self._give_up(call)
        self._settle()

    def _settle(self) -> None:
        """After every step: arm the timer, look for calls that ended silently, deliver events (never nested)."""
        if self._pri is None:
            return
        for call in [call for call in self._calls.values() if call.clearing]:
            self._find_gone(call, UNKNOWN_CAUSE)
        self._arm()
        if self._draining:
            return
        self._draining = True
        try:
            while self._events:
                self._event(self._events.popleft())
        finally:
            self._draining = False

    def _arm(self) -> None:
        due = lib.pri_schedule_next(self._pri)
        wait = _LOOK_S
        if due != ffi.NULL:
            wait = min(max(due.tv_sec + due.tv_usec / 1e6 - time.time(), 0.0), wait)
        loop = asyncio.get_running_loop()
        when = loop.time() + wait
        # A timer that fires too early only arms the next one: cheaper than a new one at every step.
        if self._timer is None or when < self._timer.when():
            if self._timer is not None:
                self._timer.cancel()
            self._timer = loop.call_at(when, self._on_timer)

    def _take(self, raw: Any) -> None:
        """Copy one event out of libpri."""
        if raw == ffi.NULL:
            return
        if raw.e == lib.PRI_EVENT_RING:
            call = self._adopt(raw.ring.call, incoming=True)
            self._events.append(libpri_setup.ring(raw.ring, call, self._role, self._prefixes))
        elif (event := libpri_events.of_line(raw)) is not None:
            self._events.append(event)
        elif (handle := libpri_events.handle_of(raw)) is None:
            log.debug("ignored: %s", ffi.string(lib.pri_event2str(raw.e)).decode())
        elif (known := self._calls.get(_key(handle))) is None:
            log.debug("event %d of an unknown call", raw.e)
        else:
            self._take_of(known, raw)

    def _take_of(self, call: Call, raw: Any) -> None:
        """An event of a call; DISCONNECT and what ends a call at once have only one answer, which is given."""
        event = libpri_events.of_call(raw, call)
        if raw.e in (lib.PRI_EVENT_HANGUP_REQ, lib.PRI_EVENT_HANGUP):
            lib.pri_hangup(self._pri, call.handle, raw.hangup.cause)
        match event:
            case Gone(_, cause):
                self._gone(call, cause)
            case Clearing():
                self._clears(call)
                self._events.append(event)
            case _:
                self._events.append(event)


def _key(handle: Any) -> int:
    return int(ffi.cast("uintptr_t", handle))


# -- what libpri calls -------------------------------------------------------------------------------------------------


@ffi.def_extern(error=0)  # type: ignore[untyped-decorator]
def on_read(pri: Any, buffer: Any, size: int) -> int:
    """Hand over the frame that ``receive`` got, with two octets where libpri wants the FCS."""
    engine: DChannel = ffi.from_handle(lib.pri_get_userdata(pri))
    frame, engine._inbox = engine._inbox, b""
    if not frame or len(frame) + 2 > size:
        return 0
    ffi.memmove(buffer, frame, len(frame))
    return len(frame) + 2


@ffi.def_extern(error=0)  # type: ignore[untyped-decorator]
def on_write(pri: Any, buffer: Any, size: int) -> int:
    """Send one frame, without the two octets that libpri adds for the FCS."""
    engine: DChannel = ffi.from_handle(lib.pri_get_userdata(pri))
    frame = bytes(ffi.buffer(buffer, size - 2))
    if engine.trace is not None:
        engine.trace.write(frame, sent=True)
    engine._transmit(frame)
    return size


@ffi.def_extern()  # type: ignore[untyped-decorator]
def on_message(_pri: Any, text: Any) -> None:
    """What libpri remarks."""
    log.debug("libpri: %s", libpri_events.text(text).rstrip())


@ffi.def_extern()  # type: ignore[untyped-decorator]
def on_error(pri: Any, text: Any) -> None:
    """What libpri complains about: mostly what the far end should not have sent."""
    log.warning("libpri: %s", libpri_events.text(text).rstrip())
    if pri and (userdata := lib.pri_get_userdata(pri)):
        engine: DChannel = ffi.from_handle(userdata)
        engine.errors += 1


lib.pri_set_message(lib.on_message)
lib.pri_set_error(lib.on_error)
