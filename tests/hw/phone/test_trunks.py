"""SIP trunks: calls in by source address, calls out to the peer."""

from __future__ import annotations

import asyncio
import socket

from hw.messages import Answer, Answered, Cleared, Dial, Incoming, LineState, SetSipTrunks, SipTrunk
from hw.phone import sdp
from tests.hw.phone.conftest import OURS, REALM, THEIRS, Desk, Open, Phone


async def peer(d: Desk) -> Phone:
    """A SIP trunk's far end; it has no account."""
    phone = d.phone("peer")
    d.send(SetSipTrunks((SipTrunk("carrier", "127.0.0.1", phone.port),)))
    assert await d.next(LineState) == LineState("carrier", "sip", True)
    return phone


def test_a_trunk_calls_without_a_password(desk: Open) -> None:
    async def main() -> None:
        async with desk("201") as d:
            far = await peer(d)
            headers = [("P-Asserted-Identity", '"Wang" <sip:13800138000@carrier>')]
            far.dial("95533", credentials=None, headers=headers)
            incoming = await d.next(Incoming)
            assert (incoming.line, incoming.called, incoming.caller) == ("carrier", "95533", "13800138000")
            assert (incoming.name, incoming.restricted) == ("Wang", False)
            d.send(Answer(incoming.leg, OURS))
            (await far.told("answered")).call.hangup(headers=[("Reason", "Q.850;cause=31")])
            assert await d.next(Cleared) == Cleared(incoming.leg, 31, "far")

    asyncio.run(main())


def test_a_name_in_gb_18030_is_read(desk: Open) -> None:
    async def main() -> None:
        async with desk() as d:
            far = await peer(d)
            head = (
                'INVITE sip:95533@{realm} SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:{port};branch=z9hG4bKgb;rport\r\n'
                'To: <sip:95533@{realm}>\r\nFrom: "王小明" <sip:138@{realm}>;tag=1\r\nCall-ID: gb\r\nCSeq: 1 INVITE\r\n'
                "Contact: <sip:138@127.0.0.1:{port}>\r\nContent-Length: 0\r\n\r\n"
            )
            far.agent.close()
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
                sender.bind(("127.0.0.1", far.port))
                text = head.format(realm=REALM, port=far.port)
                sender.sendto(text.encode("gb18030"), ("127.0.0.1", d.process.ports["udp"]))
                assert (await d.next(Incoming)).name == "王小明"

    asyncio.run(main())


def test_a_caller_who_does_not_want_to_be_shown_is_restricted(desk: Open) -> None:
    async def main() -> None:
        async with desk("201") as d:
            far = await peer(d)
            far.dial("95533", credentials=None, headers=[("Privacy", "id")])
            assert (await d.next(Incoming)).restricted

    asyncio.run(main())


def test_phones_at_a_trunks_address_must_still_prove_who_they_are(desk: Open) -> None:
    async def main() -> None:
        async with desk("201") as d:
            await peer(d)
            (phone,) = await d.registered("201")
            phone.dial("800", credentials=None)
            assert (await phone.told("ended")).detail[1].status == 407
            phone.dial("800")
            assert (await d.next(Incoming)).line == "phones"

    asyncio.run(main())


def test_we_call_over_a_trunk(desk: Open) -> None:
    async def main() -> None:
        async with desk() as d:
            far = await peer(d)
            d.send(Dial("out", "carrier", "01062345678", "95533", "", OURS))
            told = await far.told("called")
            assert told.call.dialog.local.uri.user == "01062345678"
            assert told.call.dialog.remote.uri.user == "95533"
            far.answer(told.call, told.detail)
            media = (await d.next(Answered)).media
            assert media is not None
            assert media.port == THEIRS.port

    asyncio.run(main())


def test_a_number_that_is_not_to_be_shown_is_told_to_the_trunk_alone(desk: Open) -> None:
    async def main() -> None:
        async with desk() as d:
            far = await peer(d)
            invitations = []
            accept = far.agent.accept
            far.agent.accept = lambda request, *more: (  # type: ignore[method-assign]
                invitations.append(request.message.headers), accept(request, *more),
            )[1]  # fmt: skip
            d.send(Dial("out", "carrier", "10086", "95533", "", OURS, restricted=True))
            told = await far.told("called")
            assert str(told.call.dialog.remote.uri) == "sip:anonymous@anonymous.invalid"
            assert invitations[0].get("privacy") == "id"
            assert invitations[0].get("p-asserted-identity") == f"<sip:95533@{REALM}>"
            far.answer(told.call, told.detail)
            await d.next(Answered)
            d.send(Dial("open", "carrier", "10086", "95533", "", OURS))
            await far.told("called")
            assert invitations[1].get("privacy") == ""

    asyncio.run(main())


def test_a_trunk_that_cannot_be_reached_clears_as_network_out_of_order(desk: Open) -> None:
    async def main() -> None:
        async with desk() as d:
            d.send(SetSipTrunks((SipTrunk("carrier", "2001:db8::1"),)))  # we listen on no IPv6 address
            await d.next(LineState)
            d.send(Dial("out", "carrier", "1", media=OURS))
            assert await d.next(Cleared) == Cleared("out", 38, "far")

    asyncio.run(main())


def test_an_answer_without_a_codec_of_ours_clears_as_incompatible(desk: Open) -> None:
    async def main() -> None:
        async with desk() as d:
            far = await peer(d)
            d.send(Dial("out", "carrier", "1", media=OURS))
            told = await far.told("called")
            told.call.answer(sdp.offer(THEIRS, 1, 1).replace(b"PCMU", b"G729").replace(b"PCMA", b"iLBC"))
            assert await d.next(Cleared) == Cleared("out", 88, "far")
            await far.told("ended")

    asyncio.run(main())


def test_an_offer_without_a_codec_of_ours_is_not_acceptable(desk: Open) -> None:
    async def main() -> None:
        async with desk() as d:
            far = await peer(d)
            for body, status in ((sdp.offer(THEIRS, 1, 1).replace(b"PCM", b"XYZ"), 488), (b"no sdp", 400)):
                far.dial("1", body, credentials=None)
                assert (await far.told("ended")).detail[1].status == status
            assert not d.box.any(Incoming)

    asyncio.run(main())
