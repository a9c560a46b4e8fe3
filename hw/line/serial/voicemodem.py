"""The trunk of a voice modem (ITU-T V.253): one analog line of the exchange at a serial port."""

from __future__ import annotations

import attrs

from hw.line.serial.voice_line import VoiceLine
from hw.line.serial.voice_modem import VoiceModem
from hw.line.settings import SpanSettings
from hw.line.signalling import notices as told
from hw.line.signalling.channel_trunk import ChannelTrunk, Leg
from hw.messages import LineState


class VoiceModemTrunk(ChannelTrunk):
    """See ``Trunk``. Up while the modem is there and answers; ``LineState.duplex`` tells whether one can talk."""

    def __init__(self, settings: SpanSettings) -> None:
        """Raises ``ValueError`` without a port."""
        if settings.serial is None:
            raise ValueError(f"span {settings.name}: signalling voicemodem is for the driver serial")
        self._modem = VoiceModem(
            settings.serial, settings.voicemodem,
            line=lambda text: self._voice.line(text), code=lambda code: self._voice.code(code), changed=self._on_alarm,
            learned=self._tell_soon,
        )  # fmt: skip
        self._voice = VoiceLine(settings.voicemodem, self._modem, self._told)
        super().__init__(settings, self._voice, self._modem.audio)

    async def close(self) -> None:
        """Hang up and let go of the modem."""
        await super().close()
        self._voice.lost()
        await self._modem.device.close()

    def state(self) -> LineState:
        """The line as it is now."""
        return attrs.evolve(super().state(), duplex=self._modem.duplex)

    def counters(self) -> dict[str, int]:
        """The calls', the modem's and the audio's."""
        return super().counters() | self._modem.counters() | self.timeslots.counters()

    async def _open(self) -> None:
        self._modem.device.start()

    def _close(self) -> None:
        """The modem is let go of in ``close``: that takes time."""

    def _out_of_order(self) -> str:
        return self._modem.device.alarm

    def _seize(self, leg: Leg) -> None:
        self._voice.seize(leg.called)

    def _count(self, leg: Leg, released: told.Released) -> None:
        """Its end says it all."""
