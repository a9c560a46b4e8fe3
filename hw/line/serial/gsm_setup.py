"""A GSM module brought into order: its SIM, its settings, and how it is now (3GPP TS 27.007)."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Sequence

from hw.line.serial import gsm_codes
from hw.line.serial.at import AtEngine, AtError, AtLost, AtTimeout
from hw.line.serial.settings import GsmSettings

log = logging.getLogger(__name__)

#: Alarms of the SIM and the network: there is no SIM; it wants a PIN that nobody has given, that is not to be tried
#: any more, or the PUK; there is no network.
NO_SIM, PIN_WANTED, PIN_REFUSED, PUK_WANTED, NO_NETWORK = "NO SIM", "SIM PIN", "PIN REFUSED", "SIM PUK", "NO NETWORK"
#: A PIN is tried only while no try was wasted: one wrong PIN, and whoever comes back to it has two.
_TRIES = 3
#: +CME ERROR (§9.2.1): no SIM, failure of the SIM, not right.
_NO_SIM = ("+CME ERROR: 10", "+CME ERROR: 13", "+CME ERROR: 15")
#: For what a module may lack: call waiting is switched off, and calls that wait all the same are refused; PCM at 8 kHz.
_IF_IT_CAN = ("AT+CCWA=0", "AT+CVHU=0", "AT+CRC=0", "AT+CSDH=0")
_ASKS_FOR_TRIES = ("AT+CPINR", "AT+QPINC?", "AT+SPIC")


class GsmSetup:
    """``sim``: its alarm, empty while it can be used; ``network``; ``signal_dbm``; ``number``, the module's own."""

    def __init__(self, settings: GsmSettings) -> None:
        self.sim = NO_SIM
        self.network = False
        self.signal_dbm: int | None = None
        self.number = settings.number
        self._settings = settings
        self._refused = False
        self._registered = {"+CREG": False, "+CEREG": False}

    async def set_up(self, at: AtEngine) -> None:
        """Everything, after the module has appeared. Raises ``AtError`` for one that cannot be used."""
        self._registered = dict.fromkeys(self._registered, False)
        await at.command("ATE0")
        await at.command("AT+CMEE=1")
        await at.command("AT+CLIP=1")
        more = ("AT+CPCMFRM=0",) if self._settings.pcm == "simcom" else ()
        for command in (*_IF_IT_CAN, *more, "AT+CREG=1", "AT+CEREG=1"):
            await self._ask(at, command)
        await self.refresh(at)

    async def refresh(self, at: AtEngine) -> None:
        """How it is now; a SIM that has come is unlocked. Raises ``AtError`` when the module does not answer."""
        self.sim = await self._unlocked(at)
        for command in ("AT+CREG?", "AT+CEREG?", "AT+CSQ"):
            for line in await self._ask(at, command):
                self.on_line(line)
        if not self.sim and not self.number:
            for line in await self._ask(at, "AT+CNUM"):
                self.number = [*gsm_codes.fields(line), "", ""][1].removeprefix("+")

    def on_line(self, line: str) -> bool:
        """A line about registration, signal or SIM, asked for or not; whether it was one."""
        name = line.partition(":")[0]
        if name in self._registered:
            self._registered[name] = bool(gsm_codes.registered(line))
        elif name == "+CSQ":
            self.signal_dbm = gsm_codes.signal_dbm(line)
        elif name == "+CPIN":
            self.sim = sim_alarm(line)
        else:
            return False
        self.network = any(self._registered.values())
        return True

    @property
    def alarm(self) -> str:
        """What is wrong; empty while calls can be made."""
        return self.sim or ("" if self.network else NO_NETWORK)

    async def _unlocked(self, at: AtEngine) -> str:
        """The SIM's alarm, once its PIN was given where it wants one and it is right to try."""
        try:
            state = " ".join((await at.command("AT+CPIN?")).lines)
        except (AtTimeout, AtLost):
            raise
        except AtError as error:
            return NO_SIM if error.result in _NO_SIM else PIN_REFUSED if self._refused else NO_SIM
        alarm = sim_alarm(state)
        if alarm != PIN_WANTED or not self._settings.pin:
            return alarm
        if self._refused or await self._tries(at) < _TRIES:
            return PIN_REFUSED
        try:
            await at.command(f'AT+CPIN="{self._settings.pin}"')
        except (AtTimeout, AtLost):
            self._refused = True  # nobody knows whether it was tried: not again
            raise
        except AtError:
            self._refused = True
            log.error("the SIM refuses the PIN; it is not tried again")
            return PIN_REFUSED
        return ""

    async def _tries(self, at: AtEngine) -> int:
        """How often the PIN may still be tried; 0 for a module that does not tell, so that its SIM is never locked."""
        for command in _ASKS_FOR_TRIES:
            for line in await self._ask(at, command):
                left = gsm_codes.tries_left(line)
                if left is not None and "PUK" not in line and "P2" not in line:
                    return left
        log.error("the module does not say how often the PIN may be tried: switch the SIM's PIN off (AT+CLCK)")
        return 0

    async def _ask(self, at: AtEngine, command: str) -> Sequence[str]:
        """The lines of a command that the module may not know."""
        with contextlib.suppress(AtError):
            return (await at.command(command)).lines
        return ()


def sim_alarm(line: str) -> str:
    """The SIM's state of a +CPIN (§8.3)."""
    state = line.partition(":")[2].strip()
    return "" if state == "READY" else PUK_WANTED if "PUK" in state else PIN_WANTED if "PIN" in state else NO_SIM
