"""What the simulator reads from ``[sim]`` of a settings file."""

from __future__ import annotations

import ipaddress
from typing import Any, Literal

from attrs import Attribute, field, frozen, validators

from hw.sim.exchange import ExchangeSettings
from hw.sim.pattern import CODES
from hw.sim.traffic import TrafficSettings, least_and_most

Answers = Literal["answer", "never", "busy", "decline"]


def _ip(_: Any, attribute: Attribute[str], value: str) -> None:
    try:
        ipaddress.IPv4Address(value)
    except ValueError:
        raise ValueError(f"{attribute.name}: {value!r} must be an IPv4 address") from None


def _ip_port(_: Any, attribute: Attribute[str], value: str) -> None:
    host, _, port = value.rpartition(":")
    try:
        ipaddress.IPv4Address(host)
        right = 0 < int(port) < 65536
    except ValueError:
        right = False
    if not right:
        raise ValueError(f"{attribute.name}: {value!r} must be an IPv4 address and a port, like 127.0.0.1:5060")


def _differ(_: Any, attribute: Attribute[tuple[PhoneSettings, ...]], value: tuple[PhoneSettings, ...]) -> None:
    for key in ("account", "code"):
        kept = [getattr(phone, key) for phone in value]
        for item in kept:
            if kept.count(item) > 1:
                raise ValueError(f"{attribute.name}: {key} {item!r} is given twice")


@frozen
class PhoneSettings:
    """One phone and how the person at it behaves. Times in ms, drawn between least and most."""

    account: str = field(validator=validators.min_len(1))
    password: str = field(repr=False)
    #: The voice of the person (hw.sim.pattern).
    code: int = field(validator=[validators.ge(0), validators.lt(CODES)])
    display: str = ""
    #: What happens to calls that come in: answered, left ringing, 486 Busy Here, 603 Decline.
    answers: Answers = "answer"
    answer_ms: tuple[int, int] = field(default=(500, 2000), validator=least_and_most)
    #: How long the person talks before hanging up; (0, 0): until the far end hangs up.
    talk_ms: tuple[int, int] = field(default=(0, 0), validator=least_and_most)
    #: Number dialled once the phone is registered (an agent's log-in) until a call to it went well, and the keys
    #: that are pressed when it is answered.
    login: str = ""
    login_keys: str = field(default="", repr=False)
    transport: Literal["udp", "tcp"] = "udp"


@frozen
class PhonesSettings:
    """The simulated phones: where they register, from which address, and each of them."""

    registrar: str = field(default="127.0.0.1:5060", validator=_ip_port)
    address: str = field(default="127.0.0.1", validator=_ip)
    #: Seconds of a registration that a phone asks for.
    expires: int = field(default=120, validator=validators.ge(10))
    list: tuple[PhoneSettings, ...] = field(default=(), validator=_differ)


@frozen
class SimSettings:
    """The whole table."""

    #: Everything that is drawn by chance comes from here: the same seed, the same day.
    seed: int = 1
    exchange: ExchangeSettings = field(factory=lambda: ExchangeSettings(spans=()))
    #: People who call the box; without it the exchange only takes calls.
    traffic: TrafficSettings | None = None
    phones: PhonesSettings = field(factory=PhonesSettings)
    #: How long calls may go on after the simulator was told to end, in ms.
    drain_ms: int = field(default=20_000, validator=validators.ge(0))

    def __attrs_post_init__(self) -> None:
        """Every voice is one person's: otherwise nobody could tell who was heard."""
        taken = {phone.code: f"phone {phone.account}" for phone in self.phones.list}
        for number in self.exchange.numbers:
            if number.code is not None and taken.setdefault(number.code, number.number) != number.number:
                raise ValueError(f"exchange.numbers: code {number.code} is the voice of {taken[number.code]}")
        if self.traffic is not None:
            codes = range(self.traffic.first_code, self.traffic.first_code + self.traffic.codes)
            for code in taken.keys() & set(codes):
                raise ValueError(f"traffic: code {code} is the voice of {taken[code]}: choose another first_code")
