"""What goes wrong on the way: lost answers, answers that cross, offers from both sides, dialogs that are gone."""

from __future__ import annotations

import asyncio
import socket

from attrs import evolve

from hw.messages import (
    Accept,
    Answer,
    Answered,
    Cleared,
    Dial,
    Hangup,
    Incoming,
    LineState,
    MediaOffer,
    Modify,
    SetSipTrunks,
    SipTrunk,
)
from hw.phone import sdp
from tests.hw.phone.conftest import OURS, REALM, THEIRS, Open

_REQUEST = (
    "{method} sip:800@{realm} SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:{port};branch=z9hG4bK{cseq}{method};rport\r\n"
    "Max-Forwards: 70\r\nTo: <sip:800@{realm}>{tag}\r\nFrom: <sip:1@{realm}>;tag=f\r\nCall-ID: raw\r\n"
    "CSeq: {cseq} {method}\r\nContact: <sip:1@127.0.0.1:{port}>\r\nContent-Type: application/sdp\r\n"
    "Content-Length: {length}\r\n\r\n"
)


class Raw:
    """A peer that does exactly what the test says, and nothing else: one UDP socket."""

    def __init__(self, target: tuple[str, int]) -> None:
        self.target = target
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.1", 0))
        self.socket.setblocking(False)
        self.port = self.socket.getsockname()[1]

    def send(self, method: str, cseq: int, tag: str = "", body: bytes = b"") -> None:
        text = _REQUEST.format(method=method, realm=REALM, port=self.port, cseq=cseq, tag=tag, length=len(body))
        self.socket.sendto(text.encode() + body, self.target)

    async def next(self, status: int) -> str:
        """The next message that begins with this status; others are passed over."""
        while True:
            data = await asyncio.get_running_loop().sock_recv(self.socket, 4000)
            if data.startswith(b"SIP/2.0 %d " % status):
                return data.decode()


def to_tag(message: str) -> str:
    line = next(line for line in message.split("\r\n") if line.startswith("To:"))
    return ";tag=" + line.partition(";tag=")[2]


def test_an_answer_is_repeated_until_its_ack_and_a_bye_waits_for_it(desk: Open) -> None:
    async def main() -> None:
        async with desk() as d:
            raw = Raw(("127.0.0.1", d.process.ports["udp"]))
            d.send(SetSipTrunks((SipTrunk("carrier", "127.0.0.1", raw.port),)))
            await d.next(LineState)
            raw.send("INVITE", 1, body=sdp.offer(THEIRS, 1, 1))
            leg = (await d.next(Incoming)).leg
            d.send(Answer(leg, OURS), Hangup(leg))
            started = asyncio.get_running_loop().time()
            first = await raw.next(200)
            assert await raw.next(200) == first
            assert await raw.next(200) == first
            assert 1.3 < asyncio.get_running_loop().time() - started < 2.5  # 0.5 s, then 1 s (RFC 3261 §13.3.1.4)
            raw.send("ACK", 1, to_tag(first))
            data = await asyncio.get_running_loop().sock_recv(raw.socket, 4000)
            assert data.startswith(b"BYE ")
            raw.socket.close()

    asyncio.run(main())


def test_a_challenge_is_sent_once_for_each_request_and_kept_nowhere(desk: Open) -> None:
    async def main() -> None:
        async with desk() as d:
            raw = Raw(("127.0.0.1", d.process.ports["udp"]))
            raw.send("INVITE", 1)
            await raw.next(407)
            assert not d.process._agent._stack.requests
            await asyncio.sleep(0.7)  # a transaction would send it again after 0.5 s (RFC 3261 §17.2.1)
            raw.send("OPTIONS", 2)
            assert (await asyncio.get_running_loop().sock_recv(raw.socket, 4000)).startswith(b"SIP/2.0 200 ")
            raw.socket.close()

    asyncio.run(main())


def test_a_dialog_of_before_a_restart_does_not_exist(desk: Open) -> None:
    async def main() -> None:
        async with desk() as d:
            raw = Raw(("127.0.0.1", d.process.ports["udp"]))
            for cseq, method in enumerate(("BYE", "INVITE", "INFO", "REFER", "OPTIONS"), 1):
                raw.send(method, cseq, ";tag=before")
                await raw.next(481)
            raw.socket.close()

    asyncio.run(main())


def test_two_phones_that_answer_at_once_make_one_call(desk: Open) -> None:
    async def main() -> None:
        async with desk("201") as d:
            one, two = await d.registered("201", "201")
            d.send(Dial("leg1", "phones", "201", media=OURS))
            told = [await phone.told("called") for phone in (one, two)]
            for phone, each in zip((one, two), told, strict=True):
                phone.answer(each.call, each.detail)
            await d.next(Answered)
            ended = [asyncio.ensure_future(phone.told("ended")) for phone in (one, two)]
            done, pending = await asyncio.wait(ended, return_when=asyncio.FIRST_COMPLETED)
            assert (len(done), len(pending)) == (1, 1)
            loser = done.pop().result()
            assert loser.detail[1].method == "BYE"
            d.send(Hangup("leg1"))
            await asyncio.wait(pending)
            assert await d.next(Cleared) == Cleared("leg1", 16, "us")

    asyncio.run(main())


def test_offers_from_both_sides_at_once_both_come_through(desk: Open) -> None:
    async def main() -> None:
        async with desk("201") as d:
            phone = d.phone("201")
            phone.dial("800")
            leg = (await d.next(Incoming)).leg
            d.send(Answer(leg, OURS))
            call = (await phone.told("answered")).call
            d.process._command(Modify(leg, evolve(OURS, port=17000)))  # both before anything is read
            call.modify(sdp.offer(evolve(THEIRS, port=41000), 1, 2))
            assert sdp.parse((await phone.told("offered")).detail).media.port == 17000
            assert (await d.next(MediaOffer)).media.port == THEIRS.port
            assert (await d.next(MediaOffer)).media.port == 41000
            d.send(Accept(leg, evolve(OURS, port=17000)))
            assert (await phone.told("modified")).detail.status == 200

    asyncio.run(main())
