"""The phone process: its parts put together, and the commands and events of the link."""

from __future__ import annotations

import asyncio
import itertools
import logging
import os
import secrets
import time
from collections.abc import Callable

from attrs import evolve

from hw.link import LinkServer
from hw.messages import (
    Accept,
    Alert,
    Answer,
    Cleared,
    Dial,
    Fault,
    Hangup,
    Incoming,
    LineState,
    Message,
    Modify,
    PhoneEvent,
    Proceed,
    Progress,
    ReferResult,
    Refused,
    RestoreBindings,
    SetAccounts,
    SetSipTrunks,
    SipTrunk,
    Snapshot,
    Stats,
)
from hw.notify import Notifier
from hw.phone import causes
from hw.phone.call import Call
from hw.phone.dialog import Lines
from hw.phone.front import Caller, Front
from hw.phone.leg import Leg
from hw.phone.registrar import Registrar
from hw.phone.settings import PhoneSettings, parse_listen
from hw.phone.stack import Flow, Request, undecodable
from hw.phone.text import Address, Uri
from hw.phone.trace import Trace
from hw.phone.transfer import Replaced
from hw.phone.useragent import UserAgent

#: How long a stop waits for the answers to its BYEs, in s.
STOP_S = 2.0
_log = logging.getLogger(__name__)


class PhoneProcess:
    """Owner of the legs; everything runs in one asyncio loop. Monotonic time throughout."""

    def __init__(self, settings: PhoneSettings) -> None:
        self._settings = settings
        self._agent = UserAgent(software="OneCall", on_request=self._requested, address=settings.address)
        self._registrar = Registrar(settings.realm)
        bounds_s = (settings.min_expires_s, settings.max_expires_s)
        self._front = Front(
            self._agent, self._registrar, bounds_s, emit=self.emit, admit=self._admitted, now=time.monotonic
        )
        self._link = LinkServer(settings.socket, snapshot=self._snapshot, command=self._command)
        self._legs: dict[str, Leg] = {}
        self._names = (f"phones-{secrets.token_hex(4)}-{number}" for number in itertools.count(1))
        self._notifier = Notifier()
        self._trace: Trace | None = None
        self._ticker: asyncio.Task[None] | None = None
        #: Transport → port listened on, once started.
        self.ports: dict[str, int] = {}

    async def start(self) -> None:
        """Listen for SIP and for the control process. Raises ``OSError``."""
        if self._settings.trace is not None:
            self._trace = Trace(self._settings.trace)
            self._agent.trace(self._trace.write)
        for flow in map(parse_listen, self._settings.listen):
            self.ports[flow.transport] = self._agent.listen(flow.transport, flow.host, flow.port)
        await self._link.start()
        self._ticker = asyncio.create_task(self._tick())
        self._notifier.ready()
        _log.info("SIP on %s", ", ".join(f"{transport}:{port}" for transport, port in self.ports.items()))

    async def close(self) -> None:
        """Clear every leg (BYE, CANCEL, 503), wait a short time for the answers, close."""
        self._notifier.stopping()
        if self._ticker is not None:
            self._ticker.cancel()
        for leg in list(self._legs.values()):
            leg.hangup(causes.TEMPORARY)
        try:
            async with asyncio.timeout(STOP_S):
                await self._agent.idle()
        except TimeoutError:
            _log.warning("stopped before every phone answered its BYE")
        self._agent.close()
        await self._link.close()
        if self._trace is not None:
            self._trace.close()

    # -- what legs need ------------------------------------------------------------------------------------------------

    @property
    def decided(self) -> bool:
        """Whether a control process is there."""
        return self._link.connected

    def emit(self, event: PhoneEvent) -> None:
        """Send an event up."""
        self._link.send(event)

    def count(self, name: str) -> None:
        """Count something dropped or wrong."""
        self._agent.count(name)

    def gone(self, leg: Leg) -> None:
        """The leg has said ``Cleared``."""
        self._legs.pop(leg.name, None)

    def leg_of(self, replaced: Replaced) -> Leg | None:
        """The leg whose call a Replaces names; both tags must be right."""
        call = self._agent.find(replaced.call_id, replaced.local_tag)
        if call is None or call.dialog.remote.params.get("tag") != replaced.remote_tag:
            return None
        return next((leg for leg in self._legs.values() if leg.call is call), None)

    # -- calls that come in --------------------------------------------------------------------------------------------

    def _requested(self, request: Request) -> None:
        self._front.take(request)

    def _admitted(self, request: Request, caller: Caller) -> None:
        if not self._link.connected:
            self.count("refused_alone")
            self._link.send(Refused(caller.line, caller.called, caller.number, causes.TEMPORARY))
            request.reply(503, "Service Unavailable", [("Retry-After", "5")])
            return
        leg = Leg(self, next(self._names), caller.line, called=caller.called, caller=caller.number, incoming=True)
        leg.begin(self._agent.accept(request, leg, caller.called), caller.offer)
        request.reply(100, "Trying")
        self._legs[leg.name] = leg
        self.emit(
            Incoming(leg.name, leg.line, leg.called, leg.caller, caller.name, caller.restricted, None, leg.far)
        )

    # -- commands ------------------------------------------------------------------------------------------------------

    def _command(self, message: Message) -> None:
        subject = getattr(message, "leg", "phones")
        try:
            self._do(message)
        except KeyError:
            self.emit(Fault(subject, "no such leg", type(message).__name__))
        except (ValueError, OSError) as error:
            self.emit(Fault(subject, str(error), type(message).__name__))
        except Exception as error:  # noqa: BLE001  # a bad command must not end the process
            _log.exception("failure in %s", type(message).__name__, extra={"leg": subject})
            self.emit(Fault(subject, f"failure inside: {error!r}", type(message).__name__))

    def _do(self, message: Message) -> None:
        match message:
            case SetAccounts(realm=realm, accounts=accounts):
                for event in self._registrar.set_accounts(realm, accounts):
                    self.emit(event)
            case RestoreBindings(bindings=bindings):
                for registered in self._registrar.restore(bindings, time.monotonic()):
                    self.emit(registered)
            case SetSipTrunks(trunks=trunks):
                self._front.trunks = trunks
                self._tell_trunks()
            case Dial():
                self._dial(message)
            case Proceed(leg=name):
                self._legs[name]  # 100 Trying has been sent
            case Alert(leg=name):
                self._legs[name].alert()
            case Progress(leg=name, media=media):
                self._legs[name].early_media(media)
            case Answer(leg=name, media=media):
                self._legs[name].answer(media)
            case Hangup(leg=name, cause=cause):
                self._legs[name].hangup(cause)
            case Modify(leg=name, media=media):
                self._legs[name].modify(media)
            case Accept(leg=name, media=media):
                self._legs[name].accept(media)
            case ReferResult(leg=name, status=status):
                self._legs[name].refer_result(status)
            case _:
                raise ValueError("not a command of the phone process")

    def _dial(self, dial: Dial) -> None:
        if dial.leg in self._legs:
            raise ValueError("a leg of this name is there already")
        if dial.media is None:
            raise ValueError("a call to a phone or SIP trunk needs media to offer")
        local, headers = _identity(dial, self._registrar.realm)
        leg = Leg(
            self, dial.leg, dial.line, called=dial.number, caller=dial.caller, incoming=False, local=dial.media
        )
        if dial.line == "phones":
            targets = [
                (str(b.contact), b.flow) for b in self._registrar.bindings(dial.number, time.monotonic())
            ]
            if not targets:
                known = dial.number in self._registrar.accounts
                self.emit(Cleared(dial.leg, causes.ABSENT if known else causes.UNALLOCATED, "far"))
                return
        else:
            targets = [self._trunk_target(dial.line, dial.number)]
        self._legs[leg.name] = leg
        leg.fork([self._invitation(leg, uri, flow, local, headers) for uri, flow in targets])

    def _trunk_target(self, line: str, number: str) -> tuple[str, Flow]:
        trunk = next((trunk for trunk in self._front.trunks if trunk.name == line), None)
        if trunk is None:
            raise ValueError(f"no SIP trunk {line!r}")
        return str(_trunk_uri(trunk, number)), Flow(trunk.transport, trunk.host, trunk.port)

    def _invitation(
        self, leg: Leg, uri: str, flow: Flow, local: Address, headers: Lines
    ) -> Callable[[bytes], Call]:
        return lambda body: self._agent.invite(leg, uri, flow, local=local, body=body, headers=headers)

    # -- state ---------------------------------------------------------------------------------------------------------

    def _snapshot(self) -> Snapshot:
        asyncio.get_running_loop().call_soon(self._tell_all)  # right after the snapshot
        return Snapshot("phone", tuple(leg.state() for leg in self._legs.values()))

    def _tell_all(self) -> None:
        self._tell_trunks()
        for event in self._registrar.registered(time.monotonic()):
            self.emit(event)

    def _tell_trunks(self) -> None:
        for trunk in self._front.trunks:
            self.emit(LineState(trunk.name, "sip", True))

    async def _tick(self) -> None:
        while True:
            await asyncio.sleep(1)
            now = time.monotonic()
            for event in self._registrar.expire(now):
                self.emit(event)
            self._notifier.alive()
            self.emit(self._stats(now))

    def _stats(self, now: float) -> Stats:
        bindings = sum(len(self._registrar.bindings(account, now)) for account in self._registrar.accounts)
        gauges = {"legs": len(self._legs), "bindings": bindings, "dialogs": self._agent.calls}
        counters = {
            **self._agent.counters, "events_dropped": self._link.dropped,
            "auth_failures_suppressed": self._front.failures.suppressed, "undecodable": undecodable(),
        }  # fmt: skip
        return Stats("phone", os.getpid(), time.process_time(), gauges=gauges, counters=counters)


def _identity(dial: Dial, realm: str) -> tuple[Address, Lines]:
    """What From says, and header fields beside it: a restricted number is told to the trunk alone (RFC 3323, 3325)."""
    caller = Address(Uri(dial.caller or "anonymous", realm), dial.name)
    if not dial.restricted:
        return caller, []
    asserted = [("P-Asserted-Identity", str(caller))] if dial.caller else []
    return Address(Uri("anonymous", "anonymous.invalid"), "Anonymous"), [*asserted, ("Privacy", "id")]


def _trunk_uri(trunk: SipTrunk, number: str) -> Uri:
    uri = Uri(number, trunk.host, trunk.port)
    return evolve(uri, params={"transport": "tcp"}) if trunk.transport == "tcp" else uri

