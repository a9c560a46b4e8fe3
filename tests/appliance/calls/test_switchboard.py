"""What happens to a call, from offer to end, in every state of its path."""

from __future__ import annotations

import asyncio
import logging
from pathlib import Path

import pytest
from sqlalchemy import select

from appliance.calls import switchboard
from appliance.calls.call import Call, NotAnswered
from appliance.calls.numbering import Number
from appliance.plugin import log_fields
from appliance.store.tables import contact, leg
from hw.journal import JournalHandler
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
    Media,
    MediaOffer,
    Message,
    Mix,
    OpenRtp,
    Play,
    Progress,
    Refer,
    ReferResult,
    SendDigits,
    SetRtp,
    Stop,
)
from tests.appliance.calls.desk import OURS, THEIRS, Desk, desk


def run(path: Path, scenario, services=None, **more) -> None:
    async def main() -> None:
        async with desk(path, services, **more) as d:
            await scenario(d)
            async with asyncio.timeout(5):
                while any(d.switchboard.leftover().values()):
                    await asyncio.sleep(0)
            assert d.switchboard.leftover() == {"calls": 0, "legs": 0, "tasks": 0, "pending": 0}

    asyncio.run(main())


async def over(d: Desk) -> None:
    await d.until("contact.ended")
    await asyncio.sleep(0)


def test_a_trunk_caller_is_joined_with_a_phone_and_the_store_has_one_contact_from_offer_to_end(tmp_path: Path) -> None:
    async def scenario(d: Desk) -> None:
        d.caller("95002")
        dial = await d.sent(Dial, "phone")
        assert (dial.line, dial.number, dial.caller, dial.media) == ("phones", "8001", "13800138000", OURS)
        d.say("phone", Alerting(dial.leg))
        await d.sent(Alert, "line")
        d.say("phone", Answered(dial.leg, THEIRS))
        await d.sent(Answer, "line")
        await d.until("contact.bridged")
        assert {(m.port, *m.sources) for m in d.line.sent if isinstance(m, Mix)} == {("t1", dial.leg), (dial.leg, "t1")}
        d.say("line", Cleared("t1", 16))
        await over(d)
        assert Hangup(dial.leg, 16) in d.phone.sent
        kinds = await d.kinds()
        assert kinds[2:] == [
            "contact.offered", "service.entered", "leg.dialled", "leg.alerting", "leg.answered", "leg.answered",
            "contact.bridged", "leg.cleared", "contact.unbridged", "leg.cleared", "contact.ended",
        ]  # fmt: skip
        [row] = await d.store.rows(select(contact))
        assert row["talked"] and row["ended_at"] >= row["answered_at"] >= row["offered_at"] and row["cause"] == 16
        assert all(r["ended_at"] for r in await d.store.rows(select(leg)))

    run(tmp_path, scenario)


@pytest.mark.parametrize("when", ["offered", "dialling", "alerting", "talking", "saying"])
def test_a_caller_who_hangs_up_leaves_nothing_behind(tmp_path: Path, when: str) -> None:
    async def service(call: Call, _: str) -> None:
        if when == "saying":
            await call.answer()
            call.music()
        await asyncio.sleep(60)

    async def scenario(d: Desk) -> None:
        d.caller("95001" if when in ("offered", "saying") else "95002")
        if when == "saying":
            await d.sent(Play)
        elif when == "offered":
            await d.until("service.entered")
        else:
            dial = await d.sent(Dial, "phone")
            if when == "alerting":
                d.say("phone", Alerting(dial.leg))
                await d.until("leg.alerting")
            if when == "talking":
                d.say("phone", Answered(dial.leg, THEIRS))
                await d.until("contact.bridged")
        d.say("line", Cleared("t1", 16))
        if when == "saying":
            play = await d.sent(Play)
            d.switchboard.audio.lost()  # the line process ends the player with its port
            assert play.loop
        await over(d)

    run(tmp_path, scenario, {"test": service})


def test_a_phone_that_does_not_answer_clears_the_caller_with_the_cause(tmp_path: Path) -> None:
    async def scenario(d: Desk) -> None:
        d.caller("95002")
        dial = await d.sent(Dial, "phone")
        d.say("phone", Cleared(dial.leg, 17))
        await over(d)
        assert Hangup("t1", 17) in d.line.sent

    run(tmp_path, scenario)


def test_a_phone_that_rings_too_long_is_hung_up_with_no_answer(tmp_path: Path) -> None:
    async def scenario(d: Desk) -> None:
        d.caller("95002")
        await over(d)
        assert Hangup("t1", 19) in d.line.sent

    run(tmp_path, scenario, ring_s=0.05)


def test_from_outside_only_the_numbering_plan_is_reached_no_codes_no_seats_no_outside_lines(tmp_path: Path) -> None:
    async def scenario(d: Desk) -> None:
        for n, called in enumerate(("12345", "*501001", "8001", "913800138000")):
            d.caller(called, leg=f"t{n}")
            assert await d.sent(Hangup, "line", n) == Hangup(f"t{n}", 1)
        await over(d)

    run(tmp_path, scenario)


def test_outside_calls_are_denied_unless_the_seat_may(tmp_path: Path) -> None:
    async def scenario(d: Desk) -> None:
        d.say("phone", Incoming("p1", "phones", "913900139000", "8001", media=THEIRS))
        assert await d.sent(Hangup, "phone") == Hangup("p1", 21)
        d.say("phone", Incoming("p2", "phones", "913900139000", "8002", media=THEIRS))
        dial = await d.sent(Dial, "line")
        assert (dial.line, dial.number) == ("e1", "13900139000")
        d.say("line", Answered(dial.leg))
        await d.until("contact.bridged")
        d.say("line", Cleared(dial.leg, 16))
        async with asyncio.timeout(5):
            while d.switchboard.calls:
                await asyncio.sleep(0)

    run(tmp_path, scenario)


def test_who_calls_outside_hears_what_the_exchange_says_before_the_answer(tmp_path: Path) -> None:
    async def scenario(d: Desk) -> None:
        d.say("phone", Incoming("p1", "phones", "913900139000", "8002", media=THEIRS))
        dial = await d.sent(Dial, "line")
        d.say("line", Alerting(dial.leg))
        assert await d.sent(Alert, "phone") == Alert("p1")
        d.say("line", Progress(dial.leg))
        assert await d.sent(Progress, "phone") == Progress("p1", OURS)
        assert await d.sent(SetRtp, "line") == SetRtp("p1", THEIRS)
        assert await d.sent(Mix, "line") == Mix("p1", {dial.leg: 1.0})
        assert not any(isinstance(m, Answer) for m in d.phone.sent)
        d.say("line", Answered(dial.leg))
        assert await d.sent(Answer, "phone") == Answer("p1", OURS)
        await d.until("contact.bridged")
        d.say("line", Cleared(dial.leg, 16))
        await over(d)

    run(tmp_path, scenario)


def test_hold_plays_music_to_the_other_and_resume_joins_again(tmp_path: Path) -> None:
    async def scenario(d: Desk) -> None:
        d.caller("95002")
        dial = await d.agent_answers()
        await d.until("contact.bridged")
        d.say("phone", MediaOffer(dial.leg, Media("127.0.0.1", 50000, THEIRS.codecs, 101, "sendonly")))
        accept = await d.sent(Accept, "phone")
        assert accept.media.direction == "recvonly"
        music = await d.sent(Play, "line")
        assert music.port == "t1" and music.loop
        d.say("phone", MediaOffer(dial.leg, THEIRS))
        stop = await d.sent(Stop, "line")
        assert (stop.port, stop.player) == ("t1", music.player)
        assert [m.sources for m in d.line.sent if isinstance(m, Mix) and m.port == "t1"][-1] == {dial.leg: 1.0}
        d.switchboard.audio.lost()
        d.say("phone", Cleared(dial.leg, 16))
        await over(d)
        assert [r.data["on"] for r in await d.events.rows(kind="contact.held")] == [True, False]

    run(tmp_path, scenario)


def test_a_key_by_rfc4733_goes_over_to_the_other_party(tmp_path: Path) -> None:
    async def scenario(d: Desk) -> None:
        d.caller("95002")
        dial = await d.agent_answers()
        await d.until("contact.bridged")
        d.say("phone", Digit(dial.leg, "5", 100, "rfc4733"))
        assert await d.sent(SendDigits) == SendDigits("t1", "5")
        d.say("line", Cleared("t1", 16))
        await over(d)

    run(tmp_path, scenario)


@pytest.mark.requirement("A7.01")
def test_a_blind_transfer_rings_the_target_and_moves_the_caller(tmp_path: Path) -> None:
    async def scenario(d: Desk) -> None:
        d.caller("95002")
        first = await d.agent_answers()
        await d.until("contact.bridged")
        d.say("phone", Refer(first.leg, "8002"))
        second = await d.sent(Dial, "phone", 1)
        assert second.number == "8002"
        d.say("phone", Alerting(second.leg))
        await d.sent(ReferResult, "phone", 1)
        d.say("phone", Answered(second.leg, THEIRS))
        await d.sent(Hangup, "phone")
        assert [m.status for m in d.phone.sent if isinstance(m, ReferResult)] == [100, 180, 200]
        async with asyncio.timeout(5):
            while len([m for m in d.line.sent if isinstance(m, Mix) and second.leg in m.sources]) < 1:
                await asyncio.sleep(0)
        d.switchboard.audio.lost()
        d.say("phone", Cleared(second.leg, 16))
        await over(d)

    run(tmp_path, scenario)


@pytest.mark.requirement("A3.11")
def test_a_transfer_that_fails_gives_the_caller_back_to_the_agent(tmp_path: Path) -> None:
    async def scenario(d: Desk) -> None:
        d.caller("95002")
        first = await d.agent_answers()
        await d.until("contact.bridged")
        d.say("phone", Refer(first.leg, "8002"))
        second = await d.sent(Dial, "phone", 1)
        d.say("phone", Cleared(second.leg, 17))
        async with asyncio.timeout(5):
            while sum(row.kind == "contact.bridged" for row in await d.events.rows()) < 2:
                await asyncio.sleep(0)
        assert [m.status for m in d.phone.sent if isinstance(m, ReferResult)] == [100, 486]
        d.switchboard.audio.lost()
        d.say("line", Cleared("t1", 16))
        await over(d)

    run(tmp_path, scenario)


def test_a_service_that_throws_is_recorded_and_the_call_goes_on_by_the_default_rule(tmp_path: Path) -> None:
    async def broken(call: Call, _: str) -> None:
        raise RuntimeError("no such waybill")

    async def scenario(d: Desk) -> None:
        d.caller("95001")
        dial = await d.sent(Dial, "phone")
        assert dial.number == "8001"
        d.say("phone", Cleared(dial.leg, 17))
        await over(d)
        [failed] = await d.events.rows(kind="service.failed")
        assert "no such waybill" in failed.data["error"]

    run(tmp_path, scenario, {"test": broken}, default_destination="extension:8001")


def test_services_that_only_send_the_call_on_end_it_instead_of_running_for_ever(tmp_path: Path) -> None:
    async def again(call: Call, _: str) -> None:
        call.go("test:")

    async def scenario(d: Desk) -> None:
        d.caller("95001")
        await over(d)
        assert Hangup("t1", 41) in d.line.sent

    run(tmp_path, scenario, {"test": again})


def test_go_leaves_a_service_even_out_of_a_task_group(tmp_path: Path) -> None:
    async def grouped(call: Call, _: str) -> None:
        async with asyncio.TaskGroup() as group:
            group.create_task(asyncio.sleep(60))
            call.go("hangup:18")

    async def scenario(d: Desk) -> None:
        d.caller("95001")
        await over(d)
        assert Hangup("t1", 18) in d.line.sent

    run(tmp_path, scenario, {"test": grouped})


def test_a_lost_line_process_clears_its_legs_and_the_phones_that_talked_with_them(tmp_path: Path) -> None:
    async def scenario(d: Desk) -> None:
        d.caller("95002")
        dial = await d.agent_answers()
        await d.until("contact.bridged")
        d.line.up = False
        d.switchboard.process_lost("line")
        await over(d)
        assert any(isinstance(m, Hangup) and m.leg == dial.leg for m in d.phone.sent)
        assert not d.switchboard.trunks.lines["e1"].up

    run(tmp_path, scenario)


def test_a_lost_phone_process_ends_the_bridge_as_a_fault_so_that_the_caller_can_be_kept(tmp_path: Path) -> None:
    reasons: list[str] = []

    async def service(call: Call, _: str) -> None:
        peer = await call.dial_seat("8001", ring_s=5)
        reasons.append(await call.bridge(peer))
        with pytest.raises(NotAnswered) as missed:
            await call.dial_seat("8001", ring_s=5)
        assert missed.value.cause == 41

    async def scenario(d: Desk) -> None:
        d.caller("95001")
        await d.agent_answers()
        await d.until("contact.bridged")
        d.phone.up = False
        d.switchboard.process_lost("phone")
        await over(d)
        assert reasons == ["fault"]

    run(tmp_path, scenario, {"test": service})


def test_a_service_that_does_not_end_with_its_caller_is_cancelled_again_and_then_left_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(switchboard, "CLEAR_S", 0.05)
    free = asyncio.Event()

    async def deaf(call: Call, _: str) -> None:
        await call.answer()
        while not free.is_set():
            try:
                await free.wait()
            except asyncio.CancelledError:
                continue

    async def scenario(d: Desk) -> None:
        d.caller("95001")
        await d.until("leg.answered")
        d.say("line", Cleared("t1", 16, "far"))
        await over(d)
        assert "does not end" in (await d.until("service.failed")).data["error"]
        free.set()

    run(tmp_path, scenario, {"test": deaf})


def test_a_draining_box_refuses_new_calls_and_counts_them(tmp_path: Path) -> None:
    async def scenario(d: Desk) -> None:
        await d.switchboard.drain(1)
        d.caller("95002")
        assert await d.sent(Hangup, "line") == Hangup("t1", 42)
        assert d.switchboard.counters["blocked"] == 1

    run(tmp_path, scenario)


def test_a_phone_for_which_there_is_no_rtp_port_left_is_not_busy_afterwards(tmp_path: Path) -> None:
    async def scenario(d: Desk) -> None:
        answers = d.line.send, d.phone.send

        def full(message: Message) -> None:
            if isinstance(message, OpenRtp):
                d.say("line", Fault(message.port, "no UDP ports left", "OpenRtp"))
            else:
                answers[0](message)

        def ignorant(message: Message) -> None:
            if isinstance(message, Hangup):
                d.say("phone", Fault(message.leg, "no such leg", "Hangup"))
            else:
                answers[1](message)

        d.line.send, d.phone.send = full, ignorant  # type: ignore[method-assign]
        d.caller("95002")
        await over(d)
        assert not d.switchboard.seat_busy("8001")
        assert "leg.dialled" in await d.kinds()
        assert not any(isinstance(m, Dial) for m in d.phone.sent)

    run(tmp_path, scenario)


def test_what_a_service_logs_is_about_its_contact_and_its_queue(tmp_path: Path) -> None:
    async def scenario(d: Desk) -> None:
        sent: list[dict[str, str]] = []
        log = logging.getLogger("a service")
        log.addHandler(JournalHandler("control", lambda text, **fields: sent.append({"text": text, **fields})))

        async def first(call: Call, _: str) -> None:
            log_fields(queue="service")
            log.warning("waits")
            call.go("second:")

        async def second(call: Call, _: str) -> None:
            log.warning("talks")
            call.hangup(16)

        d.switchboard.plugins.services.update(first=first, second=second)
        d.switchboard.numbers = [Number("95001", "first:")]
        d.caller("95001")
        ended = (await d.until("contact.ended")).contact
        rows = [(row["text"], row["ONECALL_CONTACT"], row.get("ONECALL_QUEUE")) for row in sent]
        assert rows == [("waits", ended, "service"), ("talks", ended, None)]

    run(tmp_path, scenario)
