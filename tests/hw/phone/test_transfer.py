"""A phone transfers its far end: blind, attended, and what it is told."""

from __future__ import annotations

import asyncio

import pytest

from hw.messages import Answer, Answered, Dial, Fault, Incoming, Refer, ReferResult
from hw.phone.call import Call
from tests.hw.phone.conftest import OURS, Desk, Open, Phone, Told


async def up(d: Desk, phone: Phone, number: str) -> tuple[str, Call]:
    """A call of the phone's that is up."""
    phone.dial(number)
    leg = (await d.next(Incoming, called=number)).leg
    d.send(Answer(leg, OURS))
    return leg, (await phone.told("answered")).call


async def refer(phone: Phone, call: Call, to: str) -> int:
    """Send REFER; the status of its response."""
    done: asyncio.Future[int] = asyncio.get_running_loop().create_future()
    call.request(
        "REFER", [("Refer-To", to)], on_response=lambda message: done.set_result(message.status if message else 0)
    )
    return await done


async def notified(phone: Phone) -> tuple[str, str]:
    """The next NOTIFY: its status line and its subscription's state."""
    message = (await phone.box.next(Told, what="requested")).detail
    assert message.method == "NOTIFY"
    assert message.headers.get("event").startswith("refer")
    assert message.headers.get("content-type").startswith("message/sipfrag")
    return message.body.decode().strip(), message.headers.get("subscription-state").partition(";")[0]


@pytest.mark.parametrize(("result", "line"), [(200, "SIP/2.0 200 OK"), (486, "SIP/2.0 486 Busy Here")])
def test_a_blind_transfer_is_asked_for_and_told_to_its_end(desk: Open, result: int, line: str) -> None:
    async def main() -> None:
        async with desk("201") as d:
            phone = d.phone("201")
            leg, call = await up(d, phone, "800")
            assert await refer(phone, call, "<sip:202@onecall.test>") == 202
            assert await d.next(Refer) == Refer(leg, "202")
            assert await notified(phone) == ("SIP/2.0 100 Trying", "active")
            assert await refer(phone, call, "<sip:203@onecall.test>") == 491
            d.send(ReferResult(leg, 180))
            assert await notified(phone) == ("SIP/2.0 180 Ringing", "active")
            d.send(ReferResult(leg, result))
            assert await notified(phone) == (line, "terminated")
            d.send(ReferResult(leg, 200))
            assert "no transfer" in (await d.next(Fault, command="ReferResult")).reason

    asyncio.run(main())


def test_an_attended_transfer_names_the_other_leg(desk: Open) -> None:
    async def main() -> None:
        async with desk("201") as d:
            (phone,) = await d.registered("201")
            first, call = await up(d, phone, "800")
            d.send(Dial("consult", "phones", "201", media=OURS))
            told = await phone.told("called")
            phone.answer(told.call, told.detail)
            await d.next(Answered, leg="consult")
            other = told.call.dialog
            named = f"{other.call_id}%3Bto-tag%3D{other.remote.params['tag']}%3Bfrom-tag%3D{other.local.params['tag']}"
            assert await refer(phone, call, f"<sip:202@onecall.test?Replaces={named}>") == 202
            assert await d.next(Refer) == Refer(first, "202", "consult")

    asyncio.run(main())


def test_a_transfer_to_a_dialog_that_is_not_there_fails_at_once(desk: Open) -> None:
    async def main() -> None:
        async with desk("201") as d:
            phone = d.phone("201")
            _, call = await up(d, phone, "800")
            target = "<sip:202@onecall.test?Replaces=none%3Bto-tag%3D1%3Bfrom-tag%3D2>"
            assert await refer(phone, call, target) == 202
            assert await notified(phone) == ("SIP/2.0 481 Call/Transaction Does Not Exist", "terminated")
            assert not d.box.any(Refer)

    asyncio.run(main())


@pytest.mark.parametrize("target", ["", "<sip:onecall.test>", "nonsense", "<sip:2@x?Replaces=only-a-call-id>"])
def test_a_refer_that_names_nobody_is_bad(desk: Open, target: str) -> None:
    async def main() -> None:
        async with desk("201") as d:
            phone = d.phone("201")
            _, call = await up(d, phone, "800")
            assert await refer(phone, call, target) == 400

    asyncio.run(main())
