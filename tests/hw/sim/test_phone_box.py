"""Simulated phones at the real phone process; a scripted control process connects who dials to who is dialled."""

import asyncio
import socket
import sys
from contextlib import asynccontextmanager
from random import Random

import pytest

from hw.link import connect
from hw.messages import (
    Accept,
    Account,
    Alert,
    Alerting,
    Answer,
    Answered,
    AuthFailed,
    Cleared,
    Dial,
    Digit,
    Fault,
    Hangup,
    Incoming,
    MediaOffer,
    Modify,
    Refer,
    ReferResult,
    Registered,
    SetAccounts,
    Unregistered,
)
from hw.phone.digest import ha1
from hw.sim import phones as people_at_phones
from hw.sim.phone import Phone
from hw.sim.phones import Person
from hw.sim.rtp import Audio
from hw.sim.settings import PhoneSettings

REALM = "onecall"


class Box:
    """The phone process as a child, and decisions as simple as can be: dialled numbers are accounts."""

    def __init__(self, path, port):
        self.port = port
        self._path = path
        self._pair = {}
        self.seen = []
        self._came = asyncio.Event()

    async def start(self, accounts):
        config = self._path / "onecall.toml"
        config.write_text(
            f'[phone]\nsocket = "{self._path}/phone.sock"\nlisten = ["udp:127.0.0.1:{self.port}", '
            f'"tcp:127.0.0.1:{self.port}"]\nmin_expires_s = 1\n'
        )
        self._process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "hw.phone", "--config", str(config)
        )
        while True:
            try:
                self._link = await connect(self._path / "phone.sock")
                break
            except OSError:
                await asyncio.sleep(0.02)
        if accounts is not None:
            self.know(accounts)
        self._link.send(Hangup("nobody"))
        self._task = asyncio.create_task(self._decide())
        await self.saw(Fault, subject="nobody")  # so the accounts are known too

    def know(self, accounts):
        """Name the accounts."""
        self._link.send(SetAccounts(REALM, tuple(Account(n, ha1(n, REALM, f"pw{n}")) for n in accounts)))

    async def _decide(self):
        async for message in self._link:
            self.seen.append(message)
            self._came.set()
            self._do(message)

    def _do(self, message):
        send = self._link.send
        other = self._pair.get(getattr(message, "leg", ""))
        match message:
            case Incoming():
                out = f"to-{message.leg}"
                self._pair[message.leg], self._pair[out] = out, message.leg
                send(Dial(out, "phones", message.called, message.caller, "", message.media))
            case Alerting():
                send(Alert(other))
            case Answered():
                send(Answer(other, message.media))
            case MediaOffer():
                if not message.leg.startswith("to-"):  # an answer to our offer is told too
                    send(Modify(other, message.media))
                send(Accept(message.leg, message.media))
            case Refer():
                send(ReferResult(message.leg, 100))
                send(ReferResult(message.leg, 200))
            case Cleared() if other in self._pair:
                del self._pair[message.leg], self._pair[other]
                send(Hangup(other, message.cause))

    async def saw(self, kind, **fields):
        """Wait for an event with these fields."""
        while True:
            for message in self.seen:
                if isinstance(message, kind) and all(getattr(message, k) == v for k, v in fields.items()):
                    return message
            self._came.clear()
            await self._came.wait()

    async def stop(self):
        self._task.cancel()
        self._link.close()
        if self._process.returncode is None:
            self._process.terminate()
        assert await self._process.wait() == 0

    async def kill(self):
        """The phone process dies; what was seen is forgotten."""
        self.seen.clear()
        self._task.cancel()
        self._link.close()
        self._process.kill()
        await self._process.wait()


def free_port():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind(("127.0.0.1", 0))
        return sock.getsockname()[1]


@asynccontextmanager
async def desk(path, *accounts, expires=60, transport="udp", code=lambda name: int(name)):
    """The box and phones that are registered at it."""
    box = Box(path, free_port())
    audio = Audio(4 * len(accounts))
    ticking = asyncio.create_task(audio.run())
    phones = [
        Phone(n, f"pw{n}", ("127.0.0.1", box.port), audio, code=code(n), expires=expires, transport=transport)
        for n in accounts
    ]
    try:
        async with asyncio.timeout(20):
            await box.start(accounts)
            for phone in phones:
                await phone.start()
            await asyncio.gather(*(phone.registered() for phone in phones))
            yield box, *phones
            for phone in phones:
                await phone.close()
    finally:
        ticking.cancel()
        await box.stop()


def test_phones_register_with_digest_and_leave(tmp_path):
    async def main():
        async with desk(tmp_path, "201", "202") as (box, one, two):
            assert (await box.saw(Registered, account="201")).source == f"127.0.0.1:{one.local[1]}"
            await two.close()
            assert (await box.saw(Unregistered, account="202")).reason == "phone"

    asyncio.run(main())


def test_a_registration_is_refreshed_before_it_expires(tmp_path):
    async def main():
        async with desk(tmp_path, "201", expires=1) as (box, _):
            while sum(isinstance(message, Registered) for message in box.seen) < 4:
                box._came.clear()
                await box._came.wait()
            assert not any(isinstance(message, Unregistered) for message in box.seen)

    asyncio.run(main())


def test_a_wrong_password_is_not_registered_and_tells_nobody(tmp_path, caplog):
    async def main():
        async with desk(tmp_path, "201") as (box, _):
            audio = Audio(2)
            thief = Phone("201", "secret guess", ("127.0.0.1", box.port), audio, code=1)
            await thief.start()
            await box.saw(AuthFailed, account="201", reason="wrong password")
            thief.vanish()

    asyncio.run(main())
    assert "secret guess" not in caplog.text


def test_phones_that_come_before_their_accounts_are_told_to_come_again(tmp_path, caplog):
    """As at the start of the machine: a phone that is told 403 may not come again for long."""

    async def main():
        box = Box(tmp_path, free_port())
        phone = Phone("201", "pw201", ("127.0.0.1", box.port), Audio(2), code=1)
        try:
            async with asyncio.timeout(10):
                await box.start(None)
                await phone.start()
                with pytest.raises(TimeoutError):
                    async with asyncio.timeout(0.3):
                        await phone.registered()
                box.know(["201"])
                await phone.registered()
                await phone.close()
        finally:
            await box.stop()

    asyncio.run(main())
    assert "201: not registered: 503" in caplog.text
    assert "403" not in caplog.text


def test_one_phone_calls_another_and_each_hears_the_other(tmp_path):
    async def main():
        async with desk(tmp_path, "201", "202") as (_, one, two):
            call = one.dial("202")
            came = await two.ringing()
            await call.alerting()
            came.answer()
            await asyncio.gather(call.heard(202), came.heard(201))
            came.hangup()
            assert (await call.ended()).by == "far"

    asyncio.run(main())


def test_the_same_over_tcp(tmp_path):
    async def main():
        async with desk(tmp_path, "201", "202", transport="tcp") as (_, one, two):
            call = one.dial("202")
            came = await two.ringing()
            came.answer()
            await asyncio.gather(call.heard(202), came.heard(201))
            call.hangup()
            assert (await came.ended()).by == "far"

    asyncio.run(main())


def test_hold_keys_and_transfer_reach_the_control_process(tmp_path):
    async def main():
        async with desk(tmp_path, "201", "202") as (box, one, two):
            call = one.dial("202")
            came = await two.ringing()
            came.answer()
            await came.heard(201)
            call.press("*1", "info")
            await box.saw(Digit, digit="*", source="info")
            await box.saw(Digit, digit="1", source="info")
            await call.hold()
            await came.directed("recvonly")
            await call.resume()
            await came.directed("sendrecv")
            assert await call.transfer("203") == 200
            assert (await box.saw(Refer)).to == "203"
            call.hangup()
            await came.ended()

    asyncio.run(main())


def test_an_attended_transfer_names_the_call_to_replace(tmp_path):
    async def main():
        async with desk(tmp_path, "201", "202", "203") as (box, one, two, three):
            first = one.dial("202")
            (await two.ringing()).answer()
            await first.answered()
            await first.hold()
            second = one.dial("203")
            (await three.ringing()).answer()
            await second.answered()
            assert await first.transfer("203", replaces=second) == 200
            refer = await box.saw(Refer)
            legs = {message.called: message.leg for message in box.seen if isinstance(message, Incoming)}
            assert (refer.leg, refer.to, refer.replaces) == (legs["202"], "203", legs["203"])

    asyncio.run(main())


def test_a_busy_phone_and_one_that_is_not_there(tmp_path):
    async def main():
        async with desk(tmp_path, "201", "202") as (_, one, two):
            call = one.dial("202")
            (await two.ringing()).decline(486)
            assert (await call.ended()).status == 486
            assert (await one.dial("299").ended()).status >= 400

    asyncio.run(main())


def test_phones_come_back_when_the_phone_process_was_restarted(tmp_path):
    async def main():
        async with desk(tmp_path, "201", "202") as (box, one, two):
            await box.kill()
            call = one.dial("202")
            await box.start(["201", "202"])
            await call.ended()  # its phone registers again by itself, the other one with its next refresh
            two.register()
            await asyncio.gather(box.saw(Registered, account="201"), box.saw(Registered, account="202"))
            again = one.dial("202")
            (await two.ringing()).answer()
            await again.heard(202)
            again.hangup()
            await again.ended()

    asyncio.run(main())


def test_people_do_what_their_settings_say(tmp_path):
    async def main():
        async with desk(tmp_path, "201", "202", "203", "204", "205") as (_, one, *others):
            people = {
                "202": PhoneSettings("202", "pw202", 202, answer_ms=(50, 100), talk_ms=(900, 1000)),
                "203": PhoneSettings("203", "pw203", 203, answers="busy"),
                "204": PhoneSettings("204", "pw204", 204, answers="decline"),
                "205": PhoneSettings("205", "pw205", 205, answers="never"),
            }
            tasks = [asyncio.create_task(Person(phone, people[phone.account], Random(1)).live()) for phone in others]
            answered = await one.dial("202").ended()
            assert 0.05 <= answered.answered - answered.began < 1
            assert 0.9 <= answered.ended - answered.answered < 2
            assert answered.by == "far"
            assert (await one.dial("203").ended()).status == 486
            declined = await one.dial("204").ended()
            assert (declined.answered, declined.by) == (None, "far")
            unanswered = one.dial("205")
            await unanswered.alerting()
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.3):
                    await unanswered.answered()
            unanswered.hangup()
            talking = one.dial("202")
            await talking.answered()
            assert (await one.dial("202").ended()).status == 486
            await talking.heard(202)
            for task in tasks:
                task.cancel()
            ends = await asyncio.gather(*tasks, return_exceptions=True)
            assert all(isinstance(end, asyncio.CancelledError) for end in ends)

    asyncio.run(main())


def test_a_person_hangs_up_when_the_line_is_dead_and_not_before(tmp_path, monkeypatch):
    monkeypatch.setattr(people_at_phones, "_DEAD", 0.2)

    async def main():
        async with desk(tmp_path, "201", "202") as (_, one, two):
            settings = PhoneSettings("202", "pw202", 202, answer_ms=(0, 0))
            working = asyncio.create_task(Person(two, settings, Random(1)).live())
            call = one.dial("202")
            await call.answered()
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(1):
                    await call.ended()
            await call.heard(202)
            (other,) = two.calls
            one.vanish()
            assert (await other.ended()).by == "us"
            working.cancel()

    asyncio.run(main())


def test_an_agent_logs_in_with_a_code_and_takes_calls_meanwhile(tmp_path):
    async def main():
        async with desk(tmp_path, "201", "202") as (_, one, two):
            settings = PhoneSettings("201", "pw201", 201, login="202", login_keys="1234#", answer_ms=(0, 0))
            working = asyncio.create_task(Person(one, settings, Random(1)).live())
            (await two.ringing()).hangup()  # refused once: tried again
            login = await two.ringing()
            call = two.dial("201")
            await call.answered()
            login.answer()
            await login.pressed("1234#")
            login.hangup()
            await call.heard(201)
            call.hangup()
            await call.ended()
            working.cancel()
            assert "1234" not in repr(settings)
            assert "pw201" not in repr(settings)

    asyncio.run(main())
