"""The line process: trunks and the switch behind one link.

Commands come down the link and are done at once; one that cannot be done is answered by a ``Fault``. A trunk leg's
timeslot is a port of the leg's name from ``Incoming`` or ``Dial`` until ``Cleared``. Calls, mixes, players and
recorders go on while no control process is connected; the next one finds the legs in its ``Snapshot``.
"""

from __future__ import annotations

import asyncio
import gc
import logging
import os
import time
from collections.abc import Callable, Sequence

from attrs import fields

from hw.line.dahdi.timer import CardClock
from hw.line.settings import LineSettings
from hw.line.switch.clock import Clock, SystemTimer
from hw.line.switch.recorders import repair_all
from hw.line.switch.switch import Switch
from hw.line.trunk import Messenger, NoChannel, Trunk
from hw.link import LinkServer
from hw.messages import (
    Alert,
    Answer,
    Block,
    Cleared,
    CloseRtp,
    Dial,
    Fault,
    Flash,
    Hangup,
    Incoming,
    LineEvent,
    Message,
    Mix,
    OpenRtp,
    PauseRecord,
    Play,
    Proceed,
    Proceeding,
    Progress,
    Record,
    Restart,
    RtpOpened,
    SendDigits,
    SendSms,
    SetRtp,
    SmsTaken,
    Snapshot,
    Stats,
    Stop,
    StopRecord,
)
from hw.notify import Notifier

_log = logging.getLogger(__name__)

_TICKS_A_SECOND = 50
#: Seconds between two full collections; they find little, what lives long is frozen.
_FULL_COLLECTION_S = 60
# Q.850 causes of legs that never came to be.
_NO_ROUTE, _CHANNEL_REFUSED, _BUSY, _INVALID_NUMBER = 3, 6, 17, 28


class StartError(Exception):
    """The line process cannot start; the text says what is in the way."""


class LineProcess:
    """Owns the link, the trunks, the switch and the clock. Made inside the loop that it runs in."""

    def __init__(self, settings: LineSettings, trunks: Sequence[Trunk]) -> None:
        self._settings = settings
        self._loop = asyncio.get_running_loop()
        self._trunks = list(trunks)
        self._trunk_of: dict[str, Trunk] = {}
        self._link = LinkServer(settings.socket, snapshot=self._snapshot, command=self.command)
        self._switch = Switch(settings, [trunk.timeslots for trunk in trunks], self._link.send, self._loop)
        card = any(span.driver == "dahdi" for span in settings.spans)
        self._clock = Clock(self._loop, self._tick, CardClock if card else SystemTimer)
        self._notify = Notifier()
        self._ticks = 0
        self._failed = 0
        self._told_failed = 0

    async def start(self) -> None:
        """Repair what a killed process left, start the trunks, tick and serve. Raises ``StartError``."""
        if self._settings.recordings is not None:
            await asyncio.to_thread(repair_all, self._settings.recordings)
        for trunk in self._trunks:
            try:
                await trunk.start(self._event)
            except OSError as error:
                raise StartError(f"trunk {trunk.name} cannot be opened: {error.strerror or error}") from error
        try:
            self._clock.start()
        except OSError as error:
            raise StartError(f"the clock of the tick cannot be opened: {error.strerror or error}") from error
        try:
            await self._link.start()
        except OSError as error:
            raise StartError(f"socket {self._settings.socket}: {error.strerror or error}") from error
        gc.collect()
        gc.freeze()
        gc.disable()
        self._notify.ready()

    async def close(self) -> None:
        """Clear the calls, finish the recordings, close everything."""
        self._notify.stopping()
        for trunk in self._trunks:
            await trunk.close()
        self._clock.stop()
        self._switch.close()
        await asyncio.sleep(0)  # what the writer's thread has told comes before the link is closed
        await self._link.close()
        gc.enable()

    # -- commands ------------------------------------------------------------------------------------------------------

    def command(self, message: Message) -> None:
        """Do one command; a ``Fault`` tells of one that cannot be done."""
        try:
            self._do(message)
        except KeyError as error:
            self._fault(message, f"there is no {error.args[0]!r}")
        except (ValueError, NoChannel) as error:
            self._fault(message, str(error))
        except OSError as error:
            self._fault(message, error.strerror or str(error))
        except Exception as error:  # noqa: BLE001  no command may end the calls of others
            self._failed += 1
            _log.exception("%s failed", type(message).__name__)
            self._fault(message, f"failed inside: {error!r}")

    def _fault(self, message: Message, reason: str) -> None:
        # Every message's first field names what it is about.
        subject = getattr(message, fields(type(message))[0].name)
        self._link.send(Fault(str(subject), reason, type(message).__name__))

    def _do(self, message: Message) -> None:
        switch = self._switch
        match message:
            case Mix():
                switch.mix(message)
            case Play():
                switch.play(message)
            case Stop(port, player):
                switch.stop(port, player)
            case OpenRtp(port):
                self._link.send(RtpOpened(port, switch.open_rtp(port)))
            case SetRtp(port, remote):
                switch.set_rtp(port, remote)
            case CloseRtp(port):
                switch.close_rtp(port)
            case Record():
                switch.record(message)
            case PauseRecord(recorder, paused):
                switch.pause_record(recorder, paused)
            case StopRecord(recorder):
                switch.stop_record(recorder)
            case SendDigits(port, digits):
                if port not in self._trunk_of or not self._trunk_of[port].send_digits(port, digits):
                    switch.send_digits(port, digits)
            case _:
                self._signal(message)

    def _signal(self, message: Message) -> None:
        match message:
            case Dial():
                self._dial(message)
            case Proceed(leg):
                self._trunk_of[leg].proceed(leg)
            case Alert(leg):
                self._trunk_of[leg].alert(leg)
            case Progress(leg):
                self._trunk_of[leg].progress(leg)
            case Answer(leg):
                self._trunk_of[leg].answer(leg)
            case Flash(leg):
                self._trunk_of[leg].flash(leg)
            case Hangup(leg, cause):
                self._trunk_of[leg].hangup(leg, cause)
            case Block(line, channel, blocked):
                self._trunk(line).block(channel, blocked)
            case Restart(line, channel):
                self._trunk(line).restart(channel)
            case SendSms(line=line):
                self._messenger(line).send_sms(message)
            case SmsTaken(id=name, line=line):
                self._messenger(line).sms_taken(name)
            case _:
                raise ValueError("no command of the line process")

    def _trunk(self, name: str) -> Trunk:
        for trunk in self._trunks:
            if trunk.name == name:
                return trunk
        raise KeyError(name)

    def _messenger(self, line: str) -> Messenger:
        trunk = self._trunk(line)
        if not isinstance(trunk, Messenger):
            raise ValueError(f"line {line} carries no messages")  # noqa: TRY004  (the command's fault, not ours)
        return trunk

    def _dial(self, dial: Dial) -> None:
        """Call out. A leg that does not come to be is cleared, so that whoever waits for it gets an end."""
        if dial.leg in self._trunk_of or dial.leg in self._switch.ports:
            raise ValueError("there is a leg or port of that name already")
        try:
            trunk = self._trunk(dial.line)
            call_out = trunk.dial_restricted if dial.restricted else trunk.dial
            channel = call_out(dial.leg, dial.number, dial.caller, dial.name)
        except NoChannel as error:
            self._link.send(Cleared(dial.leg, error.cause, "far" if error.cause == _BUSY else "fault"))
        except KeyError:
            self._link.send(Cleared(dial.leg, _NO_ROUTE, "fault"))
            raise
        except ValueError:
            self._link.send(Cleared(dial.leg, _INVALID_NUMBER, "fault"))
            raise
        else:
            self._trunk_of[dial.leg] = trunk
            self._bind(dial.leg, trunk, channel)

    # -- events of the trunks ------------------------------------------------------------------------------------------

    def _event(self, event: LineEvent) -> None:
        match event:
            case Incoming(leg=leg, line=line, channel=channel):
                self._trunk_of[leg] = self._trunk(line)
                if channel is not None and not self._bind(leg, self._trunk_of[leg], channel):
                    return
            case Proceeding(leg=leg, channel=channel) if channel is not None and leg in self._trunk_of:
                self._bind(leg, self._trunk_of[leg], channel)
            case Cleared(leg=leg):
                self._trunk_of.pop(leg, None)
                self._switch.unbind(leg)
        self._link.send(event)

    def _bind(self, leg: str, trunk: Trunk, channel: int) -> bool:
        """Join a leg to its timeslot. A leg that cannot have it (a driver's fault) is hung up, and False returned."""
        try:
            self._switch.bind(leg, self._trunks.index(trunk), channel)
        except ValueError as error:
            _log.error("leg %s on channel %d of %s: %s", leg, channel, trunk.name, error, extra={"leg": leg})
            self._link.send(Fault(leg, str(error)))
            # Not inside the trunk's own event: it may not be ready to be called back.
            self._loop.call_soon(self.command, Hangup(leg, _CHANNEL_REFUSED))
            return False
        return True

    # -- the tick ------------------------------------------------------------------------------------------------------

    def _tick(self) -> None:
        self._switch.tick()
        self._ticks += 1
        if self._ticks % _TICKS_A_SECOND == 0:
            self._loop.call_soon(self._second)

    def _second(self) -> None:
        self._notify.alive()
        if self._clock.failed > self._told_failed:
            self._link.send(Fault("tick", f"{self._clock.failed - self._told_failed} ticks failed in the last second"))
            self._told_failed = self._clock.failed
        self._switch.second()
        late_p99, late_max = self._clock.lateness()
        run_late_p99, run_late_max = self._clock.run_lateness()
        self._link.send(Stats(
            process="line", pid=os.getpid(), cpu_s=round(time.process_time(), 3),
            late_p99_ms=round(late_p99, 2), late_max_ms=round(late_max, 2),
            run_late_p99_ms=round(run_late_p99, 2), run_late_max_ms=round(run_late_max, 2),
            gauges=self._switch.gauges() | {"legs": len(self._trunk_of)}, counters=self._counters(),
        ))
        gc.collect(2 if self._ticks % (_FULL_COLLECTION_S * _TICKS_A_SECOND) == 0 else 1)

    def _counters(self) -> dict[str, int]:
        lines = {f"{trunk.name}.{name}": n for trunk in self._trunks for name, n in trunk.counters().items()}
        return self._switch.counters() | lines | {
            "ticks": self._ticks, "ticks_skipped": self._clock.skipped, "ticks_failed": self._clock.failed,
            "commands_failed": self._failed, "events_dropped": self._link.dropped,
        }

    def _snapshot(self) -> Snapshot:
        # The states of the lines follow the snapshot, once the new connection is the link's.
        self._loop.call_soon(self._tell_lines)
        legs = tuple(leg for trunk in self._trunks for leg in trunk.legs())
        messages = tuple(name for messenger in self._messengers() for name in messenger.sms_in_hand())
        return Snapshot("line", legs, self._switch.ports.names(), self._switch.recorders(), messages=messages)

    def _messengers(self) -> list[Messenger]:
        return [trunk for trunk in self._trunks if isinstance(trunk, Messenger)]

    def _tell_lines(self) -> None:
        for trunk in self._trunks:
            self._link.send(trunk.state())
        for messenger in self._messengers():
            messenger.tell_sms()


async def serve(settings: LineSettings, trunks: Callable[[], Sequence[Trunk]], stop: asyncio.Event) -> None:
    """Run the line process until ``stop``. Raises ``StartError``, and ``ValueError`` for spans that cannot be."""
    process = LineProcess(settings, trunks())
    try:
        await process.start()
        await stop.wait()
    finally:
        await process.close()
