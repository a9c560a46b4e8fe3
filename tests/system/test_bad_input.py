"""Strangers, typing errors and broken messages against the whole box: a clear answer, an event, the others talk on."""

from __future__ import annotations

import asyncio
import socket
from pathlib import Path

import pytest

from hw.sim.phone import Phone, PhoneCall, RefusedError
from hw.sim.session import CallEnded
from hw.sim.subscriber import CallCleared
from tests.system.box import Box, running

#: What scanners and broken phones send to a SIP port; the box's own port is put in for {port}.
MALFORMED = [
    b"\x00" * 200,
    b"\xff\xfe\xfd garbage \r\n\r\n",
    b"INVITE",
    b"INVITE sip:8001@127.0.0.1 SIP/2.0\r\n\r\n",
    b"INVITE sip:8001@127.0.0.1 SIP/9.9\r\nVia: nothing\r\nContent-Length: 99999999\r\n\r\n",
    b"REGISTER sip:onecall SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:9;branch=z9hG4bK1\r\nContent-Length: -5\r\n\r\n",
    b"SIP/2.0 200 OK\r\nCSeq: 1 INVITE\r\n\r\n",
    b"BYE sip:x SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:9;branch=z9hG4bK2\r\nFrom: <<<>\r\nTo: ;;;\r\nCall-ID: \r\n"
    b"CSeq: x\r\n\r\n",
    b"OPTIONS " + b"a" * 5000 + b" SIP/2.0\r\n\r\n",
]


async def refused(box: Box, account: str, password: str, address: str) -> None:
    """A phone with these credentials stays out, and the log says who tried; each address is told of every 10 s."""
    stranger = Phone(account, password, ("127.0.0.1", box.site.sip_port), box.audio, code=1, address=address)
    box.phones.append(stranger)
    await stranger.start()
    event = await box.until_event("phone.refused", lambda e: e.data["account"] == account)
    assert address in event.data["source"] and event.data["reason"]
    assert password not in str(event.data)
    assert not any(p.registered for p in (await box.live()).phones if p.account == account)
    stranger.vanish()


def test_who_may_not_come_in_and_what_cannot_be_reached_is_answered_clearly(tmp_path: Path) -> None:
    async def main() -> None:
        async with running(tmp_path) as box, asyncio.timeout(40):
            await refused(box, "8005", "not-the-password", "127.0.0.2")
            await refused(box, "4242", "anything", "127.0.0.3")

            phone = await box.phone("8001", 1001)
            for number, status, cause in (("7777", 404, 1), ("8013", 480, 20), ("9114", 403, 21)):
                call = phone.dial(number)
                with pytest.raises(CallEnded):
                    await call.answered()
                report = await call.ended()
                assert (report.status, report.cause) == (status, cause), number

            from_outside = {"84444": 1, "8001": 1, "*501001": 1}  # no such number; no seats and no codes from outside
            for number, cause in from_outside.items():
                caller = box.exchange.call(number, "13800138000")
                with pytest.raises(CallCleared):
                    await caller.answered()
                assert await caller.cleared() == cause, number
            ended = await box.events("contact.ended")
            assert sorted(e.data["cause"] for e in ended) == [1, 1, 1, 1, 20, 21]
            await box.nothing_left()

    asyncio.run(main())


def test_malformed_messages_and_keys_nobody_asked_for_leave_a_call_as_it_is(tmp_path: Path) -> None:
    async def main() -> None:
        async with running(tmp_path) as box, asyncio.timeout(40):
            caller = box.exchange.call("95002", "13800138000")
            await caller.answered()
            await box.until(lambda v: any(c.state == "queued" for c in v.calls))
            await caller.press("42")  # nobody asked
            phone = await box.seated("1001", "8001", 1001)
            call = await phone.ringing()
            call.answer()
            caller.say(4711)
            await call.heard(4711, 2)
            while len(ignored := await box.events("digit.ignored")) < 2:
                await asyncio.sleep(0.05)
            assert all(set(event.data) == {"leg"} for event in ignored), "which key is nobody's business"

            before = await counted(box)
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
                for octets in MALFORMED:
                    udp.sendto(octets, ("127.0.0.1", box.site.sip_port))
            with socket.create_connection(("127.0.0.1", box.site.sip_port)) as tcp:
                tcp.sendall(b"\x16\x03\x01\x02\x00\x01\x00" + b"GET / HTTP/1.1\r\n\r\n" * 50)
            for body in (b"v=0\r\nthis is no SDP", b"\x00\x01\x02", SDP_WITHOUT_AUDIO):
                with pytest.raises(RefusedError, match="re-INVITE: 4"):
                    await offer(call, body)
            heard_by_agent, heard_by_caller = call.report.codes[4711], caller.heard[1001]
            await call.heard(4711, heard_by_agent + 2)
            await caller.hears(1001, heard_by_caller + 2)
            await counted_more(box, before)
            [row] = (await box.live()).calls
            assert row.state == "talking"
            caller.hangup()
            await call.ended()
            await box.nothing_left()

    asyncio.run(main())


SDP_WITHOUT_AUDIO = b"v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\nm=image 9 udptl t38\r\n"


async def offer(call: PhoneCall, body: bytes) -> None:
    """A re-INVITE with a body of our making."""
    session = call._session
    session.modified_status = 0
    session.call.modify(body)
    await session.until(lambda: session.modified_status > 0)
    if session.modified_status >= 300:
        raise RefusedError(f"re-INVITE: {session.modified_status}")


async def counted(box: Box) -> int:
    """Malformed messages that the phone process has counted."""
    phone = next(p for p in (await box.live()).processes if p.process == "phone")
    return sum(count for name, count in phone.counters.items() if "malformed" in name)


async def counted_more(box: Box, before: int) -> None:
    """The console shows that something malformed came (figures come once a second)."""
    async with asyncio.timeout(5):
        while await counted(box) <= before:
            await asyncio.sleep(0.1)
