"""The simulated module's SIM and its network: PIN, registration, signal, and its maker (3GPP TS 27.007 §5, §7, §8)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

from attrs import field, frozen, validators

from hw.sim.at_interpreter import (
    NO_SIM,
    NOT_ALLOWED,
    NOT_SUPPORTED,
    PIN_WANTED,
    PUK_WANTED,
    WRONG_PIN,
    CmeError,
    Command,
    Handler,
)

_HOME, _SEARCHING = 1, 2
_TRIES = 3


@frozen
class GsmSettings:
    """One module: its own number, what its makers call the audio port, its SIM."""

    number: str = "13800000001"
    pcm: Literal["simcom", "quectel"] = "simcom"
    #: The SIM's PIN; empty: none is asked for.
    pin: str = field(default="", validator=validators.matches_re(r"(\d{4,8})?"), repr=False)
    #: Messages that the SIM can store.
    storage: int = field(default=20, validator=[validators.ge(1), validators.le(255)])


class Radio:
    """SIM and network. Faults are public attributes: ``sim`` (it is there), ``tries`` of the PIN that are left,
    ``rssi`` (27.007 §8.5), ``silent_tries`` (the module does not tell how many); and ``set_network``.
    """

    def __init__(self, settings: GsmSettings, say: Callable[..., None], changed: Callable[[], None]) -> None:
        """``say`` writes lines to the computer; ``changed`` is called when ``registered`` may have changed."""
        self.sim = True
        self.tries = _TRIES
        self.silent_tries = False
        self.rssi = 20
        self.network = True
        self._settings = settings
        self._say = say
        self._changed = changed
        self._unlocked = False
        self._reports = {"+CREG": 0, "+CEREG": 0}

    @property
    def registered(self) -> bool:
        """Whether the network knows the module."""
        return self.network and self._ready

    @property
    def _ready(self) -> bool:
        return self.sim and (self._unlocked or not self._settings.pin)

    def reset(self) -> None:
        """Switched on: the PIN is wanted again."""
        self._unlocked = False
        self._reports = dict.fromkeys(self._reports, 0)

    def set_network(self, there: bool) -> None:
        """There is network here, or not."""
        self.network = there
        self._changed()
        for name, mode in self._reports.items():
            if mode:
                self._say(f"{name}: {self._registration()}")

    def check_sim(self) -> None:
        """Raises ``CmeError`` while the SIM cannot be used."""
        if not self.sim:
            raise CmeError(NO_SIM)
        if not self._ready:
            raise CmeError(PIN_WANTED if self.tries else PUK_WANTED)

    def handlers(self) -> dict[str, Handler]:
        """The commands about all this."""
        simcom = self._settings.pcm == "simcom"
        maker, model = ("SIMCOM INCORPORATED", "SIMCOM_SIM7600CE") if simcom else ("Quectel", "EC20F")
        fixed: dict[str, list[str]] = {
            "+CGMI": [maker], "+GMI": [maker], "+CGMM": [model], "+GMM": [model], "+CGMR": ["SIM-1.0"],
            "+CGSN": ["861234567890123"], "+GSN": ["861234567890123"], "I": [maker, model], "&F": [], "Z": [], "V": [],
            "Q": [], "+GCAP": ["+GCAP: +CGSM"], "+CVHU": [], "+CRC": [], "+CCWA": [], "+COLP": [], "+CSDH": [],
        }  # fmt: skip
        return {
            **{name: _always(lines) for name, lines in fixed.items()},
            "+SPIC" if simcom else "+QPINC": self._tell_tries,
            "+CFUN": self._cfun, "+CPIN": self._cpin, "+CIMI": self._cimi, "+CSCS": self._cscs, "+CREG": self._creg,
            "+CEREG": self._creg, "+CSQ": self._csq, "+COPS": self._cops, "+CNUM": self._cnum,
        }  # fmt: skip

    def _tell_tries(self, command: Command) -> list[str]:
        if self.silent_tries:
            raise CmeError(NOT_SUPPORTED)
        return [f"+SPIC: {self.tries},10,3,10" if command.name == "+SPIC" else f'+QPINC: "SC",{self.tries},10']

    def _cfun(self, command: Command) -> list[str]:
        return {"read": ["+CFUN: 1"], "test": ["+CFUN: (0,1,4),(0,1)"]}.get(command.kind, [])

    def _cpin(self, command: Command) -> list[str]:
        if not self.sim:
            raise CmeError(NO_SIM)
        if command.kind == "read":
            return ["+CPIN: " + ("READY" if self._ready else "SIM PIN" if self.tries else "SIM PUK")]
        if self._ready:
            raise CmeError(NOT_ALLOWED)
        if not self.tries:
            raise CmeError(PUK_WANTED)
        if command.parameters() != [self._settings.pin]:
            self.tries -= 1
            raise CmeError(WRONG_PIN)
        self.tries, self._unlocked = _TRIES, True
        self._changed()
        return []

    def _cimi(self, _command: Command) -> list[str]:
        self.check_sim()
        return ["460001234567890"]

    def _cscs(self, command: Command) -> list[str]:
        return {"read": ['+CSCS: "GSM"'], "test": ['+CSCS: ("GSM","UCS2","IRA")']}.get(command.kind, [])

    def _creg(self, command: Command) -> list[str]:
        if command.kind == "set":
            [self._reports[command.name]] = command.numbers(range(3))
            return []
        return [f"{command.name}: {self._reports[command.name]},{self._registration()}"]

    def _registration(self) -> int:
        return _HOME if self.registered else _SEARCHING

    def _csq(self, _command: Command) -> list[str]:
        return [f"+CSQ: {self.rssi if self.network else 99},99"]

    def _cops(self, command: Command) -> list[str]:
        if command.kind != "read":
            return []
        return ['+COPS: 0,0,"CHN-SIM",7' if self.registered else "+COPS: 0"]

    def _cnum(self, _command: Command) -> list[str]:
        self.check_sim()
        return [f'+CNUM: "","{self._settings.number}",{kind(self._settings.number)}']


def _always(lines: list[str]) -> Handler:
    return lambda _command: lines


def kind(number: str) -> int:
    """Type of address (3GPP TS 24.008 §10.5.4.7): international or unknown."""
    return 145 if number.startswith("+") else 129
