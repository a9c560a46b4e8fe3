"""Calls between phones and the box, both ways, as the control process sees them."""

from __future__ import annotations

import asyncio

import pytest
from attrs import evolve

from hw.messages import (
    Accept,
    Alert,
    Alerting,
    Answer,
    Answered,
    Cleared,
    Dial,
    Digit,
    Fault,
    Hangup,
    Incoming,
    MediaOffer,
    Modify,
    Progress,
    Snapshot,
)
from hw.phone import causes, sdp
from hw.phone.stack import Transport
from tests.hw.phone.conftest import OURS, THEIRS, Desk, Open, Phone, Told


async def talk(desk: Desk, phone: Phone, number: str = "800") -> tuple[str, Told]:
    """A call from the phone that is up; its leg and what the phone was told."""
    phone.dial(number)
    leg = (await desk.next(Incoming, called=number)).leg
    desk.send(Answer(leg, OURS))
    return leg, await phone.told("answered")


@pytest.mark.parametrize("transport", ["udp", "tcp"])
def test_a_phone_calls_hears_ringing_and_is_answered(desk: Open, transport: Transport) -> None:
    async def main() -> None:
        async with desk("201") as d:
            phone = d.phone("201", transport)
            phone.dial("800")
            incoming = await d.next(Incoming)
            assert (incoming.line, incoming.caller, incoming.called) == ("phones", "201", "800")
            assert incoming.name == "Seat 201"
            assert incoming.media == THEIRS
            d.send(Alert(incoming.leg))
            assert (await phone.told("progress")).detail.status == 180
            d.send(Answer(incoming.leg, OURS))
            told = await phone.told("answered")
            media = sdp.parse(told.detail.body).media
            assert (media.address, media.port, media.telephone_event) == (OURS.address, OURS.port, 96)
            assert [codec.name for codec in media.codecs] == ["PCMU", "PCMA"]
            told.call.hangup()
            assert await d.next(Cleared) == Cleared(incoming.leg, 16, "far")

    asyncio.run(main())


@pytest.mark.parametrize("transport", ["udp", "tcp"])
def test_a_phone_is_called_at_the_address_it_registered_from(desk: Open, transport: Transport) -> None:
    async def main() -> None:
        async with desk("201") as d:
            (phone,) = await d.registered("201", transport=transport)
            d.send(Dial("leg1", "phones", "201", "13800138000", "张三", OURS))
            told = await phone.told("called")
            assert told.call.dialog.remote.name == "张三"
            assert told.call.dialog.remote.uri.user == "13800138000"
            told.call.ring()
            assert await d.next(Alerting) == Alerting("leg1")
            phone.answer(told.call, told.detail)
            answered = await d.next(Answered)
            assert answered.media is not None
            assert (answered.media.port, answered.media.telephone_event) == (THEIRS.port, 101)
            await phone.told("confirmed")
            d.send(Hangup("leg1", 16))
            assert await d.next(Cleared) == Cleared("leg1", 16, "us")
            by, bye = (await phone.told("ended")).detail
            assert by == "far"
            assert causes.stated_cause(bye.headers) == 16

    asyncio.run(main())


def test_all_phones_of_an_account_ring_and_the_first_to_answer_has_the_call(desk: Open) -> None:
    async def main() -> None:
        async with desk("201") as d:
            one, two, three = await d.registered("201", "201", "201")
            d.send(Dial("leg1", "phones", "201", media=OURS))
            calls = [await phone.told("called") for phone in (one, two, three)]
            for told in calls:
                told.call.ring()
            await d.next(Alerting)
            two.answer(calls[1].call, calls[1].detail)
            await d.next(Answered, leg="leg1")
            for phone in (one, three):
                assert (await phone.told("ended")).detail == ("far", None)
            await two.told("confirmed")
            assert two.agent.calls == 1
            assert not d.box.any(Cleared)

    asyncio.run(main())


def test_an_account_without_a_phone_is_absent_and_an_unknown_number_unallocated(desk: Open) -> None:
    async def main() -> None:
        async with desk("201") as d:
            d.send(Dial("a", "phones", "201", media=OURS), Dial("b", "phones", "999", media=OURS))
            assert (await d.next(Cleared, leg="a")).cause == 20
            assert (await d.next(Cleared, leg="b")).cause == 1

    asyncio.run(main())


@pytest.mark.parametrize(("status", "cause"), [(486, 17), (603, 21), (480, 18), (404, 1), (503, 41), (302, 23)])
def test_a_refusal_comes_as_its_cause(desk: Open, status: int, cause: int) -> None:
    async def main() -> None:
        async with desk("201") as d:
            (phone,) = await d.registered("201")
            d.send(Dial("leg1", "phones", "201", media=OURS))
            (await phone.told("called")).call.hangup(status, "No")
            assert await d.next(Cleared) == Cleared("leg1", cause, "far")

    asyncio.run(main())


@pytest.mark.parametrize(("cause", "status"), [(17, 486), (1, 404), (21, 403), (41, 503), (16, 480)])
def test_a_cause_refuses_as_its_status(desk: Open, cause: int, status: int) -> None:
    async def main() -> None:
        async with desk("201") as d:
            phone = d.phone("201")
            phone.dial("800")
            d.send(Hangup((await d.next(Incoming)).leg, cause))
            _, message = (await phone.told("ended")).detail
            assert message.status == status
            assert causes.stated_cause(message.headers) == cause

    asyncio.run(main())


def test_a_caller_who_gives_up_and_a_call_that_we_give_up(desk: Open) -> None:
    async def main() -> None:
        async with desk("201") as d:
            (phone,) = await d.registered("201")
            call = phone.dial("800")
            leg = (await d.next(Incoming)).leg
            d.send(Alert(leg))
            await phone.told("progress")
            call.hangup()
            assert await d.next(Cleared) == Cleared(leg, 16, "far")
            d.send(Dial("out", "phones", "201", media=OURS))
            (await phone.told("called")).call.ring()
            await d.next(Alerting)
            d.send(Hangup("out", 19))
            assert await d.next(Cleared) == Cleared("out", 19, "us")
            await phone.box.next(Told, what="ended")

    asyncio.run(main())


def test_early_media_goes_both_ways(desk: Open) -> None:
    async def main() -> None:
        async with desk("201") as d:
            (phone,) = await d.registered("201")
            phone.dial("800")
            leg = (await d.next(Incoming)).leg
            d.send(Progress(leg, OURS))
            early = (await phone.told("progress")).detail
            assert early.status == 183
            d.send(Answer(leg, OURS))
            assert (await phone.told("answered")).detail.body == early.body
            d.send(Dial("out", "phones", "201", media=OURS))
            told = await phone.told("called")
            told.call.ring(183, "Session Progress", sdp.answer(sdp.parse(told.detail), THEIRS, 3, 1))
            media = (await d.next(Progress, leg="out")).media
            assert media is not None
            assert media.port == THEIRS.port

    asyncio.run(main())


def test_a_phone_holds_and_resumes(desk: Open) -> None:
    async def main() -> None:
        async with desk("201") as d:
            phone = d.phone("201")
            leg, told = await talk(d, phone)
            for version, (theirs, ours) in enumerate((("sendonly", "recvonly"), ("sendrecv", "sendrecv")), 2):
                told.call.modify(sdp.offer(evolve(phone.media, direction=theirs), 1, version))
                offer = await d.next(MediaOffer, leg=leg)
                assert offer.media.direction == theirs
                d.send(Accept(leg, OURS))
                answer = (await phone.told("modified")).detail
                assert answer.status == 200
                assert sdp.parse(answer.body).media.direction == ours

    asyncio.run(main())


def test_a_held_phone_that_asks_for_our_offer_is_offered_both_directions(desk: Open) -> None:
    async def main() -> None:
        async with desk("201") as d:
            phone = d.phone("201")
            leg, told = await talk(d, phone)
            told.call.modify(sdp.offer(evolve(phone.media, direction="sendonly"), 1, 2))
            await d.next(MediaOffer, leg=leg)
            d.send(Accept(leg, evolve(OURS, direction="recvonly")))
            assert (await phone.told("modified")).detail.status == 200
            told.call.modify(b"")
            offer = (await phone.told("modified")).detail
            assert sdp.parse(offer.body).media.direction == "sendrecv"

    asyncio.run(main())


def test_we_offer_new_media_and_learn_the_answer(desk: Open) -> None:
    async def main() -> None:
        async with desk("201") as d:
            phone = d.phone("201")
            leg, _ = await talk(d, phone)
            d.send(Modify(leg, evolve(OURS, port=17000, direction="sendonly")))
            offered = sdp.parse((await phone.told("offered")).detail).media
            assert (offered.port, offered.direction) == (17000, "sendonly")
            assert (await d.next(MediaOffer, leg=leg)).media.direction == "recvonly"
            phone.offers_accepted = False
            d.send(Modify(leg, OURS))
            assert "488" in (await d.next(Fault, command="Modify")).reason
            assert not d.box.any(Cleared)

    asyncio.run(main())


def test_without_a_control_process_a_call_goes_on_and_is_in_the_next_snapshot(desk: Open) -> None:
    async def main() -> None:
        async with desk("201") as d:
            (phone,) = await d.registered("201")
            leg, told = await talk(d, phone)
            d.link.close()
            while d.process.decided:  # nothing tells that a connection is gone
                await asyncio.sleep(0.001)
            told.call.modify(sdp.offer(evolve(THEIRS, port=40002, direction="inactive"), 1, 2))
            assert sdp.parse((await phone.told("modified")).detail.body).media.direction == "inactive"
            phone.dial("801")
            assert (await phone.told("ended")).detail[1].status == 503
            await d.reconnect()
            snapshot = await d.next(Snapshot)
            assert [(state.leg, state.phase, state.caller) for state in snapshot.legs] == [(leg, "up", "201")]
            assert [type(missed).__name__ for missed in snapshot.missed] == ["Refused"]

    asyncio.run(main())


def test_keys_come_by_info_in_both_forms(desk: Open) -> None:
    async def main() -> None:
        async with desk("201") as d:
            phone = d.phone("201")
            leg, told = await talk(d, phone)
            told.call.request("INFO", [("Content-Type", "application/dtmf-relay")], b"Signal=5\r\nDuration=160\r\n")
            assert await d.next(Digit) == Digit(leg, "5", 160, "info")
            told.call.request("INFO", [("Content-Type", "application/dtmf")], b"#")
            assert await d.next(Digit) == Digit(leg, "#", 0, "info")

    asyncio.run(main())


def test_a_call_without_an_offer_gets_ours_and_answers_in_the_ack(desk: Open) -> None:
    async def main() -> None:
        async with desk("201") as d:
            phone = d.phone("201")
            phone.dial("800", b"")
            incoming = await d.next(Incoming)
            assert incoming.media is None
            d.send(Answer(incoming.leg, OURS))
            offer = sdp.parse((await phone.told("answered")).detail.body).media
            assert [codec.name for codec in offer.codecs] == ["PCMA", "PCMU"]

    asyncio.run(main())


def test_bad_commands_are_faults(desk: Open) -> None:
    async def main() -> None:
        async with desk("201") as d:
            d.send(Hangup("nobody"), Answer("nobody", OURS))
            d.send(Dial("x", "phones", "201"), Dial("y", "no trunk", "1", media=OURS))
            for subject, command in (("nobody", "Hangup"), ("nobody", "Answer"), ("x", "Dial"), ("y", "Dial")):
                assert (await d.next(Fault, subject=subject, command=command)).reason
            phone = d.phone("201")
            leg, _ = await talk(d, phone)
            d.send(Dial(leg, "phones", "201", media=OURS))
            assert "already" in (await d.next(Fault, subject=leg)).reason

    asyncio.run(main())


def test_a_stop_says_bye_to_every_phone(desk: Open) -> None:
    async def main() -> None:
        async with desk("201") as d:
            phone = d.phone("201")
            leg, _ = await talk(d, phone)
            await d.process.close()
            assert (await phone.told("ended")).detail[0] == "far"
            assert await d.next(Cleared) == Cleared(leg, 41, "us")

    asyncio.run(main())
