"""A modem at a serial port, kept alive: set up whenever it appears, switched off and on when it does not answer."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable

from hw.line.serial.at import AtEngine, AtError, AtLost, AtTimeout
from hw.line.serial.port import SerialPort
from hw.line.serial.settings import SerialSettings

log = logging.getLogger(__name__)

#: Alarms besides the port's own: the modem is being set up; it does not answer; it refuses what it has to be able to.
STARTING, SILENT, REFUSES = "STARTING", "SILENT", "REFUSES"
#: Seconds between two trials to set a modem up: the first, and the longest.
_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 1.0, 60.0


class ModemDevice:
    """Port and AT engine of one modem. ``alarm`` is empty while it is set up and answers.

    ``setup`` brings the modem into order; it raises ``AtError`` for one that cannot be used. ``data`` takes the bytes
    that come (most go to ``at.feed``); ``changed`` takes every change of ``alarm``.
    """

    def __init__(
        self,
        settings: SerialSettings,
        *,
        setup: Callable[[], Awaitable[None]],
        unsolicited: Callable[[str, str], None],
        changed: Callable[[str], None],
        data: Callable[[bytes], None] | None = None,
        words: tuple[str, ...] = (),
    ) -> None:
        self.port = SerialPort(settings.port, baud=settings.baud, rtscts=settings.rtscts)
        self.at = AtEngine(self.port.write, unsolicited=unsolicited, unhealthy=self.unhealthy, words=words)
        self.alarm = self.port.alarm
        self._settings = settings
        self._setup = setup
        self._changed = changed
        self._data = data or self.at.feed
        self._keeper: asyncio.Task[None] | None = None
        self._port_changed = asyncio.Event()
        self._sick = False
        self._counts = {"unhealthy": 0, "power_cycles": 0}

    def start(self) -> None:
        """Begin to look for the modem."""
        self.port.open(self._data, self._on_port)
        self._keeper = asyncio.create_task(self._keep(), name=f"modem {self._settings.port}")

    async def close(self) -> None:
        """Let go of it; no callback comes any more."""
        self._changed = lambda _alarm: None
        if self._keeper is not None:
            self._keeper.cancel()
            await asyncio.gather(self._keeper, return_exceptions=True)
        await self.port.close()
        self.at.lost()

    def unhealthy(self) -> None:
        """The modem is not to be trusted any more: switch it off and on where that is possible, and set it up anew."""
        self._sick = True
        self._counts["unhealthy"] += 1
        self._port_changed.set()

    def counters(self) -> dict[str, int]:
        """The port's and the commands', times ``unhealthy`` and ``power_cycles``."""
        return self.port.counters() | self.at.counters() | self._counts

    # -- keeping it ----------------------------------------------------------------------------------------------------

    def _on_port(self, alarm: str) -> None:
        if alarm:
            self.at.lost()
            self._set_alarm(alarm)
        self._port_changed.set()

    def _set_alarm(self, alarm: str) -> None:
        if alarm != self.alarm:
            self.alarm = alarm
            self._changed(alarm)

    async def _keep(self) -> None:
        pause = _FIRST_PAUSE_S
        while True:
            await self._until(lambda: not self.port.alarm)
            self._sick = False
            self._set_alarm(STARTING)
            if await self._set_up():
                pause = _FIRST_PAUSE_S
                self._set_alarm("")
                await self._until(lambda: bool(self.port.alarm) or self._sick)
            if self.port.alarm:  # the port looks for it
                continue
            if self._sick:
                self._set_alarm(SILENT)
                await self._cycle_power()
                self.port.reopen()
            await asyncio.sleep(pause)
            pause = min(pause * 2, _LONGEST_PAUSE_S)

    async def _until(self, so: Callable[[], bool]) -> None:
        while not so():
            self._port_changed.clear()
            await self._port_changed.wait()

    async def _set_up(self) -> bool:
        """Set the modem up; False with an alarm when that was not possible."""
        try:
            await self._setup()
        except AtLost:
            return False
        except AtError as error:
            log.warning("%s: %s", self._settings.port, error)
            self._set_alarm(SILENT if isinstance(error, AtTimeout) else REFUSES)
            return False
        return not self._sick

    async def _cycle_power(self) -> None:
        """Run the command that the settings have for it, without a shell, and give the modem time to start."""
        if not self._settings.power_cycle:
            return
        self._counts["power_cycles"] += 1
        log.warning("%s does not answer: its power is cycled", self._settings.port)
        try:
            process = await asyncio.create_subprocess_exec(
                *self._settings.power_cycle, stdin=asyncio.subprocess.DEVNULL
            )
        except OSError as error:
            log.error("power_cycle: %s: %s", self._settings.power_cycle[0], error.strerror)
            return
        try:
            async with asyncio.timeout(self._settings.power_timeout_ms / 1000):
                status = await process.wait()
            if status:
                log.error("power_cycle: %s ended with status %d", self._settings.power_cycle[0], status)
        except TimeoutError:
            log.error("power_cycle: %s took over %d ms", self._settings.power_cycle[0], self._settings.power_timeout_ms)
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
        await asyncio.sleep(self._settings.power_pause_ms / 1000)
