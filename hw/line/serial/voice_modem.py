"""A voice modem (ITU-T V.253): setting it up, its hook, dialling, and the streams of samples with their codes."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence

from hw.line.serial import dle
from hw.line.serial.at import AtError, AtTimeout
from hw.line.serial.device import ModemDevice
from hw.line.serial.settings import SerialSettings, VoiceModemSettings
from hw.line.serial.voice_audio import Mode, VoiceAudio
from hw.line.serial.voice_formats import Format, choose

log = logging.getLogger(__name__)

#: Seconds that a stream may need to begin, and to end: what the modem has still to play is in it.
_BEGIN_S, _END_S = 3.0, 5.0
#: An answer to ATD that must have come long before is waited for so much longer than the call may ring.
_DIAL_MORE_S = 10.0
_ATTENTION_S = 2.0
_COMMANDS = {"receive": "AT+VRX", "transmit": "AT+VTX", "duplex": "AT+VTR"}
_ENDS = {"receive": dle.END_RECEIVE, "transmit": dle.END_TRANSMIT, "duplex": dle.END_DUPLEX}
_KEYS = frozenset("0123456789*#ABCD")
#: Codes of table 14 that are counted and mean nothing to a call.
_COUNTED = {"u": "underruns", "o": "overruns"}


class VoiceModem:
    """``line`` takes lines that nobody asked for, ``code`` what is told between samples (``b`` busy tone …),
    ``changed`` every change of the device's alarm; ``learned`` is called when ``duplex`` has changed.
    """

    def __init__(
        self,
        serial: SerialSettings,
        settings: VoiceModemSettings,
        *,
        line: Callable[[str], None],
        code: Callable[[str], None],
        changed: Callable[[str], None],
        learned: Callable[[], None],
    ) -> None:
        self.device = ModemDevice(
            serial, setup=self._set_up, unsolicited=lambda text, _body: line(text), changed=changed,
            data=self._on_bytes, words=("DRON", "DROF"),
        )  # fmt: skip
        port = self.device.port
        self.audio = VoiceAudio(port.write, lambda: port.waiting, lambda: self._turn.set())
        self._serial = serial
        self._settings = settings
        self._code = code
        self._learned = learned
        self._format: Format | None = None
        self._both_ways = settings.duplex == "yes"
        self._turn = asyncio.Event()
        self._unshielder = dle.Unshielder()
        self._opening: Mode = "off"
        self._head = b""
        self._ending = False
        self._counts = dict.fromkeys(_COUNTED.values(), 0)

    @property
    def duplex(self) -> bool:
        """Whether both ways at once are known to work."""
        return self._both_ways

    def counters(self) -> dict[str, int]:
        """The device's; ``underruns`` and ``overruns`` that the modem told of."""
        return self.device.counters() | self._counts

    # -- commands ------------------------------------------------------------------------------------------------------

    async def _set_up(self) -> None:
        """Bring it into voice mode and choose the samples' format. Raises ``AtError``."""
        at, port, wanted = self.device.at, self.device.port, self._settings
        self._forget_streams()
        # A process that died may have left a stream behind.
        port.write(dle.DROP_TRANSMIT + dle.END_TRANSMIT + dle.END_RECEIVE + dle.END_DUPLEX + b"\r")
        at.distrust()
        await at.command("ATE0")
        if "8" not in values_of((await at.command("AT+FCLASS=?")).lines):
            raise AtError("AT+FCLASS=?", "the modem has no voice mode (class 8)")
        await at.command("AT+FCLASS=8")
        self._format = choose((await at.command("AT+VSM=?")).lines)
        if self._format is None:
            raise AtError("AT+VSM=?", "the modem has no samples of 8 bits at 8000 Hz")
        await at.command(f"AT+VSM={self._format.method},8000")
        await at.command("AT+VLS=0")
        ringback, never = wanted.answer_ms // 100, min(wanted.ring_out_ms // 1000, 255)
        for command in (
            "AT+VSD=128,0", "AT+VIT=0", "AT+VNH=0", f"AT+VGT={wanted.tx_gain}", f"AT+VGR={wanted.rx_gain}",
            f"AT+VRA={ringback}", f"AT+VRN={never}", *(("AT+IFC=2,2",) if self._serial.rtscts else ()),
            f"AT+VCID={int(wanted.caller_id)}", *wanted.init,
        ):  # fmt: skip
            await self._try(command)
        if wanted.duplex == "auto" and not self._both_ways:
            self._both_ways = await self._try("AT+VTR=?") or await self._can_both_ways(self._format)

    async def _can_both_ways(self, form: Format) -> bool:
        """Some modems know +VTR and not ``+VTR=?``: tried on hook, where it carries silence. Raises ``AtError``."""
        self.audio.begin(form, one_way=False)
        try:
            await self._begin("duplex")
            await self._end()
        except AtError as error:
            if type(error) is not AtError:
                raise
            return False
        finally:
            self.audio.end()
        await self.device.at.command("AT+VLS=0")
        return True

    async def _try(self, command: str) -> bool:
        """A command that modems differ in; whether this one knows it. Raises ``AtTimeout``, ``AtLost``."""
        try:
            await self.device.at.command(command)
        except AtError as error:
            if type(error) is not AtError:
                raise
            log.info("%s: %s", self._serial.port, error)
            return False
        return True

    async def attention(self) -> None:
        """See whether it still answers. Raises ``AtError``."""
        await self.device.at.command("AT", timeout_s=_ATTENTION_S)

    async def dial(self, number: str) -> None:
        """Seize the line and call; returns when the call counts as answered. Raises ``AtError`` with the result."""
        await self.device.at.command(
            f"ATDT{number}", timeout_s=self._settings.ring_out_ms / 1000 + _DIAL_MORE_S
        )

    def abort(self) -> None:
        """Break off ``dial``."""
        self.device.at.abort()

    async def off_hook(self) -> None:
        """Answer. Raises ``AtError``."""
        await self.device.at.command("AT+VLS=1")

    async def on_hook(self) -> None:
        """End the stream and let go of the line. Raises ``AtError``."""
        if self.audio.mode == "transmit":
            self.device.port.discard()
            self.device.port.write(dle.DROP_TRANSMIT)
        try:
            await self._end()
        except AtTimeout as error:
            log.warning("%s: %s", self._serial.port, error)
        self.audio.end()
        await self.device.at.command("AT+VLS=0")

    async def converse(self) -> None:
        """Streams, until cancelled. Raises ``AtError``."""
        assert self._format is not None
        self._turn.clear()
        if self._settings.duplex != "no":
            self.audio.begin(self._format, one_way=False)
            if await self._begin_both_ways():
                await asyncio.Event().wait()
        self.audio.begin(self._format, one_way=True)
        while True:
            await self._begin("receive")
            await self._until_speaks(True)
            await self._end()
            await self._begin("transmit")
            await self._until_speaks(False)
            await self._end()

    async def _begin_both_ways(self) -> bool:
        """Begin +VTR, and remember whether the modem can: some do though they do not know ``+VTR=?``."""
        try:
            await self._begin("duplex")
        except AtError as error:
            if type(error) is not AtError:
                raise
            can = False
        else:
            can = True
        if can != self._both_ways:
            self._both_ways = can
            self._learned()
        return can

    async def _until_speaks(self, speaks: bool) -> None:
        while self.audio.speaks != speaks:
            self._turn.clear()
            await self._turn.wait()

    # -- streams -------------------------------------------------------------------------------------------------------

    async def _begin(self, mode: Mode) -> None:
        self._opening = mode
        try:
            await self.device.at.command(_COMMANDS[mode], timeout_s=_BEGIN_S)
        finally:
            self._opening = "off"
            head, self._head = self._head, b""
            self.device.at.feed(head)

    async def _end(self) -> None:
        mode = self.audio.mode
        if mode == "off":
            return
        self._ending = True
        # Nothing is said behind the sign of the end; what is heard before the modem's own is.
        self.audio.mode = "off" if mode == "transmit" else "receive"
        try:
            await self.device.at.ended(_COMMANDS[mode], _ENDS[mode], timeout_s=_END_S)
        finally:
            self._ending = False
            self._forget_streams()

    def _forget_streams(self) -> None:
        self.audio.mode = "off"
        self._opening, self._head = "off", b""
        self._unshielder.reset()

    def _on_bytes(self, data: bytes) -> None:
        for item in self._unshielder.feed(data):
            if isinstance(item, str):
                self._on_code(item)
                continue
            if self._opening != "off":
                item = self._until_connect(item)
            if self.audio.mode in ("receive", "duplex"):
                self.audio.heard(item)
            else:
                self.device.at.feed(item)

    def _until_connect(self, data: bytes) -> bytes:
        """Lines go to the commands until CONNECT; what is behind its line is the stream's."""
        self._head += data
        while (cut := self._head.find(b"\n")) >= 0:
            line, self._head = self._head[: cut + 1], self._head[cut + 1 :]
            mode = self._opening
            if line.startswith((b"CONNECT", b"VCON")):
                self._opening = "off"
                self.audio.stream(mode)
            self.device.at.feed(line)
            if self._opening == "off":
                rest, self._head = self._head, b""
                return rest
        return b""

    def _on_code(self, code: str) -> None:
        if code == dle.END:
            if self.audio.mode in ("receive", "duplex"):
                self.audio.mode = "off"
                if not self._ending:
                    self._code(code)
        elif code in _KEYS:
            self.audio.key(code)
        elif code in _COUNTED:
            self._counts[_COUNTED[code]] += 1
        else:
            self._code(code)


def values_of(lines: Sequence[str]) -> set[str]:
    """The values that a test command lists, whatever stands around them: ``+FCLASS: (0,1,8)``, ``0,1,1.0,8``."""
    return set(" ".join(lines).rpartition(":")[2].replace("(", " ").replace(")", " ").replace(",", " ").split())
