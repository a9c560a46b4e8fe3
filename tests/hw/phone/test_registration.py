"""Phones register over real sockets; strangers do not."""

from __future__ import annotations

import asyncio

import pytest

from hw.messages import AuthFailed, Cleared, Dial, Incoming, Registered, Snapshot, Unregistered
from hw.phone.digest import Credentials
from hw.phone.registration import Registration
from hw.phone.stack import Message, Transport
from hw.phone.text import Address
from tests.hw.phone.conftest import OURS, REALM, Desk, Open, Phone, password


async def ask(phone: Phone, method: str, uri: str = f"sip:{REALM}", **more: object) -> Message:
    """Send one request outside of calls; its final response."""
    done: asyncio.Future[Message | None] = asyncio.get_running_loop().create_future()

    def responded(message: Message | None) -> None:
        if message is None or message.status >= 200:
            done.set_result(message)

    me = Address.parse(f"sip:{phone.name}@{REALM}")
    phone.agent.send(method, uri, phone.server, local=me, remote=me, on_response=responded, **more)  # type: ignore[arg-type]
    message = await done
    assert message is not None
    return message


@pytest.mark.parametrize("transport", ["udp", "tcp"])
def test_a_phone_registers_and_leaves(desk: Open, transport: Transport) -> None:
    async def main() -> None:
        async with desk("201") as d:
            (phone,) = await d.registered("201", transport=transport)
            told = await d.next(Registered)
            assert (told.account, told.agent, told.expires_s) == ("201", "Test phone 201", 300)
            assert str(phone.port) in told.contact
            await phone.unregister()
            assert await d.next(Unregistered) == Unregistered("201", told.contact, "phone")

    asyncio.run(main())


def test_a_wrong_password_is_forbidden_and_told_once_without_the_password(desk: Open) -> None:
    async def main() -> None:
        async with desk("201") as d:
            for name in ("201", "999"):
                phone = d.phone(name)
                phone.registration = Registration(
                    phone.agent, phone.server, realm=REALM, credentials=Credentials(name, "guess"),
                    on_change=lambda outcome, status, box=phone.box: box.put((outcome, status)),  # type: ignore[misc]
                )  # fmt: skip
                assert await phone.register() == 403
            failed = await d.next(AuthFailed)
            assert (failed.account, failed.reason) == ("201", "wrong password")
            assert "guess" not in str(failed)
            assert not d.box.any(AuthFailed)
            assert not d.box.any(Registered)

    asyncio.run(main())


def test_too_short_a_time_is_refused_and_the_phone_takes_the_least(desk: Open) -> None:
    async def main() -> None:
        async with desk("201", min_expires_s=60, max_expires_s=120) as d:
            phone = d.phone("201")
            phone.registration = Registration(
                phone.agent, phone.server, realm=REALM, credentials=phone.credentials, expires_s=10,
                on_change=lambda outcome, status: phone.box.put((outcome, status)),
            )  # fmt: skip
            assert await phone.register() == 200
            assert (await d.next(Registered)).expires_s == 60
            message = await ask(phone, "REGISTER", headers=[("Expires", "99999")], credentials=phone.credentials)
            assert "expires=120" in message.headers.get("contact")

    asyncio.run(main())


def test_a_phone_that_asks_for_an_hour_is_back_five_minutes_after_a_restart_all_the_same(desk: Open) -> None:
    async def main() -> None:
        async with desk("201") as d:
            phone = d.phone("201")
            phone.registration = Registration(
                phone.agent, phone.server, realm=REALM, credentials=phone.credentials, expires_s=3600,
                on_change=lambda outcome, status: phone.box.put((outcome, status)),
            )  # fmt: skip
            assert await phone.register() == 200
            assert (await d.next(Registered)).expires_s == 300

    asyncio.run(main())


def test_a_star_removes_every_binding(desk: Open) -> None:
    async def main() -> None:
        async with desk("201") as d:
            one, two = await d.registered("201", "201")
            one.agent.contact = lambda user, transport: "*"  # type: ignore[method-assign]
            message = await ask(one, "REGISTER", headers=[("Expires", "0")], credentials=one.credentials)
            assert message.status == 200
            for _ in (one, two):
                assert (await d.next(Unregistered)).reason == "phone"

    asyncio.run(main())


def test_nobody_registers_the_address_of_another(desk: Open) -> None:
    async def main() -> None:
        async with desk("201", "202") as d:
            phone = d.phone("202")
            thief = Credentials("201", password("201"))
            assert (await ask(phone, "REGISTER", headers=[("Expires", "300")], credentials=thief)).status == 403
            assert (await d.next(AuthFailed)).reason == "registers another's address"

    asyncio.run(main())


def test_bindings_are_told_again_to_a_new_control_process(desk: Open) -> None:
    async def main() -> None:
        async with desk("201") as d:
            await d.registered("201")
            contact = (await d.next(Registered)).contact
            await d.reconnect()
            await d.next(Snapshot)
            assert (await d.next(Registered)).contact == contact

    asyncio.run(main())


@pytest.mark.parametrize(
    ("method", "status"),
    [("OPTIONS", 200), ("SUBSCRIBE", 489), ("MESSAGE", 405), ("PUBLISH", 405), ("BYE", 481), ("FROBNICATE", 501)],
)
def test_requests_of_strangers_are_answered_and_make_nothing(desk: Open, method: str, status: int) -> None:
    async def main() -> None:
        async with desk("201") as d:
            message = await ask(d.phone("999"), method)
            assert message.status == status
            if status in (200, 405):
                assert "INVITE" in message.headers.get("allow")

    asyncio.run(main())


def test_a_stranger_cannot_call_and_learns_nothing(desk: Open) -> None:
    async def main() -> None:
        async with desk("201") as d:
            for name in ("201", "999"):
                phone = d.phone(name)
                phone.dial("800", credentials=None)
                assert (await phone.told("ended")).detail[1].status == 407
                phone.dial("800", credentials=Credentials(name, "guess"))
                assert (await phone.told("ended")).detail[1].status == 403
            assert not d.box.any(Incoming)

    asyncio.run(main())


def test_a_phone_whose_tcp_connection_is_gone_is_absent(desk: Open) -> None:
    async def main() -> None:
        async with desk("201") as d:
            (phone,) = await d.registered("201", transport="tcp")
            phone.agent.close()
            d.send(Dial("leg1", "phones", "201", media=OURS))
            assert await cause(d, "leg1") in (20, 102)

    asyncio.run(main())


async def cause(d: Desk, leg: str) -> int:
    return (await d.next(Cleared, leg=leg)).cause
