"""The people at the simulated phones: they log in, let it ring a while, answer, talk, and hang up, as settings say."""

from __future__ import annotations

import asyncio
import logging
from random import Random

from hw.sim.phone import Phone, PhoneCall
from hw.sim.rtp import Audio
from hw.sim.session import CallEnded, CallReport
from hw.sim.settings import PhoneSettings, PhonesSettings

_log = logging.getLogger(__name__)
#: Seconds between two tries to log in, and that a log-in may take.
_LOGIN_AGAIN = 2.0
_LOGIN_TIME = 30.0
#: Seconds without a single packet in which a person finds that nobody is there: the box has gone without a word.
_DEAD = 3.0


class Person:
    """Somebody who sits at ``phone`` and behaves as ``settings`` say."""

    def __init__(self, phone: Phone, settings: PhoneSettings, random: Random) -> None:
        self.phone = phone
        self._settings = settings
        self._random = random

    async def live(self) -> None:
        """Work until cancelled."""
        await self.phone.registered()
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._log_in())
            while True:
                call = await self.phone.ringing()
                tasks.create_task(self._serve(call))

    async def _log_in(self) -> None:
        """Dial the log-in number until a call to it was answered and ended by the box."""
        while self._settings.login:
            try:
                call = self.phone.dial(self._settings.login)
                try:
                    async with asyncio.timeout(_LOGIN_TIME):
                        await call.answered()
                        call.press(self._settings.login_keys)
                        await call.ended()
                        return
                finally:
                    call.hangup()
            except (CallEnded, OSError) as error:  # a TimeoutError is an OSError
                _log.warning("%s: no log-in: %s", self._settings.account, error or "it took too long")
            await asyncio.sleep(_LOGIN_AGAIN)

    async def _serve(self, call: PhoneCall) -> None:
        """Do with an incoming call what the settings say; nobody talks to two callers at once."""
        others = [other.report for other in self.phone.calls if other is not call]
        talking = any(report.incoming and report.answered is not None for report in others)
        try:
            match "busy" if talking else self._settings.answers:
                case "answer":
                    await self._talk(call)
                case "busy":
                    call.decline(486)
                case "decline":
                    call.decline(603)
                case "never":
                    await call.ended()
        except CallEnded:
            return  # the caller gave up

    async def _talk(self, call: PhoneCall) -> None:
        try:
            async with asyncio.timeout(self._random.uniform(*self._settings.answer_ms) / 1000):
                await call.ended()
            return
        except TimeoutError:
            call.answer()
        await call.answered()
        least, most = self._settings.talk_ms
        try:
            async with asyncio.timeout(self._random.uniform(least, most) / 1000 if most else None):
                await self._listen(call)
        except TimeoutError:
            pass
        call.hangup()
        await call.ended()

    @staticmethod
    async def _listen(call: PhoneCall) -> None:
        """Until the call has ended, or the line is dead."""
        over = asyncio.ensure_future(call.ended())
        received = -1
        try:
            while not over.done() and (not call.listens or call.report.packets.received != received):
                received = call.report.packets.received
                await asyncio.wait([over], timeout=_DEAD)
        finally:
            over.cancel()


class Phones:
    """All phones of the simulator with their people."""

    def __init__(self, settings: PhonesSettings, random: Random) -> None:
        host, _, port = settings.registrar.rpartition(":")
        self._audio = Audio(max(2 * len(settings.list), 2))
        self.people = [
            Person(
                Phone(
                    one.account, one.password, (host, int(port)), self._audio, code=one.code, display=one.display,
                    address=settings.address, transport=one.transport, expires=settings.expires,
                ),
                one,
                Random(random.random()),
            )
            for one in settings.list
        ]  # fmt: skip

    async def run(self) -> None:
        """Phones on, people at work, until cancelled; then calls are hung up and the phones unregister."""
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._audio.run())
                for person in self.people:
                    await person.phone.start()
                    tasks.create_task(person.live())
        finally:
            await asyncio.gather(*(person.phone.close() for person in self.people))

    async def registered(self) -> None:
        """Wait until every phone is registered."""
        await asyncio.gather(*(person.phone.registered() for person in self.people))

    @property
    def busy(self) -> int:
        """Calls that are not over."""
        return sum(len(person.phone.calls) for person in self.people)

    def reports(self) -> list[CallReport]:
        """Every call of every phone, the ones that are up too."""
        return [report for person in self.people for report in person.phone.reports()]
