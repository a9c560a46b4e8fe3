"""The simulated exchange: subscribers who call the box, and subscribers whom the box calls.

They call over real Q.931, real MFC-R2, analog lines, or a GSM module that speaks real AT, as the spans say; where the
box has analog telephones, they are the people at those.

It runs in an asyncio loop and is scripted from the same loop: ``call`` gives a ``Subscriber`` to wait on and to act
with. Numbers that the box may call are registered; ``on_call`` takes the calls to all others.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

from attrs import Attribute, field, frozen, validators

from hw.line.settings import LoopSettings
from hw.line.signalling.q931 import ANY_CHANNEL, NO_CHANNEL
from hw.line.signalling.trace import Trace
from hw.sim.exchange_line import ExchangeLine
from hw.sim.exchange_loop import LoopExchangeSpan
from hw.sim.exchange_pri import PriExchangeSpan
from hw.sim.exchange_r2 import R2ExchangeSpan
from hw.sim.gsm_module import GsmModule
from hw.sim.gsm_radio import GsmSettings
from hw.sim.modem import ModemLine, ModemSettings
from hw.sim.pattern import CODES
from hw.sim.subscriber import CallCleared, Subscriber

__all__ = ["ANY_CHANNEL", "NO_CHANNEL", "Blocked", "CallCleared", "Exchange", "ExchangeSettings", "Subscriber"]

_UNALLOCATED, _BUSY, _REJECTED = 1, 17, 21


class Blocked(Exception):
    """The exchange has no idle channel to the box: its own congestion (Q.850 cause 34), no SETUP was sent."""

    cause = 34


def _differ(_: Any, attribute: Attribute[Any], value: tuple[NumberSettings, ...]) -> None:
    numbers = [each.number for each in value]
    for number in numbers:
        if numbers.count(number) > 1:
            raise ValueError(f"{attribute.name}: number {number!r} is given twice")


@frozen
class NumberSettings:
    """A subscriber whom the box may call. ``answer_ms`` after ringing; ``talk_ms`` 0: until the box hangs up."""

    number: str = field(validator=validators.min_len(1))
    answers: Literal["answer", "never", "busy", "reject"] = "answer"
    answer_ms: int = field(default=500, validator=validators.ge(0))
    talk_ms: int = field(default=0, validator=validators.ge(0))
    #: The voice of the person (hw.sim.pattern); none: silent.
    code: int | None = field(
        default=None, validator=validators.optional([validators.ge(0), validators.lt(CODES)])
    )


@frozen
class ExchangeSpanSettings:
    """One span to the box; ``address``, ``channels`` and ``signalling`` as in the line process's span.

    ``gsm``: a GSM module in the box's place of the span: its ports are ``<address>.at`` and ``<address>.pcm``.
    ``voicemodem``: a voice modem with its analog line; its port is ``<address>.tty``.
    """

    address: str = field(validator=validators.min_len(1))
    channels: tuple[int, ...] = (*range(1, 16), *range(17, 32))
    signalling: Literal["pri", "r2", "fxo", "fxs", "gsm", "voicemodem"] = "pri"
    #: ``fxo``: the exchange's lines to the box; ``fxs``: the box's telephones; as in the line process's span.
    loop: LoopSettings = field(factory=LoopSettings)
    gsm: GsmSettings = field(factory=GsmSettings)
    modem: ModemSettings = field(factory=ModemSettings)
    #: Write every D channel frame into this file (pcap).
    trace: Path | None = None


@frozen
class ExchangeSettings:
    """The exchange's spans, in the order in which they are hunted, and its subscribers."""

    spans: tuple[ExchangeSpanSettings, ...]
    numbers: tuple[NumberSettings, ...] = field(default=(), validator=_differ)


class Exchange:
    """See the module. ``counters``: calls ``offered`` to the box, ``blocked`` here, ``received`` from the box."""

    def __init__(self, settings: ExchangeSettings) -> None:
        """Raises ``OSError`` when a trace cannot be written."""
        self.counters = {"offered": 0, "blocked": 0, "received": 0}
        #: Takes calls to numbers that are not registered; without it they are cleared as unallocated (cause 1).
        self.on_call: Callable[[Subscriber], None] | None = None
        self._numbers = {each.number: each for each in settings.numbers}
        self._people: set[asyncio.Task[None]] = set()
        self.spans = [self._open(span) for span in settings.spans]

    async def start(self) -> None:
        """Begin to connect all spans; does not wait for them."""
        for span in self.spans:
            span.start()

    async def close(self) -> None:
        """End everything; calls that are up are lost."""
        for person in self._people:
            person.cancel()
        await asyncio.gather(*self._people, return_exceptions=True)
        for span in self.spans:
            await span.close()

    async def wait_up(self) -> None:
        """Until all spans are up."""
        for span in self.spans:
            await span.wait_up()

    def register(self, number: NumberSettings) -> None:
        """Add a subscriber whom the box may call, or change one."""
        self._numbers[number.number] = number

    def call(
        self,
        called: str,
        caller: str = "",
        name: str = "",
        *,
        channel: int | None = None,
        span: int | None = None,
        restricted: bool = False,
        overlap: bool = False,
    ) -> Subscriber:
        """Somebody calls the box: on the first idle channel (of one span, if given). Raises ``Blocked``.

        ``channel`` forces a SETUP that names this channel, idle or not, or ``NO_CHANNEL`` or ``ANY_CHANNEL``, so that
        the box has to refuse it. ``overlap``: the number is not complete, further digits follow with ``dial``.
        """
        spans = self.spans if span is None else [self.spans[span]]
        for each in spans:
            if each.up and (channel is not None or each.any_idle()):
                self.counters["offered"] += 1
                return each.offer(
                    called, caller, name, channel=channel, restricted=restricted, complete=not overlap
                )
        self.counters["blocked"] += 1
        raise Blocked(f"no idle channel to the box for a call to {called}")

    @property
    def subscribers(self) -> list[Subscriber]:
        """Everybody with a call that is not cleared, on all spans."""
        return [subscriber for span in self.spans for subscriber in span.subscribers]

    def _open(self, span: ExchangeSpanSettings) -> ExchangeLine:
        if span.signalling == "r2":
            return R2ExchangeSpan(span.address, span.channels, self._received)
        if span.signalling in ("fxo", "fxs"):
            telephones = span.signalling == "fxs"
            return LoopExchangeSpan(span.address, span.channels, self._received, span.loop, telephones=telephones)
        if span.signalling == "gsm":
            return GsmModule(span.address, span.gsm, self._received)
        if span.signalling == "voicemodem":
            return ModemLine(span.address, span.modem, self._received)
        trace = Trace(span.trace, network=True) if span.trace is not None else None
        return PriExchangeSpan(span.address, span.channels, self._received, trace)

    def _received(self, subscriber: Subscriber) -> None:
        self.counters["received"] += 1
        number = self._numbers.get(subscriber.called)
        if number is not None:
            person = asyncio.create_task(_pick_up(subscriber, number), name=f"subscriber {number.number}")
            self._people.add(person)
            person.add_done_callback(self._people.discard)
        elif self.on_call is not None:
            self.on_call(subscriber)
        else:
            subscriber.hangup(_UNALLOCATED)


async def _pick_up(subscriber: Subscriber, number: NumberSettings) -> None:
    """How a called person behaves; ends with the call."""
    if number.answers == "busy":
        subscriber.hangup(_BUSY)
        return
    if number.answers == "reject":
        subscriber.hangup(_REJECTED)
        return
    subscriber.ring()
    if number.answers == "never":
        return
    await asyncio.sleep(number.answer_ms / 1000)
    if subscriber.phase == "cleared":
        return
    subscriber.answer()
    if number.code is not None:
        subscriber.say(number.code)
    if number.talk_ms:
        await asyncio.sleep(number.talk_ms / 1000)
        subscriber.hangup()
