"""Traffic: people call the box by chance, each with a wish, and what became of each call is kept.

A wish is a list of steps, done in order once the call is answered; a person whose patience ends, or who hears nobody in
time, hangs up. Arrivals are Poisson; everything that is drawn by chance comes from one generator, so that a seed gives
the same day again.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections import Counter
from contextlib import suppress
from random import Random
from typing import Any, Literal

from attrs import Attribute, define, field, frozen, validators

from hw.sim.exchange import Blocked, CallCleared, Exchange, Subscriber
from hw.sim.pattern import CODES

_log = logging.getLogger(__name__)

Outcome = Literal["served", "abandoned", "refused", "cleared"]
#: Reports that are kept; of more calls than that only the totals are known.
_MAX_REPORTS = 100_000


def least_and_most(_: Any, attribute: Attribute[Any], value: tuple[int, int]) -> None:
    """Validates a pair of least and most milliseconds."""
    if not 0 <= value[0] <= value[1]:
        raise ValueError(f"{attribute.name}: {value[0]}..{value[1]} must be least and most milliseconds")


def _steps_are_known(_: Any, attribute: Attribute[Any], value: tuple[StepSettings, ...]) -> None:
    for step in value:
        if step.do == "press" and not step.keys:
            raise ValueError(f"{attribute.name}: a step that presses needs keys")


@frozen
class StepSettings:
    """One thing that a caller does. Times in ms, drawn between least and most.

    - ``wait`` listens for ``ms`` (a prompt), then goes on;
    - ``press`` presses ``keys``;
    - ``queue`` waits for a voice with a code, and gives up after ``ms`` (the caller's patience);
    - ``talk`` speaks with the caller's own code for ``ms``.
    """

    do: Literal["wait", "press", "queue", "talk"]
    ms: tuple[int, int] = field(default=(0, 0), validator=least_and_most)
    keys: str = field(default="", validator=validators.matches_re(r"[0-9*#A-D]*"))


@frozen
class WishSettings:
    """Why somebody calls: ``share`` of all calls (relative to the other wishes), and the steps."""

    name: str = field(validator=validators.min_len(1))
    called: str = field(validator=validators.min_len(1))
    share: int = field(default=1, validator=validators.ge(1))
    steps: tuple[StepSettings, ...] = field(default=(), validator=_steps_are_known)
    #: The box is expected to answer within this time, else the caller hangs up.
    ring_ms: int = field(default=60_000, validator=validators.ge(1))


@frozen
class TrafficSettings:
    """A profile of calls. ``calls`` 0: without end."""

    calls_per_hour: int = field(validator=validators.ge(1))
    wishes: tuple[WishSettings, ...] = field(validator=validators.min_len(1))
    #: No more calls than this at once; what would exceed it is not dialled.
    at_once: int = field(default=30, validator=validators.ge(1))
    calls: int = field(default=0, validator=validators.ge(0))
    #: Callers speak with codes from here on, one after the other and again from the first after ``codes``.
    first_code: int = field(default=1000, validator=[validators.ge(0), validators.lt(CODES)])
    codes: int = field(default=1000, validator=validators.ge(1))

    def __attrs_post_init__(self) -> None:
        if self.first_code + self.codes > CODES:
            raise ValueError(f"first_code, codes: {self.first_code} + {self.codes} must not exceed {CODES}")


@frozen
class CallReport:
    """What became of one call. Times in seconds since 1970; ``heard``: cycles of each code that was heard.

    ``by``: who cleared, ``us`` the caller, ``far`` the box, ``fault`` a lost line.
    """

    caller: str
    called: str
    wish: str
    code: int
    began: float
    answered: float | None
    ended: float
    cause: int
    by: Literal["far", "us", "fault"]
    outcome: Outcome
    #: Seconds in the queue until a voice was heard, or the caller gave up; None without a queue.
    waited: float | None
    heard: dict[int, int]


@define
class _Person:
    """One caller at work."""

    subscriber: Subscriber
    wish: WishSettings
    code: int
    number: str
    began: float
    waited: float | None = None
    gave_up: bool = False
    done: bool = False


class Traffic:
    """Calls by ``settings`` over ``exchange``.

    ``totals`` counts calls: ``offered`` (a SETUP was sent), ``answered``, ``served`` (every step was done),
    ``abandoned`` (the caller's patience ended), ``refused`` (the box did not take it), ``cleared`` (ended by the box or
    a fault before the caller was through), ``blocked`` (no channel: 34), ``skipped`` (more than ``at_once``).
    """

    def __init__(self, exchange: Exchange, settings: TrafficSettings, random: Random) -> None:
        self.totals: Counter[str] = Counter()
        self.reports: list[CallReport] = []
        self._exchange = exchange
        self._settings = settings
        self._random = random
        self._shares = [wish.share for wish in settings.wishes]
        self._people: set[asyncio.Task[None]] = set()
        self._stopped = asyncio.Event()
        self._dialled = 0

    @property
    def callers(self) -> int:
        """Callers who are at it now."""
        return len(self._people)

    def stop(self) -> None:
        """No new calls; those that are up go on."""
        self._stopped.set()

    async def run(self) -> None:
        """Call by the profile until ``stop`` or the last call, then wait for the callers. Cancelling hangs them up."""
        loop = asyncio.get_running_loop()
        due = loop.time()
        try:
            while not self._over():
                due += self._random.expovariate(self._settings.calls_per_hour / 3600)
                await self._pause(due - loop.time())
                if not self._stopped.is_set():
                    self._dial()
            while self._people:
                await asyncio.wait(self._people)
        finally:
            for person in self._people:
                person.cancel()
            await asyncio.gather(*self._people, return_exceptions=True)

    def _over(self) -> bool:
        return self._stopped.is_set() or self._dialled == self._settings.calls > 0

    async def _pause(self, seconds: float) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(max(seconds, 0)):
                await self._stopped.wait()

    def _dial(self) -> None:
        """The next caller, with a wish, a number and a voice."""
        settings = self._settings
        wish = self._random.choices(settings.wishes, self._shares)[0]
        # Each person draws from a generator of his own: how long others take must not change what he does.
        own = Random(self._random.getrandbits(64))
        code = settings.first_code + self._dialled % settings.codes
        number = f"139{self._dialled:08d}"
        self._dialled += 1
        if len(self._people) >= settings.at_once:
            self.totals["skipped"] += 1
            return
        try:
            subscriber = self._exchange.call(wish.called, number)
        except Blocked:
            self.totals["blocked"] += 1
            return
        self.totals["offered"] += 1
        person = _Person(subscriber, wish, code, number, time.time())
        task = asyncio.create_task(self._live(person, own), name=f"caller {number}")
        self._people.add(task)
        task.add_done_callback(self._people.discard)

    async def _live(self, person: _Person, random: Random) -> None:
        subscriber = person.subscriber
        try:
            async with asyncio.timeout(person.wish.ring_ms / 1000):
                await subscriber.answered()
            self.totals["answered"] += 1
            for step in person.wish.steps:
                await self._do(step, person, random)
                if person.gave_up:
                    break
            person.done = not person.gave_up
        except TimeoutError:
            person.gave_up = True
        except CallCleared:
            pass
        finally:
            subscriber.hangup()
        await subscriber.cleared()
        self._report(person)

    async def _do(self, step: StepSettings, person: _Person, random: Random) -> None:
        """One step. Raises ``CallCleared`` when the call ends before."""
        subscriber = person.subscriber
        seconds = random.uniform(*step.ms) / 1000
        match step.do:
            case "wait":
                await subscriber.stays(seconds)
            case "press":
                await subscriber.press(step.keys)
            case "queue":
                began = asyncio.get_running_loop().time()
                try:
                    async with asyncio.timeout(seconds):
                        await subscriber.hears_anyone()
                except TimeoutError:
                    person.gave_up = True
                person.waited = asyncio.get_running_loop().time() - began
            case "talk":
                subscriber.say(person.code)
                await subscriber.stays(seconds)
                subscriber.say(None)

    def _report(self, person: _Person) -> None:
        subscriber = person.subscriber
        outcome = _outcome(person)
        self.totals[outcome] += 1
        if len(self.reports) >= _MAX_REPORTS:
            self.totals["unreported"] += 1
            return
        answered = None
        if subscriber.answered_at is not None:
            answered = person.began + subscriber.answered_at - subscriber.began
        self.reports.append(CallReport(
            person.number, person.wish.called, person.wish.name, person.code, person.began, answered, time.time(),
            subscriber.cause or 0, subscriber.by, outcome, person.waited, dict(subscriber.heard),
        ))  # fmt: skip


def _outcome(person: _Person) -> Outcome:
    if person.done:
        return "served"
    if person.gave_up:
        return "abandoned"
    return "refused" if person.subscriber.answered_at is None else "cleared"
