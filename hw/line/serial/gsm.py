"""A GSM/4G module as a trunk with one channel: calls by 3GPP TS 27.007, audio on a second port, short messages."""

from __future__ import annotations

import asyncio
import logging

from attrs import evolve

from hw.line.serial import gsm_codes
from hw.line.serial.at import AtError
from hw.line.serial.device import ModemDevice
from hw.line.serial.gsm_audio import PcmTimeslots
from hw.line.serial.gsm_line import GsmLine
from hw.line.serial.gsm_setup import GsmSetup
from hw.line.serial.gsm_sms import GsmMessages
from hw.line.settings import SpanSettings
from hw.line.signalling import notices as told
from hw.line.signalling.channel_trunk import ChannelTrunk, Leg
from hw.line.trunk import Messenger
from hw.messages import LineEvent, LineState, Refused, SendSms

log = logging.getLogger(__name__)

#: Seconds between two looks at SIM, network and signal; what changes in between the module mostly says by itself.
WATCH_S = 10.0
#: The second port is not there.
NO_AUDIO = "NO AUDIO"
_JOIN = {"simcom": ("AT+CPCMREG=1", "AT+CPCMREG=0"), "quectel": ("AT+QPCMV=1,0", "AT+QPCMV=0")}


class GsmTrunk(ChannelTrunk, Messenger):
    """One module. Its line is up while the module answers, has its SIM, is registered, and its audio port is there."""

    def __init__(self, settings: SpanSettings) -> None:
        """Raises ``ValueError`` for settings that such a line has nothing for."""
        if settings.serial is None or settings.gsm is None:
            raise ValueError(f"span {settings.name}: signalling gsm needs driver serial and a table gsm")
        gsm = settings.gsm
        self._audio = PcmTimeslots(gsm.audio, self._changed)
        self._gsm = GsmLine(
            gsm.number, self._audio, join=_JOIN[gsm.pcm], early=gsm.pcm == "quectel", tell=self._told,
            turned_away=self._turned_away, moved=self._moved,
        )  # fmt: skip
        super().__init__(settings, self._gsm, self._audio)
        self._setup = GsmSetup(gsm)
        self._device = ModemDevice(
            settings.serial, setup=self._set_up, unsolicited=self._on_line, changed=self._changed,
            words=gsm_codes.WORDS,
        )  # fmt: skip
        self._messages = GsmMessages(self.name, self._emit_now, self._settled) if gsm.sms else None
        self._watcher: asyncio.Task[None] | None = None
        self._shown: tuple[str, int | None] = ("", None)

    # -- life ----------------------------------------------------------------------------------------------------------

    async def _open(self) -> None:
        self._audio.open()
        self._gsm.start(self._device.at)
        if self._messages is not None:
            self._messages.start(self._device.at)
        self._device.start()
        self._watcher = asyncio.create_task(self._watch(), name=f"gsm {self.name}")

    async def close(self) -> None:
        """See ``Trunk``."""
        await super().close()
        if self._watcher is not None:
            self._watcher.cancel()
            await asyncio.gather(self._watcher, return_exceptions=True)
        if self._messages is not None:
            await self._messages.stop()
        await self._gsm.stop()
        await self._device.close()
        await self._audio.close()

    def _close(self) -> None:
        """Nothing: the ports need more than a moment."""

    def _emit_now(self, event: LineEvent) -> None:
        self._emit(event)

    async def _set_up(self) -> None:
        await self._setup.set_up(self._device.at)
        if self._messages is not None and not self._setup.sim:
            await self._messages.set_up(self._device.at)
        self._gsm.call.number = self._setup.number
        self._gsm.look()

    async def _watch(self) -> None:
        """Look at SIM, network and signal now and then; one that was mended is set up."""
        while True:
            await asyncio.sleep(WATCH_S)
            if self._device.alarm or not self._settled():
                continue
            had_sim = not self._setup.sim
            try:
                await self._setup.refresh(self._device.at)
                if self._messages is not None and not had_sim and not self._setup.sim:
                    await self._messages.set_up(self._device.at)
            except AtError as error:
                log.info("%s: %s", self.name, error)
                continue
            self._gsm.look()
            self._changed()

    # -- what the module says ------------------------------------------------------------------------------------------

    def _on_line(self, line: str, body: str) -> None:
        if self._gsm.on_line(line):
            return
        if self._messages is not None and self._messages.on_line(line, body):
            return
        if self._setup.on_line(line):
            self._changed()

    def _changed(self, _alarm: str = "") -> None:
        """Something of the line's state may have: the device's alarm, the SIM, the network, the audio port."""
        if self._device.alarm:  # else the list of calls tells what became of a call
            self._gsm.lost()
        if self._messages is not None:
            self._messages.up(not self._device.alarm and not self._setup.alarm)
        shown = (self._out_of_order(), self._setup.signal_dbm)
        if shown != self._shown:
            self._shown = shown
            self._tell()

    def _turned_away(self, caller: str, cause: int) -> None:
        self._emit(Refused(self.name, self._gsm.call.number, caller, cause))

    def _moved(self) -> None:
        if self._messages is not None and self._settled():
            self._messages.wake()

    def _settled(self) -> bool:
        return self._gsm.call.settled

    # -- the trunk's own -----------------------------------------------------------------------------------------------

    def _out_of_order(self) -> str:
        if self._device.alarm:
            return self._device.alarm
        return self._setup.alarm or (NO_AUDIO if self._audio.alarm else "")

    def state(self) -> LineState:
        """With what a mobile line has besides: messages, signal."""
        up = not self._device.alarm and self._setup.network
        return evolve(
            super().state(), sms=self._messages is not None, signal_dbm=self._setup.signal_dbm if up else None
        )

    def dial_restricted(self, leg: str, number: str, caller: str, name: str) -> int:
        """By CLIR for this call (27.007 §6.2). A network that has none refuses the call: it is never made without."""
        return self._dial(leg, number, caller, name, restricted=True)

    def _seize(self, leg: Leg) -> None:
        self._gsm.dial(leg.called, restricted=leg.restricted)

    def _count(self, leg: Leg, released: told.Released) -> None:
        """Nothing besides what every line counts."""

    def send_digits(self, leg: str, digits: str) -> bool:
        """As the network's tones (27.007 §C.2.11): through a speech codec they would not be understood."""
        self._gsm.send_digits(digits)
        return True

    def counters(self) -> dict[str, int]:
        """See ``Trunk``: ports, commands, messages, audio."""
        messages = {} if self._messages is None else self._messages.counters()
        own = {"commands_refused": self._gsm.refused_commands}
        return super().counters() | self.timeslots.counters() | self._device.counters() | messages | own

    # -- messages ------------------------------------------------------------------------------------------------------

    def send_sms(self, message: SendSms) -> None:
        """See ``Messenger``."""
        self._desk().send(message)

    def sms_taken(self, message: str) -> None:
        """See ``Messenger``."""
        self._desk().taken(message)

    def tell_sms(self) -> None:
        """See ``Messenger``."""
        if self._messages is not None:
            self._messages.tell()

    def sms_in_hand(self) -> tuple[str, ...]:
        """See ``Messenger``."""
        return () if self._messages is None else self._messages.in_hand()

    def _desk(self) -> GsmMessages:
        if self._messages is None:
            raise ValueError(f"line {self.name} carries no messages: its settings say sms = false")
        return self._messages


