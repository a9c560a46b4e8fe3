"""Short messages through a GSM module: none is lost, none that was taken is sent twice, whatever happens."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from hw.line.serial import at, gsm_sms
from hw.line.serial.sms_parts import split
from hw.line.serial.sms_pdu import Deliver, encode
from hw.line.serial.sms_storage import PARTS_WAIT_S, Assembler, Stored
from hw.messages import Fault, SendSms, SmsFailed, SmsReceived, SmsReport, SmsSent
from tests.hw.line.serial.gsm_pair import gsm_pair

LONG = "您的运单已到达浦东分拨中心，预计今天下午送达。😀" * 6
TO, FROM = "13900000000", "13800138000"


def message(name: str, text: str = LONG, start: int = 1, number: str = TO) -> SendSms:
    return SendSms(name, "gsm1", number, text, 4711, start)


@pytest.mark.requirement("A16.01", "A16.02")
def test_a_long_chinese_message_arrives_whole_and_every_part_is_reported(tmp_path: Path) -> None:
    async def main() -> None:
        async with gsm_pair(tmp_path) as p:
            p.trunk.send_sms(message("m1"))
            assert p.trunk.sms_in_hand() == ("m1",)
            sent = [await p.next(SmsSent, part=part) for part in (1, 2, 3)]
            assert [(each.id, each.parts) for each in sent] == [("m1", 3)] * 3
            reports = [await p.next(SmsReport, reference=each.reference) for each in sent]
            assert {(each.number, each.outcome) for each in reports} == {(TO, "delivered")}
            assert [(m.number, m.text, m.parts) for m in p.module.messages.received] == [(TO, LONG, 3)]
            p.module.messages.reports = False
            p.trunk.send_sms(message("m2", "short"))
            reference = (await p.next(SmsSent, id="m2")).reference
            assert (await p.next(SmsReport, reference=reference)).outcome == "failed"

    asyncio.run(main())


@pytest.mark.requirement("A16.01", "A16.02")
def test_a_message_that_comes_stays_in_the_module_until_it_was_taken(tmp_path: Path) -> None:
    async def main() -> None:
        async with gsm_pair(tmp_path) as p:
            p.module.messages.text(FROM, LONG)
            came = await p.next(SmsReceived)
            assert (came.line, came.number, came.text, came.parts, came.missing) == ("gsm1", FROM, LONG, 3, 0)
            p.module.power_cycle()
            await p.line(up=False)
            await p.line(up=True)
            p.trunk.tell_sms()
            assert await p.next(SmsReceived) == came
            assert p.module.messages.stored == 3
            p.trunk.sms_taken(came.id)
            p.trunk.sms_taken(came.id)
            await p.until(lambda: p.module.messages.stored == 0)
            p.trunk.tell_sms()
            assert not [event for event in p.events if isinstance(event, SmsReceived)]

    asyncio.run(main())


def test_a_full_storage_is_told_and_gives_up_waiting_for_parts(tmp_path: Path) -> None:
    async def main() -> None:
        async with gsm_pair(tmp_path, storage=2) as p:
            p.module.messages.text(FROM, LONG, only={2: True})
            p.module.messages.text("10086", "余额不足")
            p.module.messages.text("10010", "one that waits in the network")
            assert (await p.next(Fault, subject="gsm1")).reason.startswith("the module's storage of messages is full")
            first = await p.next(SmsReceived, number="10086")
            broken = await p.next(SmsReceived, number=FROM)
            assert (broken.missing, broken.text[:3], broken.text[-3:]) == (2, "[…]", "[…]")
            p.trunk.sms_taken(first.id)
            p.trunk.sms_taken(broken.id)
            p.trunk.sms_taken((await p.next(SmsReceived, number="10010")).id)
            await p.until(lambda: p.module.messages.stored == 0)

    asyncio.run(main())


def test_what_is_no_text_is_handed_on_as_it_came(tmp_path: Path) -> None:
    async def main() -> None:
        async with gsm_pair(tmp_path) as p:
            p.module.messages.deliver("00FF", 1)
            came = await p.next(SmsReceived)
            assert (came.number, came.text, came.pdu) == ("", "", "00FF")
            p.trunk.sms_taken(came.id)
            await p.until(lambda: p.module.messages.stored == 0)

    asyncio.run(main())


@pytest.mark.parametrize(("error", "outcome"), [(38, "again"), (500, "again"), (30, "refused"), (332, "unknown")])
def test_a_refused_part_says_whether_it_can_be_tried_again_and_the_rest_goes_on_from_there(
    tmp_path: Path, error: int, outcome: str
) -> None:
    async def main() -> None:
        async with gsm_pair(tmp_path) as p:
            p.trunk.send_sms(message("m1"))
            await p.next(SmsSent, part=1)
            p.module.messages.refuse = [error]
            failed = await p.next(SmsFailed)
            assert (failed.id, failed.outcome) == ("m1", outcome) and str(error) in failed.reason
            done = len(p.module.messages.submitted)
            p.trunk.send_sms(message("m1", start=done + 1))
            await p.next(SmsSent, part=3)
            assert [m.text for m in p.module.messages.received] == [LONG]

    asyncio.run(main())


def test_a_part_whose_answer_is_lost_is_unknown_and_one_that_never_was_asked_for_is_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gsm_sms, "SEND_S", 0.1)
    monkeypatch.setattr(at, "TIMEOUT_S", 0.2)
    monkeypatch.setattr(at, "ATTENTION_S", 0.1)

    async def main() -> None:
        async with gsm_pair(tmp_path) as p:
            p.module.messages.lose_answers = 1
            p.trunk.send_sms(message("m1", "taken"))
            assert (await p.next(SmsFailed, id="m1")).outcome == "unknown"
            assert [m.text for m in p.module.messages.received] == ["taken"]
            p.module.interpreter.hangs = True
            p.trunk.send_sms(message("m2", "never"))
            assert (await p.next(SmsFailed, id="m2")).outcome == "again"
            p.module.unplug()
            await p.alarm("GONE")
            p.trunk.send_sms(message("m3", "never"))
            assert (await p.next(SmsFailed, id="m3")).outcome == "again"
            # A control process that comes now is told the end of the last one.
            assert p.trunk.sms_in_hand() == ("m3",)
            p.trunk.tell_sms()
            assert (await p.next(SmsFailed)).id == "m3"

    asyncio.run(main())


def test_messages_wait_for_a_call_that_is_being_set_up_and_bad_ones_are_told(tmp_path: Path) -> None:
    async def main() -> None:
        async with gsm_pair(tmp_path) as p:
            caller = p.exchange.call("95001", FROM)
            leg = (await p.incoming()).leg
            p.trunk.send_sms(message("m1", "later"))
            with pytest.raises(ValueError, match="m1 is being sent"):
                p.trunk.send_sms(message("m2", "too early"))
            assert p.module.messages.submitted == []
            p.trunk.answer(leg)
            await p.next(SmsSent, id="m1")
            caller.hangup()
            await p.until_idle()
            for name, text, number in (("m3", "", TO), ("m4", "x", "中"), ("m5", "x" * 40_000, TO)):
                p.trunk.send_sms(message(name, text, number=number))
                assert (await p.next(SmsFailed, id=name)).outcome == "refused"

    asyncio.run(main())


def test_a_line_without_messages_refuses_them(tmp_path: Path) -> None:
    async def main() -> None:
        async with gsm_pair(tmp_path, sms=False) as p:
            assert not p.trunk.state().sms
            with pytest.raises(ValueError, match="carries no messages"):
                p.trunk.send_sms(message("m1"))

    asyncio.run(main())


def test_parts_are_put_together_in_any_order_twice_the_same_is_one_and_old_ones_are_given_up() -> None:
    pdus = [encode(Deliver(FROM, body, 1_770_000_000))[0] for body in split(LONG, 9)]
    stored = [Stored(index, pdus[place]) for index, place in enumerate((2, 0, 1, 0), 1)]
    [whole] = Assembler().whole(stored, 0.0)
    assert (whole.text, whole.parts, whole.missing, whole.at) == (LONG, 3, 0, 1_770_000_000)
    assert {source.index for source in whole.sources} == {1, 2, 3, 4}
    assembler = Assembler()
    assert assembler.whole(stored[:1], 0.0) == []
    assert assembler.whole(stored[:1], PARTS_WAIT_S - 1) == []
    [given_up] = assembler.whole(stored[:1], PARTS_WAIT_S)
    assert given_up.missing == 2 and given_up.id != whole.id
